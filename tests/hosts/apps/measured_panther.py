"""What is measured, in a Panther app."""

from contextlib import AsyncExitStack

from measured import begin_work, lifespan
from panther import Panther
from panther.app import API
from panther.events import Event

running = AsyncExitStack()


@Event.startup
async def start() -> None:
    await running.enter_async_context(lifespan(None))


@Event.shutdown
async def stop() -> None:
    await running.aclose()


@API(methods=["GET"])
async def begin() -> None:
    begin_work()


app = Panther(__name__, configs=__name__, urls={"begin/": begin})
