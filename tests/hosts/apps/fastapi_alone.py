from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from tasks import hourly

from panther_schedule import background_tasks


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with background_tasks.lifespan(app):
        background_tasks.add_task(hourly)
        yield


app = FastAPI(lifespan=lifespan)
