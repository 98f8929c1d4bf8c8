"""For ``path("chat-login", include("prebind.django.chat_login_urls"))``: the URLs that the chat
server asks.
"""

from __future__ import annotations

from django.urls import path

from prebind.django.chat_login import chat_login

app_name = "prebind_chat_login"

urlpatterns = [
    path("", chat_login, name="chat_login"),
    # The questions of MongooseIM and of ejabberd-contrib.
    path("/<command>", chat_login, name="chat_login_command"),
]
