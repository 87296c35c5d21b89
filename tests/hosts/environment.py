"""The environment that servers are tested in: made with venv and pip when it is first needed, and then kept."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
APPS = Path(__file__).parent / "apps"
PINS = Path(__file__).parent / "requirements.txt"
UNREACHABLE = re.compile(r"connection|timed? ?out|name resolution|unreachable|proxy", re.IGNORECASE)


def programs() -> Path:
    """Return the folder of the environment's programs; skip the test where pip reaches no index to make it from."""
    folder, failed = _made()
    if UNREACHABLE.search(failed):
        pytest.skip(f"pip reaches no index: {failed.strip().splitlines()[-1]}")
    assert not failed, failed
    return folder / "bin"


@cache
def _made() -> tuple[Path, str]:
    """Make the environment unless it is there; return its folder, and what pip says if it fails."""
    key = hashlib.sha256(PINS.read_bytes() + sys.version.encode()).hexdigest()[:16]
    kept = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "panther_schedule"
    kept.mkdir(parents=True, exist_ok=True)
    folder = kept / f"hosts-{key}"
    with (kept / f"hosts-{key}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # others that need it wait here until it is made
        if not (folder / "complete").exists():
            shutil.rmtree(folder, ignore_errors=True)
            subprocess.run([sys.executable, "-m", "venv", folder], check=True)
            install = [str(folder / "bin" / "python"), "-m", "pip", "install", "-q", "--retries", "2", "--no-deps"]
            done = subprocess.run([*install, "-r", str(PINS)], capture_output=True, text=True, check=False)
            if done.returncode:
                return folder, done.stderr
            (folder / "complete").touch()
    return folder, ""
