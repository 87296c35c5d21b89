from datetime import timedelta

from panther_schedule import BackgroundTask, background_tasks


async def fetch(page: int) -> None:
    print(f"page {page}")


pages = BackgroundTask(fetch, 1).interval(3)
handle = background_tasks.add_task(pages.interval_wait(timedelta(seconds=0.1)))
await handle.wait()
