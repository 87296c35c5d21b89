"""The model of a scheduler whose tasks are in a file: the process may end, and another goes on with them."""

from __future__ import annotations

from collections.abc import Iterable

from model import Model
from model_parts import MOST_LOST, Call, Ended

AT_ONCE = (0, 0)


class FileModel(Model):
    """As the model of one in memory, but it has one time, the wall's, and what it handed over may be lost."""

    def __init__(self, now: int) -> None:
        super().__init__(now, one_time=True)

    def restart(self, by: int, *, killed: bool) -> None:
        """End the process, set the clock, begin another. One that is killed tells nobody what has ended since."""
        if not killed:
            self._take_in()
        lost = self._hand_back()
        if not killed:
            self._lose(lost, killed=False)
            self._put_off()
        self.set_wall(by)
        for task in self.tasks:
            self._set_back(task, self.wall)
        if killed:
            self._decide_all()  # before it sees that the other is dead
            self._lose(lost, killed=True)
            self._hand_over()
        self.look()

    def _hand_back(self) -> list[Call]:
        """Return the runs that were handed over, in the order of their tasks; their timers and ends are forgotten."""
        found = {call for call in (*self.open, *(call for call, _ in self._inbox)) if call.owner == self.here}
        self.open = [call for call in self.open if call not in found]
        self._inbox = [end for end in self._inbox if end[0] not in found]
        for call in found:
            call.timer = None
        return [call for task in self.tasks for call in found if call.task is task and call.recorded] + [
            call for call in self._calls() if call in found
        ]

    def _put_off(self) -> None:
        """Leave what starts now to the other process."""
        for call in self._starts:
            call.phase, call.timer, call.attempt = "resting", AT_ONCE, call.attempt - 1
        self._starts = []

    def _lose(self, calls: Iterable[Call], *, killed: bool) -> None:
        """Let an attempt of each be lost; of one that was killed, nobody knows when its functions were called."""
        for call in calls:
            lost = Ended(call.taken if killed else call.started, self.now(call.task), "lost", None)
            if call.phase != "going":
                self._finish(call, lost)
                continue
            call.lost += 1
            once = call.task.ways.on_lost == "record" or call.asked or call.task.cancelled
            if once or call.lost == MOST_LOST:
                self._record(call, lost)
            else:
                call.earlier.append(lost)
                call.phase, call.timer = "resting", AT_ONCE
