from flask import Flask
from tasks import hourly

from panther_schedule import BackgroundTask, background_tasks


def send_otp(name: str) -> None:
    print(f"otp for {name}")


app = Flask(__name__)
background_tasks.add_task(hourly)


@app.post("/otp/<name>")
def otp(name: str) -> dict[str, str]:
    background_tasks.add_task(BackgroundTask(send_otp, name=name))
    return {"sent to": name}
