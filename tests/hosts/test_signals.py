"""A plain script under signals."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from programs import Program, running

pytestmark = pytest.mark.real_clock


def active(program: Program) -> Program:
    program.until_said("began sync", "began async")
    return program


def test_a_script_in_run_forever_finishes_what_ctrl_c_finds(tmp_path: Path) -> None:
    with running(tmp_path, "python measured.py run_forever") as script:
        active(script).signal(signal.SIGINT)
        script.release.touch()

        assert script.end() == 0
        assert "ended sync\n" in script.said
        assert "ended async\n" in script.said
        assert "Traceback" not in script.said


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_second_signal_ends_run_forever_at_once(tmp_path: Path, number: signal.Signals, code: int) -> None:
    with running(tmp_path, "python measured.py run_forever") as script:
        active(script).signal(number)
        script.until_said("a second signal ends this at once")
        script.signal(number)

        assert script.end() == code
        assert script.said.count(" abandoned: ") == 2
        assert "Traceback" not in script.said


def test_a_script_in_join_finishes_what_ctrl_c_finds(tmp_path: Path) -> None:
    with running(tmp_path, "python measured.py join") as script:
        active(script).signal(signal.SIGINT)
        script.until_said("KeyboardInterrupt")
        script.release.touch()

        assert script.end() == -signal.SIGINT
        assert "ended sync\n" in script.said
        assert "ended async\n" in script.said
