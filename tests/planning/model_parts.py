"""What the model of the runtime is made of: lists of occurrences, policies in numbers, lives of tasks, their records.

All times are integer microseconds since 1970. None of it shares code with the package.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

SECOND = 1_000_000
DAY = 86_400 * SECOND
MOST_QUEUED = 1_000
MOST_LOST = 3
LONGEST_DELAY = 3_600 * SECOND
NOT_TRIED_AGAIN = (None, "SystemExit", "CancelledError")


class Occurrences:
    """The instants of a schedule, one by one: from `first`, every so often, or only the first.

    With `from_end` each further one is written down when the run before has ended, so long after its end. Those of a
    calendar are there without the task, which begins after now; others begin with their first, even if that is over.
    """

    def __init__(
        self,
        first: int,
        every: int | None,
        n: int,
        *,
        on_wall: bool,
        from_end: int | None = None,
        calendar: bool = False,
    ) -> None:
        self.first, self.instants, self.every, self.n, self.on_wall = first, [first], every, n, on_wall
        self.from_end, self.calendar = from_end, calendar
        self.once = every is None and from_end is None

    def again(self, now: int, *, follows: bool) -> Occurrences:
        """List those of a task that begins again now; a calendar stays as it is.

        Without a grid, only one that `follows` is known now; else the end of an active run will say it.
        """
        if self.calendar:
            return self
        fresh = Occurrences(now, self.every, self.n, on_wall=True, from_end=self.from_end)
        if self.from_end is not None:
            fresh.instants = [now + self.from_end] if follows else []
        return fresh

    def between(self, after: int, until: int) -> list[int]:
        """List the instants later than `after` and not later than `until`."""
        self._write_down(until)
        return self.instants[bisect_right(self.instants, after) : bisect_right(self.instants, until)]

    def following(self, after: int) -> int | None:
        """Return the first instant after this one; None when there is none."""
        self._write_down(after)
        place = bisect_right(self.instants, after)
        return self.instants[place] if place < len(self.instants) else None

    def _write_down(self, until: int) -> None:
        while self.every is not None and self.instants[-1] <= until:
            self.instants.append(self.instants[-1] + self.every)


@dataclass(frozen=True)
class Ways:
    """A policy, in plain numbers."""

    overlap: str = "skip"
    max_running: int = MOST_QUEUED
    missed: str = "coalesce"
    grace: int = SECOND
    limit: int = 100
    window: int = DAY
    attempts: int = 1
    delay: int = SECOND
    factor: int = 2
    timeout: int | None = None
    on_lost: str = "again"

    def delay_after(self, attempt: int, error: str | None) -> int | None:
        """Return the time from the end of an attempt to the next; None when there is no other."""
        if error in NOT_TRIED_AGAIN or attempt >= self.attempts:
            return None
        delay = self.delay
        for _ in range(attempt - 1):
            delay *= self.factor
        return min(delay, LONGEST_DELAY)


class Ended(NamedTuple):
    """One call of a function that ended, or timed out."""

    started: int | None
    finished: int
    outcome: str
    error: str | None


class RunLine(NamedTuple):
    """The record of a run: its occurrence, its cause, and all its calls."""

    at: int
    cause: str
    calls: tuple[Ended, ...]
    ahead: int = 0
    """What people see is later by this."""
    moved: int = 0
    """And the occurrence by this too."""

    def shown(self) -> RunLine:
        """Return the line as people see it."""
        calls = [
            call._replace(started=None if call.started is None else call.started + self.ahead)._replace(
                finished=call.finished + self.ahead
            )
            for call in self.calls
        ]
        return RunLine(self.at + self.moved + self.ahead, self.cause, tuple(calls))


class PassedLine(NamedTuple):
    """The record of occurrences in a row that did not become runs."""

    reason: str
    first: int
    last: int
    number: int
    ahead: int = 0

    def shown(self) -> PassedLine:
        """Return the line as people see it."""
        return PassedLine(self.reason, self.first + self.ahead, self.last + self.ahead, self.number)


@dataclass(eq=False)
class Call:
    """A run that was handed over and whose function has not ended, or that waits for its turn or next attempt."""

    task: Task
    at: int
    cause: str
    ahead: int = 0
    moved: int = 0
    phase: str = "going"  # or queued (in a backfill), resting (another attempt is to come), lingering (timed out)
    attempt: int = 1
    lost: int = 0
    """How many of the earlier attempts were lost with their process."""
    taken: int | None = None
    """When the attempt was handed over."""
    owner: int = 0
    """And to which process."""
    called: bool = False
    asked: bool = False
    started: int | None = None
    recorded: bool = False
    timer: tuple[int, int] | None = None
    earlier: list[Ended] = field(default_factory=list[Ended])

    def turn(self) -> tuple[int, bool, int]:
        """Say which of several runs is handed over first."""
        return self.at + self.moved + self.ahead, not self.task.life.occurrences.on_wall, self.task.order

    def delay(self, ended: Ended) -> int | None:
        """Return the time from the end of an attempt to the next; None when there is no other."""
        if self.asked or self.task.cancelled:
            return None
        return self.task.ways.delay_after(self.attempt - self.lost, ended.error)


@dataclass(eq=False)
class Life:
    """A task's time with one schedule and one beginning."""

    occurrences: Occurrences
    begin: int
    """What is not later than this is none of its occurrences."""
    covered: int
    """What is not later than this is decided."""
    latest: int
    """The time of the beginning, then the last decided occurrence."""
    handed: int = 0
    moved: int = 0
    """How far the clock of the life that replaced it was ahead of its own."""


