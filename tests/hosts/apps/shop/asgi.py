import os

from django.core.asgi import get_asgi_application
from starlette.applications import Starlette
from starlette.routing import Mount

from panther_schedule import background_tasks

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
site = Mount("/", get_asgi_application())
application = Starlette(routes=[site], lifespan=background_tasks.lifespan)
