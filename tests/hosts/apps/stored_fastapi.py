from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from stored import scheduler, send_otp, tasks

from panther_schedule import BackgroundTask


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with scheduler.lifespan(app):
        scheduler.apply(tasks)
        yield


app = FastAPI(lifespan=lifespan)


@app.post("/otp/{name}")
def otp(name: str) -> None:  # not async: add_task() waits for the file
    scheduler.add_task(BackgroundTask(send_otp, name=name))
