"""For ``path("chat-login", include("prebind.django.chat_login_urls"))``: the URLs that the chat
server asks.
"""

from __future__ import annotations

from django.urls import re_path

from prebind.django.chat_login import chat_login

app_name = "prebind_chat_login"

# In the form of MongooseIM and ejabberd-contrib the question follows. Django warns of a `path` that
# begins with a slash.
urlpatterns = [re_path(r"^(?:/\w+)?$", chat_login, name="chat_login")]
