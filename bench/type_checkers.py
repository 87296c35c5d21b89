"""Counts what the type checkers miss, and where they are wrong: python bench/type_checkers.py; see tests/types/lines.

It needs `pip install -e ".[dev]" ty pyrefly`.
"""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "types"))

import checkers


def main() -> None:
    wanted = checkers.wanted()
    print(f"{len(wanted)} wrong lines")
    for name, check in (checkers.TESTED | checkers.REPORTED).items():
        with TemporaryDirectory() as place:
            found = check(Path(place))
        missed, alarms = sorted(wanted - found.keys()), sorted(found.keys() - wanted)
        print(f"{name}: misses {len(missed)}, false alarms {len(alarms)}")
        for kind, lines in (("missed", missed), ("alarm", alarms)):
            for path, line in lines:
                print(f"    {kind} {path}:{line} {found.get((path, line), '')}")


if __name__ == "__main__":
    main()