@dataclass(eq=False)
class Task:
    """One task, and all that happened to it."""

    order: int
    name: str | None
    ways: Ways
    life: Life
    ahead: int = 0
    """How far the wall was ahead of steady time after the last step."""
    past: list[Life] = field(default_factory=list[Life])
    running: int = 0
    lingering: int = 0
    waiting: list[tuple[int, Life]] = field(default_factory=list[tuple[int, Life]])
    late: bool = False
    """The waiting ones are late: what comes waits behind them."""
    paused: bool = False
    failures: int = 0
    """How many runs in a row have failed, of those that follow each other without a wait."""
    cancelled: bool = False
    dropped: bool = False
    """No further occurrence is decided."""
    ended: bool = False
    lines: list[RunLine | PassedLine] = field(default_factory=list[RunLine | PassedLine])
    sealed: int = 0
    """How many of those lines are from before the life that goes on: none of them gets longer."""
    passed: list[int] = field(default_factory=list[int])
    """The occurrences in those lines that did not become runs, one by one."""
    tally: Counter[str] = field(default_factory=Counter[str])
    calls: list[Call] = field(default_factory=list[Call])
    """Without an outcome, oldest first."""
    backfill: list[Call] = field(default_factory=list[Call])

    def places(self) -> int:
        """Count how many more of the n runs there may be; a run that waits holds its place."""
        life = self.life
        if life.occurrences.n == -1:
            return 1_000_000
        return life.occurrences.n - life.handed - len([at for at, of in self.waiting if of is life])

    def due(self, now: int) -> list[int]:
        """List the occurrences to decide about."""
        if self.dropped or self.places() <= 0:
            return []
        return self.life.occurrences.between(self.life.covered, now)

    def next(self) -> int | None:
        """Return the next occurrence to decide about."""
        if self.dropped or self.places() <= 0:
            return None
        return self.life.occurrences.following(self.life.covered)

    def waits_in_a_pause(self) -> bool:
        """Tell whether the next occurrence is the only one, and so runs after a pause."""
        return self.life.occurrences.once or self.life.occurrences.from_end is not None

    def goes_on(self, at: int) -> None:
        """Write down the next occurrence of a task without a grid, unless a run is active; the latest ended at `at`."""
        occurrences, life = self.life.occurrences, self.life
        if self.running or self.lingering or self.waiting or self.dropped or self.places() <= 0:
            return
        self.forget()
        least = occurrences.first if life.covered == life.begin else life.covered + 1
        pause = min(2 ** (self.failures - 1), 60) * SECOND if self.failures else 0
        occurrences.instants.append(max(at + (occurrences.from_end or 0), least) + pause)

    def will_go_on(self) -> bool:
        """Tell whether the end of an active function will say when the next run is due."""
        return self.life.occurrences.from_end is not None and not self.dropped and self.places() > 0

    def forget(self) -> None:
        """Strike out the next occurrence of a task without a grid: the end of an active run will say another."""
        life = self.life
        life.occurrences.instants = [at for at in life.occurrences.instants if at <= life.covered]

    def counts(self) -> dict[str, int]:
        """Count what happened to its occurrences, without the outcomes that are nowhere."""
        return {**{what: n for what, n in self.tally.items() if n}, "in_flight": self.running + len(self.waiting)}

    def occurred(self) -> int:
        """Count the occurrences that are decided, by their lists."""
        lives = [*self.past, self.life]
        return sum(len(life.occurrences.between(life.begin, life.covered)) for life in lives)

    def cover(self, decided: list[int]) -> None:
        """Note that these occurrences are decided, in this order."""
        for at in decided:
            self.life.covered = self.life.latest = at

    def check_end(self) -> None:
        """End it if no run is active and none will start."""
        going = self.running or self.waiting or (self.lingering and self.will_go_on())
        self.ended = self.ended or (not going and self.next() is None)

    def shift(self) -> int:
        """Return how much later people see the times of its clock."""
        return 0 if self.life.occurrences.on_wall else self.ahead

    def passes(self, reason: str, passed: list[int], life: Life | None = None) -> None:
        """Write down occurrences in a row that do not run; those that follow the last line lengthen it."""
        if not passed:
            return
        self.tally[reason] += len(passed)
        self.passed += passed
        last = self.lines[-1] if self.lines else None
        moved, ahead = 0 if life is None else life.moved, self.shift()
        first, number = passed[0] + moved, len(passed)
        if (
            isinstance(last, PassedLine)
            and len(self.lines) > self.sealed
            and (last.reason, last.ahead) == (reason, ahead)
            and self.life.occurrences.following(last.last) == first
        ):
            self.lines.pop()
            first, number = last.first, last.number + number
        self.lines.append(PassedLine(reason, first, passed[-1] + moved, number, ahead))

    def write(self, line: RunLine) -> None:
        """Write down a run."""
        self.lines.append(line)
        if line.cause == "schedule":
            self.tally[line.calls[-1].outcome] += 1

    def check_law(self) -> None:
        """Raise AssertionError unless each decided occurrence is in one record, waits or runs."""
        lives = [*self.past, self.life]
        found = Counter(at for at, _life in self.waiting)
        found.update(call.at for call in self.calls if call.cause == "schedule")
        found.update(self.passed)
        found.update(line.at for line in self.lines if isinstance(line, RunLine) and line.cause == "schedule")
        decided = Counter(at for life in lives for at in life.occurrences.between(life.begin, life.covered))
        assert found == decided, f"the model breaks the law: {found - decided} is too much, {decided - found} missing"
        in_lines = sum(line.number for line in self.lines if isinstance(line, PassedLine))
        assert in_lines == len(self.passed), (
            f"the model breaks the law: {in_lines} in ranges, {len(self.passed)} passed"
        )


