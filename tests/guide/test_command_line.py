"""The command line: what it reads, what it says, and how it ends."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from .pages import ROOT

EXAMPLES = ROOT / "examples" / "cli"


def shell(line: str, folder: Path = EXAMPLES) -> tuple[int, str]:
    """Call `panther-schedule` with arguments as a shell reads them."""
    command = f"{Path(sys.executable).parent}/panther-schedule {line}"
    done = subprocess.run(["bash", "-c", command], cwd=folder, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


def test_a_cron_line_is_previewed() -> None:
    """A schedule may be written on the line."""
    code, out = shell('next "0 9 * * mon-fri" --tz Europe/Paris -n 1 --after 2026-12-24')

    assert code == 0
    assert out.splitlines() == [
        "every Monday to Friday at 09:00 in Europe/Paris",
        "Thu 2026-12-24 09:00 CET  08:00 UTC  in 9 h",
    ]


def test_a_document_needs_the_functions_that_it_names() -> None:
    """A document names functions, and `--registry` says where they are."""
    assert shell("check tasks.json")[0] == 2
    assert shell("check tasks.json --registry shop") == (0, "2 tasks, 0 faults, 0 warnings\n")


def test_a_module_names_its_tasks() -> None:
    """A module with a registry or a list of tasks needs nothing else."""
    assert shell("explain shop --after 2026-12-24")[1].startswith("clean_up: every day at 03:00 in Europe/Paris\n")


def test_faults_end_with_one() -> None:
    """`check` ends with 1 when it finds a fault, and says where it is."""
    code, out = shell("check broken.json --registry shop")

    assert code == 1
    assert "broken.json:6:7: tasks[0].func: 'send_digets' is not a registered function" in out


def test_a_change_is_seen_before_it_is_made() -> None:
    """`diff` shows which occurrences a change adds, drops or moves, and ends with 1 when there are any."""
    assert shell("diff tasks.json tasks.json --registry shop") == (0, "0 added, 0 gone, 0 moved\n")
    assert shell("diff tasks.json new.json --registry shop")[0] == 1


def test_programs_read_json() -> None:
    """What reads takes `--json`, and names the form of its answer."""
    _, out = shell('next "0 9 * * *" --tz UTC -n 1 --after 2026-12-24 --json')

    assert json.loads(out)["report"] == "next/1"
    assert json.loads(out)["runs"][0]["at"] == "2026-12-24T09:00:00Z"


@pytest.mark.real_clock
def test_a_run_accounts_for_every_occurrence() -> None:
    """`run` ends on SIGTERM, finishes what is active, and says what became of every occurrence."""
    code, out = shell("run greetings --quiet")

    assert code == 0
    assert out.splitlines()[-1] == "2 occurrences were due: 2 succeeded"


def test_a_file_gets_the_tasks_of_a_document(tmp_path: Path) -> None:
    """`apply` makes the tasks of a file those of a document, and applying it again changes nothing."""
    apply = f"apply {tmp_path}/tasks.db tasks.json --registry shop"

    assert shell(apply)[1].splitlines()[-1] == "2 added, 0 changed, 0 removed, 0 unchanged"
    assert shell(apply) == (0, "0 added, 0 changed, 0 removed, 2 unchanged\n")


def test_a_plan_says_what_apply_would_do(tmp_path: Path) -> None:
    """`apply --dry-run` changes nothing, not even where there is no file, and ends with 1 if something would change."""
    code, out = shell(f"apply {tmp_path}/tasks.db tasks.json --registry shop --dry-run")

    assert code == 1
    assert out.splitlines()[0] == f"would make {tmp_path}/tasks.db"
    assert not (tmp_path / "tasks.db").exists()


def test_a_task_of_a_file_is_paused_from_the_shell(tmp_path: Path) -> None:
    """`pause` holds in every process that runs the file, and `status` shows why."""
    shell(f"apply {tmp_path}/tasks.db tasks.json --registry shop")
    shell(f"pause {tmp_path}/tasks.db prices --reason 'the shop moves'")

    assert "prices  paused: the shop moves" in shell(f"status {tmp_path}/tasks.db")[1]


def test_a_first_document_is_made(tmp_path: Path) -> None:
    """`init` writes a document that can be checked at once, and never writes over a file."""
    assert shell("init", tmp_path)[0] == 0
    assert shell("check tasks.json --registry scheduled", tmp_path)[0] == 0
    assert shell("init", tmp_path)[0] == 3
