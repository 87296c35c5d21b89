"""Which processes take part, and which of them are dead.

Each renews a lease. One whose lease is over, or whose process is gone, is declared dead, and its runs are lost. It may
only have been stopped: when it wakes, its row is gone, and it has no say about the runs that it had.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final

from ..clock import since_boot
from .file import File

_BOOT: Final = Path("/proc/sys/kernel/random/boot_id")
_SPACE: Final = Path("/proc/self/ns/pid")


class Processes:
    """The schedulers that share a file, as one of them sees the others."""

    def __init__(self, file: File, lease: int) -> None:
        self._file, self._lease = file, lease
        self.me = 0  # never given twice; 0 before the first turn
        self._boot = _BOOT.read_text().strip() if _BOOT.exists() else ""
        self._space = str(_SPACE.readlink()) if _SPACE.is_symlink() else ""
        self._pid, self._born = os.getpid(), born(os.getpid()) or 0
        self._lease_until = self._beat_at = self._judge_after = self._reap_at = 0

    def until_beat(self) -> int:
        """Return the microseconds until the lease is to be renewed, or others are to be judged."""
        return max(0, min(self._beat_at, self._reap_at) - since_boot())

    def beat(self, *, looked: bool) -> bool:
        """Renew the lease; False when this process was declared dead: then it has a new id, and no runs.

        `looked` is False when nobody else has written since the last turn.
        """
        now, alive = since_boot(), True
        if self.me and not looked and not self._file.row("SELECT 1 FROM process WHERE id = ?", (self.me,)):
            self.me, alive = 0, False
        if not self.me:
            self._renew(now)
            values = (self._boot, self._space, self._pid, self._born, self._lease_until)
            sql = "INSERT INTO process (boot, space, pid, born, lease_until) VALUES (?, ?, ?, ?, ?)"
            self.me = self._file.run(sql, values).lastrowid or 0
            self._judge_after = now if alive else now + self._lease
        elif now >= self._beat_at:
            if now > self._lease_until:  # it was late itself, as in a suspend of the machine: so may others have been
                self._judge_after = now + self._lease
            self._renew(now)
            self._file.run("UPDATE process SET lease_until = ? WHERE id = ?", (self._lease_until, self.me))
        return alive

    def take_back(self, me: int) -> None:
        """After a turn that was not kept, go back to the id before it, and renew the lease in the next one."""
        self.me, self._beat_at, self._reap_at = me, 0, 0

    def _renew(self, now: int) -> None:
        self._lease_until, self._beat_at = now + self._lease, now + self._lease // 3

    def dead(self) -> list[int]:
        """Find the processes that are gone, or have not renewed their lease, if it is time to look."""
        now = since_boot()
        if now < self._reap_at:
            return []
        self._reap_at = now + self._lease // 3
        sql = "SELECT id, boot, space, pid, born, lease_until FROM process WHERE id != ?"
        return [row[0] for row in self._file.rows(sql, (self.me,)) if self._is_dead(row, now)]

    def _is_dead(self, row: Any, now: int) -> bool:
        _id, boot, space, pid, born_at, lease_until = row
        if boot != self._boot:
            return True
        if space == self._space and space and born(pid) != born_at:
            return True
        return bool(lease_until < now and now >= self._judge_after)

    def remove(self, dead: int) -> None:
        self._file.run("DELETE FROM process WHERE id = ?", (dead,))


def born(pid: int) -> int | None:
    """Return when a process began, in ticks since the machine was started; None for one that is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in {"Z", "X"} else int(fields[19])
