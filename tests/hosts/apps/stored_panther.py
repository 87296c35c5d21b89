import asyncio
from contextlib import AsyncExitStack

from panther import Panther
from panther.app import API
from panther.events import Event
from stored import scheduler, send_otp, tasks

from panther_schedule import BackgroundTask

running = AsyncExitStack()


@Event.startup
async def start() -> None:
    await running.enter_async_context(scheduler)
    scheduler.apply(tasks)


@Event.shutdown
async def stop() -> None:
    await running.aclose()


@API(methods=["POST"])
async def otp(name: str) -> None:
    task = BackgroundTask(send_otp, name=name)
    await asyncio.to_thread(scheduler.add_task, task)  # it waits for the file


app = Panther(__name__, configs=__name__, urls={"otp/<name>/": otp})
