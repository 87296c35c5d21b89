from typing import Any

from django.core.management.base import BaseCommand
from tasks import hourly

from panther_schedule import background_tasks


class Command(BaseCommand):
    help = "Run the scheduled tasks until SIGTERM or Ctrl+C."

    def handle(self, *_args: Any, **_options: Any) -> None:
        background_tasks.add_task(hourly)
        background_tasks.run_forever()
