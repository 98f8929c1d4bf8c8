"""The page, and what the browser asks for a session: by the view that fits the server."""

import sys

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpResponse
from django.urls import path
from django.utils.decorators import sync_and_async_middleware
from prebind.django import views
from site_with_chat import ALICE


@sync_and_async_middleware
def sign_in(get_response):
    """Everybody is Alice."""
    if iscoroutinefunction(get_response):

        async def middleware(request):
            request.user = ALICE
            return await get_response(request)

        return markcoroutinefunction(middleware)

    def middleware(request):
        request.user = ALICE
        return get_response(request)

    return middleware


def page(_request):
    return HttpResponse("<h1>A page</h1>")


# The server that loads this is the one that serves it.
session = views.asession if "uvicorn" in sys.modules else views.session
urlpatterns = [path("page", page), path("prebind", session)]
