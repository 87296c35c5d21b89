from litestar import Litestar

from panther_schedule import background_tasks

app = Litestar(lifespan=[background_tasks.lifespan])