class Clocks:
    """The wall clock and steady time; where there is `one_time`, that is the wall's, and steps with it."""

    def __init__(self, now: int, *, one_time: bool = False) -> None:
        self.one_time = one_time
        self.wall: int = now
        self.steady: int = now
        self.ahead = 0
        """How far the wall is ahead, since its latest step."""

    def life(self, occurrences: Occurrences) -> Life:
        """Begin with these occurrences now."""
        now = self.wall if occurrences.on_wall else self.steady
        begin = now if occurrences.calendar else occurrences.instants[0] - 1  # which is the first, even if it is over
        return Life(occurrences, begin, begin, now)

    def now(self, task: Task) -> int:
        """Return the time a task follows."""
        return self.wall if task.life.occurrences.on_wall else self.steady

    def in_pause(self, task: Task, now: int | None = None) -> list[int]:
        """List what has become due in a pause that still holds; until now, or another time."""
        from_end = task.life.occurrences.from_end is not None
        going = task.running or task.lingering or task.waiting  # their end says when the next one is due
        return [] if not task.paused or (from_end and going) else task.due(now or self.now(task))

    def move(self, by: int) -> None:
        """Let time pass."""
        self.wall += by
        self.steady += by

    def set_wall(self, by: int) -> None:
        """Set the wall clock."""
        self.wall += by
        self.steady += by if self.one_time else 0
        self.ahead = self.wall - self.steady
