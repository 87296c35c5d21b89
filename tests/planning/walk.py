"""A random walk of a scheduler and its model: what may be done next, and with which numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace as changed
from random import Random
from typing import Any, Protocol, TypeVar

from model_parts import DAY, SECOND, Ways
from pair import Pair, Timing
from pair_of_a_file import FilePair
from pair_of_two import SharedPair

T = TypeVar("T")
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
MOST_TASKS = 4
FARTHEST = 3 * DAY  # of the wall clock from steady time


class Draw(Protocol):
    """Takes one of several things, by chance."""

    def __call__(self, options: Sequence[T], /) -> T: ...


def chance(random: Random) -> Draw:
    """Draw by a generator of random numbers."""
    return random.choice


def a_timing(draw: Draw) -> Timing:
    """Draw a schedule."""
    kind = draw(["repeat", "repeat", "repeat", "end", "end", "end", "often", "often", "hourly", "daily", "once", "at"])
    n = draw([-1, -1, 1, 2, 3, 5]) if kind not in {"once", "at"} else 1
    delay = draw([0, 0, 0, 10, 45, 600]) * SECOND
    if kind == "repeat":
        return Timing(kind, n, draw([10, 20, 60, 300]) * SECOND, delay)
    if kind == "end":
        wait = draw([0, 1, 10, 60]) * SECOND
        return Timing(kind, n if wait else abs(n), wait, delay)  # an endless one without a wait is warned of
    if kind == "once":
        return Timing(kind, n, by=delay)
    if kind == "at":
        return Timing(kind, n, by=draw([0, 90, 600, -60, -7200]) * SECOND)
    return Timing(kind, n)


def a_policy(draw: Draw, *, grid: bool) -> Ways:
    """Draw a policy; without a grid, one without overlap."""
    ways = any_policy(draw)
    return ways if grid else changed(ways, overlap="skip", max_running=Ways.max_running)


def any_policy(draw: Draw) -> Ways:
    """Draw a policy."""
    if draw([False, False, False, True]):
        return Ways()
    fields: dict[str, Any] = {"overlap": draw(["skip", "queue_one", "queue_all", "allow", "cancel_running"])}
    if fields["overlap"] == "allow":
        fields["max_running"] = draw([1, 2, 3])
    fields["missed"] = draw(["coalesce", "skip", "catch_up", "catch_up"])
    if fields["missed"] == "skip":
        fields["grace"] = draw([1, 10, 20, 60, 1200]) * SECOND
    if fields["missed"] == "catch_up":
        fields["limit"], fields["window"] = draw([1, 2, 3, 10, 100]), draw([30, 300, 3600, 86400]) * SECOND
    if draw([False, True]):
        fields["attempts"], fields["delay"] = draw([2, 3, 4]), draw([0, 1, 15, 45]) * SECOND
        fields["factor"] = draw([1, 2])
    if draw([False, True]):
        fields["timeout"] = draw([5, 20, 60, 400]) * SECOND
    return Ways(**fields)


def an_end(draw: Draw, *, asked: bool) -> tuple[str, str | None]:
    """Draw how a function ends; one that was asked to may say that it was cancelled."""
    ends: list[tuple[str, str | None]] = [("succeeded", None), ("failed", "ValueError"), ("failed", "SystemExit")]
    if asked:
        ends += [("cancelled", "CancelledError"), ("cancelled", None), ("cancelled", "CancelledError")]
    return draw(ends)


# ---- the acts: each does something to both if it can, and tells whether it did -------------------------------------


def add(pair: Pair, draw: Draw) -> bool:
    """Add a task, but not too many."""
    if len(pair.handles) >= MOST_TASKS:
        return False
    timing = a_timing(draw)
    ways = a_policy(draw, grid=timing.kind != "end")
    if isinstance(pair, FilePair):
        ways = changed(ways, on_lost=draw(["again", "again", "record"]))
    pair.add(timing, ways, named=draw([True, True, False]))
    return True


def replace(pair: Pair, draw: Draw) -> bool:
    """Replace a named task that is not cancelled."""
    at = a_task(pair, draw, lambda at: pair.model.tasks[at].name is not None and not pair.model.tasks[at].cancelled)
    if at is None:
        return False
    timing = a_timing(draw) if draw([False, True]) else None
    grid = pair.model.tasks[at].life.occurrences.from_end is None if timing is None else timing.kind != "end"
    pair.replace(at, timing, a_policy(draw, grid=grid))
    return True


def advance(pair: Pair, draw: Draw) -> bool:
    """Let time pass, mostly a little."""
    pair.advance(draw([1, 5, 10, 10, 20, 20, 45, 60, 60, 300, 600, 3600]) * SECOND)
    return True


def suspend(pair: Pair, draw: Draw) -> bool:
    """Suspend the machine."""
    pair.suspend(draw([5, 20, 30, 60, 90, 400, 1900, 4000]) * SECOND)
    return True


def step(pair: Pair, draw: Draw) -> bool:
    """Set the wall clock, sometimes by more than a day."""
    by = draw([1, -1, 300, -300, 4000, -4000, 26 * 3600, -26 * 3600, -60 * 3600]) * SECOND
    if is_far(pair, by):
        return False
    pair.step(by)
    return True


def is_far(pair: Pair, by: int) -> bool:
    """Tell whether the wall clock would then be further ahead of steady time, or behind it, than we look at."""
    wall, steady = pair.clock.read()
    return abs(wall + by - steady) > FARTHEST


def end(pair: Pair, draw: Draw) -> bool:
    """End a run that was called."""
    called = pair.called()
    if not called:
        return False
    at = draw(range(len(called)))
    pair.end(at, *an_end(draw, asked=called[at][1].asked))
    return True


def set_full(pair: Pair, draw: Draw) -> bool:
    """Let the workers be busy, or free again."""
    full = not pair.model.full and draw([False, True])
    if full == pair.model.full:
        return False
    pair.set_full(full)
    return True


def pause(pair: Pair, draw: Draw) -> bool:
    """Pause a task."""
    at = a_task(pair, draw, lambda at: not pair.model.tasks[at].paused)
    if at is not None:
        pair.pause(at)
    return at is not None


def resume(pair: Pair, draw: Draw) -> bool:
    """Resume a task."""
    at = a_task(pair, draw, lambda at: pair.model.tasks[at].paused)
    if at is not None:
        pair.resume(at)
    return at is not None


def run_now(pair: Pair, draw: Draw) -> bool:
    """Run a task once more."""
    at = a_task(pair, draw, lambda at: not pair.model.tasks[at].cancelled)
    if at is not None:
        pair.run_now(at)
    return at is not None


def backfill(pair: Pair, draw: Draw) -> bool:
    """Fill a few occurrences again."""
    tasks = pair.model.tasks
    at = a_task(pair, draw, lambda at: not tasks[at].cancelled and tasks[at].life.occurrences.from_end is None)
    if at is not None:
        end = draw([0, 10, 60, 600]) * SECOND
        pair.backfill(at, end + draw([0, 20, 60, 1800]) * SECOND, end)
    return at is not None


def cancel_run(pair: Pair, draw: Draw) -> bool:
    """Cancel a run that was asked for."""
    if not pair.manual:
        return False
    pair.cancel_run(draw(range(len(pair.manual))))
    return True


def cancel(pair: Pair, draw: Draw) -> bool:
    """Cancel a task."""
    at = a_task(pair, draw, lambda _at: True)
    if at is not None:
        pair.cancel(at)
    return at is not None


def a_task(pair: Pair, draw: Draw, fits: Callable[[int], bool]) -> int | None:
    """Draw a task that fits."""
    found = [at for at in range(len(pair.handles)) if fits(at)]
    return draw(found) if found else None


# ---- acts on a file ------------------------------------------------------------------------------------------------


def restart(pair: Pair, draw: Draw) -> bool:
    """Stop or kill the scheduler, and start another; sometimes the clock was set meanwhile."""
    by = draw([0, 0, 0, 0, 90, 4000, -300, -26 * 3600]) * SECOND
    if not isinstance(pair, FilePair) or is_far(pair, by):
        return False
    pair.restart(by, killed=draw([False, True]))
    return True


def reload(pair: Pair, _draw: Draw) -> bool:
    """Read the zones' rules again."""
    if isinstance(pair, FilePair):
        pair.reload()
    return isinstance(pair, FilePair)


