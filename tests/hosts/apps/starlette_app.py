from starlette.applications import Starlette

from panther_schedule import background_tasks

app = Starlette(lifespan=background_tasks.lifespan)
