from fastapi import FastAPI

from panther_schedule import BackgroundTask, background_tasks


async def send_otp(name: str) -> None:
    print(f"otp for {name}")


app = FastAPI(lifespan=background_tasks.lifespan)


@app.post("/otp/{name}")
async def otp(name: str) -> None:
    background_tasks.add_task(BackgroundTask(send_otp, name=name))
