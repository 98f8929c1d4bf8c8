"""The people of the example, with their passwords for the site."""

from django.contrib.auth.hashers import make_password
from django.db import migrations

from website.environment import PEOPLE


def create(apps, schema_editor):
    user = apps.get_model("auth", "User")
    for name, person in PEOPLE.items():
        user.objects.create(username=name, password=make_password(person["password"]))


class Migration(migrations.Migration):
    dependencies = [("auth", "0012_alter_user_first_name_max_length")]
    operations = [migrations.RunPython(create)]
