from flask import Flask
from stored import scheduler, send_otp, tasks

from panther_schedule import BackgroundTask

app = Flask(__name__)
scheduler.apply(tasks)


@app.post("/otp/<name>")
def otp(name: str) -> dict[str, str]:
    scheduler.add_task(BackgroundTask(send_otp, name=name))
    return {"sent to": name}
