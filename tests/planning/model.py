"""A model of the runtime, to compare it with: explicit lists of occurrences, and what each of them became.

It is written from the page of semantics and shares no code with the package. Where the scheduler would search for an
occurrence, the model looks through a list; where the scheduler counts a range, the model has each of its occurrences
in hand. Jitter and zones are not in it.
"""

from __future__ import annotations

from collections.abc import Iterable

from model_parts import DAY, MOST_QUEUED, Call, Clocks, Ended, Life, Occurrences, RunLine, Task, Ways


class Model(Clocks):
    """A scheduler: its clock, its tasks, and one place where functions run until somebody ends them."""

    def __init__(self, now: int, *, one_time: bool = False) -> None:
        super().__init__(now, one_time=one_time)
        self.tasks: list[Task] = []
        self.here = 0  # which process looks, where there are several
        self.full = False  # no worker is free: what is handed over waits to be called
        self.open: list[Call] = []
        """Runs whose functions were handed over and have not ended, in the order of handing over."""
        self.log: list[tuple[int, int, str, int]] = []
        """Each start: task, occurrence, cause, attempt."""
        self._starts: list[Call] = []
        self._timers = 0
        self._inbox: list[tuple[Call, Ended]] = []

    # ---- what people do --------------------------------------------------------------------------------------

    def add(self, name: str | None, occurrences: Occurrences, ways: Ways) -> Task:
        """Add a task."""
        task = Task(len(self.tasks), name, ways, self.life(occurrences), self.ahead)
        self.tasks.append(task)
        self.look()
        return task

    def replace(self, task: Task, occurrences: Occurrences | None, ways: Ways) -> None:
        """Change the policy; with another schedule the task starts afresh."""
        life = None if occurrences is None else self.life(occurrences)
        self.hear()
        self._plan(task)
        task.ways = ways
        if life is not None:
            self._skip(task, self.in_pause(task))
            task.sealed = len(task.lines)
            task.past.append(task.life)
            before = task.shift()
            old, task.life, task.ended, task.failures = task.life, life, False, 0
            for waiting in {old, *(of for _at, of in task.waiting)}:
                waiting.moved += before - task.shift()
        self.look()

    def pause(self, task: Task) -> None:
        """Let nothing of a task start."""
        self.hear()
        self._plan(task)
        if not (task.ended or task.dropped):
            task.paused = True
        self.look()

    def resume(self, task: Task) -> None:
        """Go on: what was due in the pause is skipped, but a `Once` runs now."""
        self.hear()
        if task.paused and not task.dropped:
            if not task.waits_in_a_pause():
                self._skip(task, self.in_pause(task))
            task.paused = False
            self._go_on(task)
            if task.life.occurrences.once:
                for at in task.due(self.now(task)):
                    self._admit(task, [at])
            task.check_end()
        self.look()

    def _skip(self, task: Task, skipped: list[int]) -> None:
        task.cover(skipped)
        task.passes("skipped_paused", skipped)

    def cancel(self, task: Task) -> None:
        """End a task: what waits or rests is cancelled, what runs is asked to end."""
        task.cancelled = True
        self.hear()
        skipped = self.in_pause(task)
        for at, life in task.waiting:
            ended = Ended(None, self.now(task), "cancelled", None)
            task.write(RunLine(at, "schedule", (ended,), task.shift(), life.moved))
        task.waiting, task.late = [], False
        self._skip(task, skipped)
        task.dropped = True
        for call in list(task.calls):
            self._ask(call)
        task.check_end()
        self.look()

    def run_now(self, task: Task) -> Call:
        """Run a task once more, beside all others."""
        call = Call(task, self.now(task), "manual", task.shift())
        self.hear()
        task.calls.append(call)
        self._starts.append(call)
        self.look()
        return call

    def backfill(self, task: Task, start: int, end: int) -> list[Call]:
        """Run a task for each occurrence of a span, as people saw them, one after the other."""
        ahead = 0 if task.life.occurrences.on_wall else self.ahead
        found = task.life.occurrences.between(start - ahead - 1, min(end - ahead, self.now(task)))
        calls = [Call(task, at, "backfill", ahead, phase="queued") for at in found]
        self.hear()
        for call in calls:
            task.calls.append(call)
            task.backfill.append(call)
        if task.backfill and task.backfill[0].phase == "queued":
            self._begin(task.backfill[0])
        self.look()
        return calls

    def _begin(self, call: Call) -> None:
        call.phase = "going"
        self._starts.append(call)

    def cancel_run(self, call: Call) -> None:
        """Ask one run to end."""
        self.hear()
        self._ask(call)
        self.look()

    def set_full(self, full: bool) -> None:
        """Let there be no free worker, or free ones again."""
        self.full = full
        if not full:
            for call in list(self.open):
                if not call.called:
                    self._call(call)
        self.look()

    def end(self, call: Call, outcome: str, error: str | None) -> None:
        """Let a function end now; the scheduler hears of it when it next looks."""
        self.open.remove(call)
        self._inbox.append((call, Ended(call.started, self.now(call.task), outcome, error)))

    # ---- time ------------------------------------------------------------------------------------------------

    def advance(self, by: int) -> None:
        """Let time pass, with a look whenever something is due."""
        target = self.steady + by
        self.look()
        while (wait := self._wait()) is not None and self.steady + wait <= target:
            self.move(wait)
            self.look()
        self.move(target - self.steady)

    def suspend(self, by: int) -> None:
        """Let time pass without a look, then look once."""
        self.move(by)
        self.look()

    def step(self, by: int) -> None:
        """Set the wall clock; one that was more than a day ahead was wrong, and its tasks go on by the new time."""
        before = self.wall
        self.set_wall(by)
        for task in self.tasks:
            task.ahead = self.ahead
        self.hear()
        for task in self.tasks:
            self._set_back(task, before)
        self.look()

    def _set_back(self, task: Task, before: int) -> None:
        life, follows = task.life, task.next() is not None
        moves = life.occurrences.on_wall and not life.occurrences.once and (follows or task.will_go_on())
        if moves and life.latest - self.wall > DAY:
            self._skip(task, self.in_pause(task, before))
            task.sealed = len(task.lines)
            task.past.append(life)
            begin = self.wall - (life.occurrences.from_end is not None)  # without a wait, the next is now
            again = life.occurrences.again(self.wall, follows=follows)
            task.life = Life(again, begin, begin, self.wall, life.handed)
            task.waiting = [(at, task.life if of is life else of) for at, of in task.waiting]

    def _wait(self) -> int | None:
        waits = [call.timer[0] - self.steady for call in self._calls() if call.timer is not None]
        for task in self.tasks:
            following = None if task.paused else task.next()
            if following is not None:
                waits.append(following - self.now(task))
        return min(waits, default=None)

    def _calls(self) -> Iterable[Call]:
        return (call for task in self.tasks for call in task.calls)

    # ---- one look --------------------------------------------------------------------------------------------

    def look(self) -> None:
        """Hear what has ended, then decide what is due, then see to timeouts and next attempts; until all is quiet."""
        while self._look_once() or self._own_ends():
            pass

    def _look_once(self) -> bool:
        decided = self._decide_all()
        return self._hand_over() or decided

    def _decide_all(self) -> bool:
        self._take_in()
        decided = False
        for task in self.tasks:
            decided = self._plan(task) or decided
        own = (call for call in self._calls() if call.phase == "resting" or call.owner == self.here)
        late = [call for call in own if call.timer is not None and call.timer[0] <= self.steady]
        for call in sorted(late, key=lambda call: call.timer or (0, 0)):
            self._ring(call)
        return decided or bool(late)

    def _hand_over(self) -> bool:
        starts, self._starts = self._starts, []
        for call in sorted(starts, key=Call.turn):
            self.open.append(call)
            self.log.append((call.task.order, call.at + call.moved + call.ahead, call.cause, call.attempt))
            call.taken, call.owner = self.now(call.task), self.here
            if not self.full:
                self._call(call)
        return bool(starts)

    def _plan(self, task: Task) -> bool:
        due = [] if task.paused else task.due(self.now(task))
        if due:
            self._decide(task, due)
            task.check_end()
        return bool(due)

    def hear(self) -> None:
        """Hear what has ended, as comes first in whatever is done."""
        self._take_in()

    def _own_ends(self) -> list[tuple[Call, Ended]]:
        return [end for end in self._inbox if end[0].owner == self.here]

    def _take_in(self) -> None:
        for end in self._own_ends():
            self._inbox.remove(end)
            self._finish(*end)

    def _call(self, call: Call) -> None:
        if call.asked or call.task.cancelled:
            self.open.remove(call)
            self._inbox.append((call, Ended(None, self.now(call.task), "cancelled", None)))
            return
        call.called, call.started = True, self.now(call.task)
        if call.task.ways.timeout is not None:
            self._set_timer(call, call.task.ways.timeout)

    def _set_timer(self, call: Call, after: int) -> None:
        self._timers += not self.one_time  # where it is in a file, no order of timers is kept besides their times
        call.timer = self.steady + after, self._timers

    def _ring(self, call: Call) -> None:
        if call.timer is None:
            return
        call.timer = None
        if call.phase == "resting":
            call.attempt, call.asked, call.called, call.started = call.attempt + 1, False, False, None
            self._begin(call)
            return
        over = Ended(call.started, self.now(call.task), "timed_out", "TimeoutError")
        delay = call.delay(over)
        call.phase, call.asked = "lingering", True
        if delay is None:
            self._record(call, over)
        else:
            call.earlier.append(over)

    def _finish(self, call: Call, ended: Ended) -> None:
        if call.phase == "going":
            call.timer = None
            delay = call.delay(ended)
            if delay is None:
                self._record(call, ended)
            else:
                call.earlier.append(ended)
                self._rest(call, delay)
        elif not call.recorded:  # it timed out, and another attempt is to come
            call.asked = False
            self._rest(call, call.delay(call.earlier[-1]) or 0)
        elif call.cause == "schedule":
            call.task.lingering -= 1
            self._go_on(call.task, self.now(call.task))
        elif call.cause == "backfill":
            self._next_of_backfill(call)

    def _rest(self, call: Call, delay: int) -> None:
        call.phase = "resting"
        self._set_timer(call, delay)

    def _ask(self, call: Call) -> None:
        if call.recorded:
            return
        call.asked = True
        if call.phase != "going":
            self._record(call, Ended(None, self.now(call.task), "cancelled", None))

    def _record(self, call: Call, ended: Ended) -> None:
        task = call.task
        call.recorded, call.timer = True, None
        task.calls.remove(call)
        task.write(RunLine(call.at, call.cause, (*call.earlier, ended), call.ahead, call.moved))
        if call.cause == "schedule":
            task.running -= 1
            task.lingering += call.phase == "lingering"
            failed = task.life.occurrences.from_end == 0 and ended.outcome != "succeeded"
            task.failures = task.failures + 1 if failed else 0
            self._go_on(task, ended.finished)
            task.check_end()
        elif call.cause == "backfill" and call.phase != "lingering":
            self._next_of_backfill(call)

    def _next_of_backfill(self, call: Call) -> None:
        backfill = call.task.backfill
        current = backfill[0] is call
        backfill.remove(call)
        if current and backfill:
            self._begin(backfill[0])

    # ---- one task --------------------------------------------------------------------------------------------

    def _decide(self, task: Task, due: list[int]) -> None:
        """Say what happens to all that is due."""
        ways, now = task.ways, self.now(task)
        if task.life.occurrences.from_end is not None:  # nothing is missed, and runs never overlap
            if task.running or task.lingering or task.waiting:  # of the schedule before
                task.forget()
            else:
                task.cover(due)
                self._start(task, due[0], task.life)
            return
        wanted = due[-1:]
        if ways.missed == "skip":
            wanted = [at for at in wanted if now - at <= ways.grace]
        elif ways.missed == "catch_up":
            wanted = [at for at in due if now - at <= ways.window][-ways.limit :]
        missed = due[: len(due) - len(wanted)]
        task.cover(missed)
        task.passes("missed", missed)
        if wanted:
            self._admit(task, wanted)

    def _admit(self, task: Task, wanted: list[int]) -> None:
        if len(wanted) == 1 and not task.late:
            task.cover(wanted)
            self._overlap(task, wanted[0])
            return
        surplus: list[int] = []
        for at in wanted[: task.places()]:  # what takes none of the places left is looked at again, in the next turn
            task.cover([at])
            if len(task.waiting) < task.ways.limit:
                task.waiting.append((at, task.life))
                task.late = True
            else:
                surplus.append(at)
        task.passes("skipped_overlap", surplus)
        self._go_on(task)

    def _overlap(self, task: Task, at: int) -> None:
        overlap, going = task.ways.overlap, task.running + task.lingering
        most_waiting = {"queue_one": 1, "queue_all": MOST_QUEUED}.get(overlap, 0)
        most_going = task.ways.max_running if overlap == "allow" else 1
        if not task.waiting and going < most_going:
            self._start(task, at, task.life)
        elif overlap == "cancel_running":
            self._supersede(task, at)
        elif len(task.waiting) < most_waiting or task.life.occurrences.once:  # which has no other occurrence
            task.waiting.append((at, task.life))
        else:
            task.passes("skipped_overlap", [at])

    def _supersede(self, task: Task, at: int) -> None:
        superseded, task.waiting = task.waiting, [(at, task.life)]
        for old, life in superseded:
            task.passes("skipped_overlap", [old], life)
        for call in list(task.calls):
            if call.cause == "schedule":
                self._ask(call)

    def _go_on(self, task: Task, ended: int | None = None) -> None:
        if ended is not None and task.life.occurrences.from_end is not None:
            task.goes_on(ended)
        if task.waiting and not task.paused and not task.running and not task.lingering:
            at, life = task.waiting.pop(0)
            task.late = task.late and bool(task.waiting)
            self._start(task, at, life)

    def _start(self, task: Task, at: int, life: Life) -> None:
        life.handed += 1
        task.running += 1
        call = Call(task, at, "schedule", task.shift(), life.moved)
        task.calls.append(call)
        self._starts.append(call)
