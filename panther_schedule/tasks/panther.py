"""The methods of Panther 5 that have another form here: asking for one says which."""

from __future__ import annotations

from typing import Final, NoReturn

OF_TASKS: Final = {
    "every_seconds": "write .interval_wait(timedelta(seconds=...))",
    "every_minutes": "write .interval_wait(timedelta(minutes=...))",
    "every_hours": "write .interval_wait(timedelta(hours=...))",
    "every_days": "write .on_time(time(8, 0)), or .interval_wait(timedelta(days=...))",
    "every_weeks": 'write .with_schedule(Weekly("mon", time(8, 0)))',
    "at": "write .on_time(time(8, 0))",
    "on": 'write .with_schedule(Weekly("mon", time(8, 0)))',
    "submit": "write background_tasks.add_task(task)",
}
OF_SCHEDULERS: Final = {
    "initialize": "leave it out: the first add_task() starts the scheduler",
    "tasks": "write list(background_tasks)",
}


class _Elsewhere:
    def __init__(self, name: str, remedy: str) -> None:
        self._name, self._remedy = name, remedy

    def __get__(self, owned: object, owner: type) -> NoReturn:
        message = f"{owner.__name__} has no {self._name}, unlike Panther's; {self._remedy}"
        raise AttributeError(message, name=self._name, obj=owner if owned is None else owned)


def point_out(cls: type, remedies: dict[str, str]) -> None:
    """Let each of these names, which a class does not have, raise an AttributeError with its remedy.

    This is not `__getattr__`, which type checkers would believe, and which slows down every look for what is missing.
    """
    for name, remedy in remedies.items():
        setattr(cls, name, _Elsewhere(name, remedy))
