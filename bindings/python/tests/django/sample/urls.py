"""The chat's URL, sync and async, and a page."""

from django.http import HttpRequest, HttpResponse
from django.template import RequestContext, Template
from django.urls import include, path
from prebind.django import views

PAGE = Template("{% load prebind %}<h1>The page</h1>{% prebind_converse %}")


def page(request: HttpRequest) -> HttpResponse:
    return HttpResponse(PAGE.render(RequestContext(request)))


urlpatterns = [
    path("", page),
    path("prebind", include("prebind.django.urls")),
    path("asession", views.asession),
    path("chat-login", include("prebind.django.chat_login_urls")),
    path("hijack/", include("hijack.urls")),
    path("impersonate/", include("impersonate.urls")),
]
