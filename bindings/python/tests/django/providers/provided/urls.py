"""A page, the three ways to sign in, and what the browser asks for a session."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.template import RequestContext, Template
from django.urls import include, path
from prebind.django import views

PAGE = Template("""{% load prebind %}
<!doctype html>
<title>A page with a chat</title>
{% if user.is_authenticated %}
  <h1>Hello, {{ user.get_username }}</h1>
  <p data-prebind-sign-in hidden><a href="{% url 'oidc_authentication_init' %}">Again</a></p>
{% else %}
  <a href="{% url 'oidc_authentication_init' %}">Sign in</a>
  <form method="post">
    {% csrf_token %}
    <button formaction="{% url 'openid_connect_login' 'example' %}">By django-allauth</button>
    <button formaction="{% url 'social:begin' 'oidc' %}">By social-auth-app-django</button>
  </form>
{% endif %}
{% prebind_converse %}
""")


def page(request: HttpRequest) -> HttpResponse:
    return HttpResponse(PAGE.render(RequestContext(request)))


urlpatterns = [
    path("", login_required(page), name="home"),
    path("login", page, name="login"),
    path("oidc/", include("mozilla_django_oidc.urls")),
    path("accounts/", include("allauth.urls")),
    path("social/", include("social_django.urls")),
    path("prebind", include("prebind.django.urls")),
    path("asession", views.asession),
]
