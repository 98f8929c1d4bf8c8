"""A chat for the users of a Django site, logged in as the page loads.

Put ``"prebind.django"`` in ``INSTALLED_APPS``, fill the setting ``PREBIND``, include
``prebind.django.urls`` and write ``{% prebind_converse %}`` in a template; ``django.md`` in the
source tree has the five-minute recipe. ``manage.py check`` says what is wrong, ``manage.py prebind
doctor USER`` tries it.

- :mod:`~prebind.django.conf`: every setting and every default
- :mod:`~prebind.django.users`: the user's JID
- :mod:`~prebind.django.credentials`: what proves it to the chat server
- :mod:`~prebind.django.providers`: users who sign in by an identity provider
- :mod:`~prebind.django.views`: what the browser asks, sync and async
"""
