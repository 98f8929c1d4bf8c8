"""For ``include("prebind.django.urls")``: the one URL that the browser asks."""

from __future__ import annotations

from django.urls import path

from prebind.django import views

app_name = "prebind"

urlpatterns = [path("", views.session, name="session")]