def fail(pair: Pair, draw: Draw) -> bool:
    """Let the file fail in the next act that is done to a task."""
    if isinstance(pair, FilePair):
        pair.fail(draw(range(40)))
    return isinstance(pair, FilePair)


def switch(pair: Pair, _draw: Draw) -> bool:
    """Ask the other scheduler from now on."""
    if isinstance(pair, SharedPair):
        pair.switch()
    return isinstance(pair, SharedPair)


Act = Callable[[Pair, Draw], bool]
OFTEN: dict[Act, int] = {
    add: 6,
    advance: 14,
    suspend: 7,
    step: 3,
    end: 18,
    set_full: 2,
    pause: 5,
    resume: 5,
    run_now: 2,
    backfill: 1,
    cancel_run: 1,
    cancel: 1,
    replace: 3,
}
"""How often each is drawn."""
OFTEN_IN_A_FILE: dict[Act, int] = {**OFTEN, restart: 3, reload: 1, fail: 6}
"""The same for a scheduler whose tasks are in a file."""
OFTEN_OF_TWO: dict[Act, int] = {**OFTEN_IN_A_FILE, switch: 20}
"""The same for two of them."""


def acts_for(pair: type[Pair]) -> list[Act]:
    """List the acts for one that is kept in memory or in a file, each as often as it is to be drawn."""
    often = OFTEN_OF_TWO if issubclass(pair, SharedPair) else OFTEN_IN_A_FILE if issubclass(pair, FilePair) else OFTEN
    return [act for act, times in often.items() for _ in range(times)]


def walk(pair: Pair, steps: int, random: Random) -> int:
    """Take steps, and compare after each; return how many."""
    draw = chance(random)
    acts = acts_for(type(pair))
    add(pair, draw)
    taken = 0
    while taken < steps:
        if draw(acts)(pair, draw):
            pair.check()
            taken += 1
    pair.check_law()
    return taken
