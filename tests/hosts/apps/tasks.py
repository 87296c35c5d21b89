import logging
from datetime import timedelta

from panther_schedule import BackgroundTask, background_tasks


def send_digest() -> None:
    print("digest sent")


digest = BackgroundTask(send_digest).with_name("digest")
hourly = digest.interval(-1).interval_wait(timedelta(hours=1))

if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    background_tasks.add_task(hourly)
    background_tasks.run_forever()
