"""The model of several schedulers that share a file: each hears of its own runs, and all decide about what is due."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from contextlib import contextmanager

from model_of_a_file import FileModel
from model_parts import Occurrences, Task, Ways


class SharedModel(FileModel):
    """They look one after the other, in the order in which they began, until all is quiet; one of them is `here`."""

    def __init__(self, now: int) -> None:
        super().__init__(now)
        self.order = [0, 1]

    # ---- what people do: whoever is asked looks first, but for those before it -------------------------------

    def hear(self) -> None:
        """Let those before the one that is asked look, then let that one hear what has ended."""
        self.let_look(self.order[: self.order.index(self.here)])
        super().hear()

    def add(self, name: str | None, occurrences: Occurrences, ways: Ways) -> Task:
        """Add a task."""
        self.hear()
        return super().add(name, occurrences, ways)

    def cancel(self, task: Task) -> None:
        """End a task; those before the one that is asked hear of it when they have looked."""
        self.let_look(self.order[: self.order.index(self.here)])
        super().cancel(task)

    def let_look(self, which: Iterable[int]) -> None:
        """Let these look, but for the one that is asked."""
        asked = self.here
        for at in which:
            if at != asked:
                self._is_busy(at)
        self.here = asked

    def look(self) -> None:
        """Let all look until nobody finds anything."""
        asked = self.here
        later = self.order[self.order.index(asked) :]
        while sum(self._is_busy(at) for at in later):  # each of them looks
            later = self.order
        self.here = asked

    def _is_busy(self, at: int) -> bool:
        self.here, busy = at, False
        while self._look_once() or self._own_ends():
            busy = True
        return busy

    def restart(self, by: int, *, killed: bool = False) -> None:
        """Stop the one that is asked, set the clock, and begin another, which is asked from then on."""
        assert not killed
        self.hear()
        self._lose(self._hand_back(), killed=False)
        self._put_off()
        self.order.remove(self.here)
        new = max(self.here, *self.order) + 1
        self.here = self.order[0]
        self.look()
        if by:
            self.step(by)
        self.order.append(new)
        self.here = new
        self.look()

    # ---- time, which the first of them sees first ------------------------------------------------------------

    @contextmanager
    def _first(self) -> Generator[None]:
        asked, self.here = self.here, self.order[0]
        yield
        self.here = asked

    def set_full(self, full: bool) -> None:
        """Let there be no free worker, or free ones again."""
        with self._first():
            super().set_full(full)

    def advance(self, by: int) -> None:
        """Let time pass, with a look whenever something is due."""
        with self._first():
            super().advance(by)

    def suspend(self, by: int) -> None:
        """Let time pass without a look, then look once."""
        with self._first():
            super().suspend(by)

    def step(self, by: int) -> None:
        """Set the wall clock."""
        with self._first():
            super().step(by)
