"""Users who have a password for the chat, apart from the site's."""

from django.contrib.auth.models import AbstractUser
from django.db import models


class Person(AbstractUser):
    xmpp_password = models.CharField(max_length=100, blank=True)
    mentor = models.ForeignKey("self", null=True, on_delete=models.SET_NULL)

    class Meta:
        app_label = "sample"
