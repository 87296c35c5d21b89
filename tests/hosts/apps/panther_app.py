from contextlib import AsyncExitStack
from datetime import time, timedelta

from panther import Panther
from panther.app import API
from panther.events import Event

from panther_schedule import BackgroundTask, background_tasks

running = AsyncExitStack()


@Event.startup
async def start() -> None:
    await running.enter_async_context(background_tasks)


@Event.shutdown
async def stop() -> None:
    await running.aclose()


def send_otp(name: str) -> None:
    print(f"otp for {name}")


async def send_hello(name: str) -> None:
    print(f"hello {name}")


@API(methods=["POST"])
async def sign_up(name: str) -> None:
    otp = BackgroundTask(send_otp, name=name)
    hello = BackgroundTask(send_hello, name=name)
    background_tasks.add_task(otp)
    background_tasks.add_task(otp.interval(5))
    spaced = otp.interval(5).interval_wait(timedelta(minutes=5))
    background_tasks.add_task(spaced)
    daily = hello.interval(-1).on_time(time(hour=8, minute=0))
    background_tasks.add_task(daily)


app = Panther(__name__, configs=__name__, urls={"sign-up/<name>/": sign_up})
