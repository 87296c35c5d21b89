"""What the table of docs/in-your-app.md measures: a named task of ten ticks, and two runs that SIGTERM finds active."""

import asyncio
import logging
import os
import sys
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from panther_schedule import BackgroundTask, Scheduler, TaskRegistry, background_tasks
from panther_schedule.sqlite import SQLiteStore

released = Path(os.environ["RELEASE"]).exists
registry = TaskRegistry()
file = os.environ.get("FILE")
scheduler = Scheduler(store=SQLiteStore(file), registry=registry) if file else background_tasks


def say(what: str) -> None:
    """Write a whole line at once, since others write too."""
    os.write(1, f"{what}\n".encode())


@registry.register
def tick() -> None:
    say(f"tick {os.getpid()}")


@registry.register
def work() -> None:
    say("began sync")
    while not released():
        time.sleep(0.02)
    say("ended sync")


@registry.register
async def work_async() -> None:
    say("began async")
    while not released():  # noqa: ASYNC110 - another process touches the file
        await asyncio.sleep(0.02)
    say("ended async")


def add_ticks() -> None:
    task = BackgroundTask(tick).interval(10).interval_wait(timedelta(milliseconds=100))
    scheduler.add_task(task.with_name("ticks"))
    say(f"added {os.getpid()}")


def begin_work() -> None:
    scheduler.add_tasks([BackgroundTask(work), BackgroundTask(work_async)])


@asynccontextmanager
async def lifespan(app: object) -> AsyncIterator[None]:
    async with scheduler.lifespan(app):
        add_ticks()
        yield


def asgi(lifespan: Any = lifespan) -> object:
    """An ASGI app whose lifespan is the scheduler's."""
    from starlette.applications import Starlette
    from starlette.responses import PlainTextResponse
    from starlette.routing import Route

    async def begin(_request: object) -> PlainTextResponse:
        begin_work()
        return PlainTextResponse("begun")

    return Starlette(routes=[Route("/begin", begin)], lifespan=lifespan)


def asgi_without_lifespan() -> object:
    """An ASGI app that adds its tasks at import and does not stop the scheduler."""
    add_ticks()
    return asgi(None)


def wsgi() -> object:
    """A WSGI app that adds its tasks at import."""

    def app(_environ: object, start: Any) -> Iterable[bytes]:
        begin_work()
        start("200 OK", [])
        return [b"begun"]

    add_ticks()
    return app


def flask() -> object:
    """The same in Flask."""
    from flask import Flask

    app = Flask(__name__)

    @app.get("/begin")
    def begin() -> str:
        begin_work()
        return "begun"

    add_ticks()
    return app


if __name__ == "__main__":  # a script that waits in join(), or in run_forever()
    logging.basicConfig(level=logging.INFO)
    add_ticks()
    begin_work()
    getattr(scheduler, sys.argv[1])()
