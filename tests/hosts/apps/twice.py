"""Enters the lifespan of an app twice, as two tests do that each have a `TestClient(app)`."""

import importlib
import sys
import threading
from typing import Any

from panther_schedule import BackgroundTask, background_tasks


async def say_where() -> None:
    ours = threading.current_thread().name.startswith("panther_schedule")
    print("on a loop of ours" if ours else "on the app's loop")


module, name, testing = sys.argv[1:]
app: Any = getattr(importlib.import_module(module), name)
for _ in range(2):
    with importlib.import_module(testing).TestClient(app):
        background_tasks.add_task(BackgroundTask(say_where)).join()
