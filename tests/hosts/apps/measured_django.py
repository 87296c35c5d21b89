"""What is measured, in the `ready()` of a Django app: `python measured_django.py runserver`."""

import sys

from django.apps import AppConfig
from django.conf import settings
from django.core.management import execute_from_command_line


class Measured(AppConfig):
    name = "measured_django"

    def ready(self) -> None:
        from measured import add_ticks

        add_ticks()


urlpatterns: list[object] = []

if __name__ == "__main__":
    apps = ["measured_django.Measured"]
    settings.configure(ROOT_URLCONF="measured_django", INSTALLED_APPS=apps, DEBUG=True)
    execute_from_command_line(sys.argv)
