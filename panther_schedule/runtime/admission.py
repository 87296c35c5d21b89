"""Takes tasks into a scheduler in memory: checks them, names them, and finds their first occurrences."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from ..errors import BusyLoopWarning, refuse
from ..models.policy import DEFAULT_POLICY, Policy
from ..models.schedules import ONCE, AnySchedule
from ..planning.due import begin
from ..planning.rule import Rule, rule_of, under
from ..planning.state import State
from ..tasks.checks import check_policy
from ..tasks.task import BackgroundTask
from .current import context_seen
from .entries import Entry
from .hosts import warn_of_copies
from .names import MemoryNames, equal
from .stores import Host, Intake


class Admission(Intake):
    """Takes tasks into one scheduler."""

    def __init__(self, names: MemoryNames, now: Callable[[bool], int], host: Host) -> None:
        self.names, self._now, self._host = names, now, host
        self._forget()

    def add(self, task: BackgroundTask[..., Any]) -> Entry:
        """Take in a task, unless it is there."""
        with self.names.lock:
            entry, is_new = self._entry(task)
            if is_new:
                self._host.post(entry)
            return entry

    def add_all(self, tasks: Sequence[BackgroundTask[..., Any]]) -> list[Entry]:
        """Take in all of these tasks or, if one is refused, none."""
        with self.names.lock:
            found = list[tuple[Entry, bool]]()
            try:
                for task in tasks:
                    found.append(self._entry(task))
            except BaseException:
                for entry, is_new in found:
                    if is_new:
                        self.names.free(entry)
                raise
            for entry, is_new in found:
                if is_new:
                    self._host.post(entry)
            return [entry for entry, _ in found]

    def replace(self, task: BackgroundTask[..., Any]) -> Entry:
        """Put a task in the place of the one that has its name."""
        with self.names.lock:
            while (entry := self.names.find(task._name)) is None:
                if (entry := self._new(task, stacklevel=5)) is not None:
                    self._host.post(entry)
                    return entry
            if equal(entry.task, task):
                return entry
            rule = self._rule(task)
            afresh = entry.task._schedule != task._schedule
            state = self._first_state(task, rule, entry.name) if afresh else None
            self._prepare(entry.name, task, rule, stacklevel=4)
            self.names.revive(entry)
            entry.task, entry.context = task, context_seen()
            wait = self._host.send(partial(self._host.engine.replace, entry, rule, state))
        wait()  # outside of the lock, which the loop may need
        return entry

    def reload(self) -> None:
        """Find the occurrences of all tasks by new time zone data."""
        with self.names.lock:
            self._forget()
            found = [(entry, self._rule(entry.task)) for entry in self.names if entry.rule.on_wall]
            wait = self._host.send(partial(self._host.engine.reload_zones, found))
        wait()

    def _forget(self) -> None:
        self._latest: tuple[AnySchedule, Policy, Rule] = ONCE, DEFAULT_POLICY, rule_of(ONCE)

    def _entry(self, task: BackgroundTask[..., Any]) -> tuple[Entry, bool]:
        """Return the entry of a task, and whether it is new; then it has the name."""
        while (entry := self.names.known(task)) is None:
            if (entry := self._new(task, stacklevel=6)) is not None:
                return entry, True
        return entry, False

    def _new(self, task: BackgroundTask[..., Any], *, stacklevel: int) -> Entry | None:
        """Give a new task its name; None when a signal handler, or a `__del__`, has just taken it."""
        rule = self._rule(task)
        name, order = self.names.next(task)
        entry = Entry(name, task, rule, self._first_state(task, rule, name), order, context_seen())
        if task._known.is_async or rule.busy:
            self._prepare(name, task, rule, stacklevel=stacklevel)
        if task._name is not None and self._host.in_real_time:
            warn_of_copies(name)
        return entry if self.names.take(entry) else None

    def _rule(self, task: BackgroundTask[..., Any]) -> Rule:
        schedule, policy, rule = self._latest
        if task._schedule is schedule and task._policy is policy:  # spares 0.8 us of 2.8, under a policy 3.5 of 5.4
            return rule
        schedule, policy = task._schedule, task._policy
        rule = rule_of(schedule)
        if policy is not DEFAULT_POLICY:
            check_policy(schedule, policy)
            rule = under(rule, policy, lambda: task._jitter_key)
            if rule.terms.key:  # this task's alone
                return rule
        self._latest = schedule, policy, rule
        return rule

    def _first_state(self, task: BackgroundTask[..., Any], rule: Rule, name: str) -> State:
        return first_state(task, rule, self._now(rule.on_wall), name)

    def _prepare(self, name: str, task: BackgroundTask[..., Any], rule: Rule, *, stacklevel: int) -> None:
        if rule.busy:
            warn_of_busy_loop(name, stacklevel=stacklevel + 1)
        if task._known.is_async:
            self._host.prepare_coroutines()


def first_state(task: BackgroundTask[..., Any], rule: Rule, now: int, name: str) -> State:
    """Return the state of a task that is added now; refuse one whose schedule has no occurrence."""
    state = begin(task._schedule, rule, now, name)
    if state is None:
        message = "the schedule never happens, got {got}; give it an occurrence after now"
        refuse("add_task", "no_occurrence", message, at=("schedule",), got=task.explain())
    return state


def warn_of_busy_loop(name: str, *, stacklevel: int) -> None:
    message = f"{name} repeats for ever without a wait and keeps a worker busy; give it interval_wait(...)"
    warnings.warn(message, BusyLoopWarning, stacklevel=stacklevel)
