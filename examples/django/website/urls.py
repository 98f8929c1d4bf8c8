"""The URLs: a page, signing in and out, and what the browser asks for a chat session."""

from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import LoginView, LogoutView
from django.contrib.staticfiles.urls import staticfiles_urlpatterns
from django.urls import include, path
from django.views.generic import TemplateView

urlpatterns = [
    path("", login_required(TemplateView.as_view(template_name="page.html")), name="home"),
    path("login", LoginView.as_view(template_name="page.html"), name="login"),
    path("logout", LogoutView.as_view(), name="logout"),
    path("prebind", include("prebind.django.urls")),
    *staticfiles_urlpatterns(),
]
