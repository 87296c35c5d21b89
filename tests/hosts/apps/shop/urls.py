from django.http import HttpRequest, HttpResponse
from django.urls import path

from panther_schedule import BackgroundTask, background_tasks


def send_otp(name: str) -> None:
    print(f"otp for {name}")


def otp(request: HttpRequest, name: str) -> HttpResponse:
    background_tasks.add_task(BackgroundTask(send_otp, name=name))
    return HttpResponse("sent")


urlpatterns = [path("otp/<name>", otp)]
