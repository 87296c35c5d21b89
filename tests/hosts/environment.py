"""The environment that servers are tested in: made with venv and pip when it is first needed, and then kept."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
APPS = Path(__file__).parent / "apps"
PINS = Path(__file__).parent / "requirements.txt"
UNREACHABLE = re.compile(r"connection|timed? ?out|name resolution|unreachable|proxy", re.IGNORECASE)


def programs() -> Path:
    """Return the folder of the environment's programs; skip the test where pip reaches no index to make it from."""
    key = hashlib.sha256(PINS.read_bytes() + sys.version.encode()).hexdigest()[:16]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "panther_schedule"
    cache.mkdir(parents=True, exist_ok=True)
    made = cache / f"hosts-{key}"
    with (cache / f"hosts-{key}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # others that need it wait here until it is made
        if not (made / "complete").exists():
            shutil.rmtree(made, ignore_errors=True)
            subprocess.run([sys.executable, "-m", "venv", made], check=True)
            install = [str(made / "bin" / "python"), "-m", "pip", "install", "-q", "--no-deps", "-r", str(PINS)]
            done = subprocess.run(install, capture_output=True, text=True, check=False)
            if done.returncode and UNREACHABLE.search(done.stderr):
                pytest.skip(f"pip reaches no index: {done.stderr.strip().splitlines()[-1]}")
            assert done.returncode == 0, done.stderr
            (made / "complete").touch()
    return made / "bin"
