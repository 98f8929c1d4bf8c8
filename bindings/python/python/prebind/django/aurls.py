"""For ``include("prebind.django.aurls")`` instead, on a site that runs under ASGI."""

from __future__ import annotations

from django.urls import path

from prebind.django import views

app_name = "prebind"

urlpatterns = [path("", views.asession, name="session")]
