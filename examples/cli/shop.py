"""The functions of a shop, for the documents beside this file; see docs/command-line.md."""

from datetime import time

from panther_schedule import Daily, TaskRegistry

registry = TaskRegistry()


@registry.register
def send_digest(to: str) -> None:
    print("digest for", to)


@registry.register
async def refresh_prices() -> None:
    print("prices are fresh")


@registry.scheduled(Daily(time(3), tz="Europe/Paris"))
def clean_up() -> None:
    print("cleaned up")
