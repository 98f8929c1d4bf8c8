"""The template tag."""

import json
import re
from html import unescape
from urllib.parse import parse_qs

import pytest
from django.contrib.auth.models import AnonymousUser
from django.template import Context, RequestContext, Template
from django.test import RequestFactory
from django.utils.functional import SimpleLazyObject

TEMPLATE = Template("{% load prebind %}{% prebind_converse %}")


@pytest.fixture
def render(alice):
    def render(user=alice, context=None, **attributes):
        request = RequestFactory().get("/")
        request.user = user
        for name, value in attributes.items():
            setattr(request, name, value)
        return TEMPLATE.render(RequestContext(request, context or {}))

    return render


def settings_of(html):
    [data] = re.findall(
        r'<script id="prebind-converse" type="application/json">(.*?)</script>', html
    )
    return json.loads(data)


def served_with(html):
    """What the page's script goes by."""
    [data] = re.findall(r'data-prebind="(.*?)"', html)
    return {name: value for name, [value] in parse_qs(unescape(data)).items()}


def test_everything_that_a_prebound_session_needs(render, servers):
    html = render()
    assert settings_of(html) == {
        "view_mode": "overlayed",
        "authentication": "prebind",
        "prebind_url": "/prebind",
        "bosh_service_url": servers["prosody"]["http_url"],
        "jid": "alice@localhost",
        "auto_login": True,
        "keepalive": True,
        "assets_path": "/elsewhere/",
    }
    assert '<link rel="stylesheet" href="/elsewhere/converse.min.css">' in html
    assert '<script type="module" src="/elsewhere/converse.min.js"></script>' in html
    assert '<script defer src="/static/prebind/chat.js" data-prebind=' in html


def test_the_script_knows_whose_page_it_is_and_which_addresses_are_right(render, servers):
    html = render()
    settings = settings_of(html)
    names = ("jid", "prebind_url", "bosh_service_url", "assets_path")
    assert served_with(html) == {name: settings[name] for name in names} | {
        "converse": "/elsewhere/converse.min.js"
    }
    assert served_with(render(AnonymousUser())) == {"prebind_url": "/prebind"}


def test_a_site_that_loads_its_client_itself(render, change):
    change(ASSETS="", CONVERSE={"assets_path": "/mine/"})
    html = render()
    assert "converse.min" not in html
    assert settings_of(html)["assets_path"] == served_with(html)["assets_path"] == "/mine/"
    change(ASSETS="", CONVERSE={})
    assert "assets_path" not in settings_of(render())


def test_no_password_in_the_page(render, alice):
    assert alice.xmpp_password not in render()


def test_settings_of_the_sites_own(render, change):
    change(
        CONVERSE={"view_mode": "embedded", "theme": "dracula", "jid": "eve@localhost"},
        BROWSER_URL="/http-bind",
    )
    settings = settings_of(render())
    assert settings["view_mode"] == "embedded"
    assert settings["theme"] == "dracula"
    assert settings["jid"] == "alice@localhost"
    assert settings["bosh_service_url"] == "/http-bind"


def test_no_setting_gets_out_of_its_element(render, change, alice):
    hostile = "</script><script>alert('&\"')</script><!--"
    alice.username = hostile
    change(CONVERSE={"nickname": hostile}, ASSETS='/"><script>alert(1)</script>/')
    html = render()
    assert settings_of(html)["nickname"] == hostile
    assert settings_of(html)["jid"].startswith("\\3c\\2fscript\\3e")
    [chat] = [tag for tag in re.findall("<script[^>]*>", html) if "prebind/chat.js" in tag]
    escaped = "/&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;/converse.min.js"
    assert re.findall("<script[^>]*>", html) == [
        '<script id="prebind-converse" type="application/json">',
        chat,
        f'<script type="module" src="{escaped}">',
    ]
    assert served_with(html)["jid"] == settings_of(html)["jid"]
    assert html.count("</script>") == 3
    assert "<!--" not in html


@pytest.mark.parametrize(
    "given",
    [
        {"context": {"csp_nonce": "abc"}},
        {"csp_nonce": "abc"},
        {"_csp_nonce": "abc"},
        {"csp_nonce": SimpleLazyObject(lambda: "abc")},
    ],
)
def test_the_nonce_of_the_page(render, given):
    html = render(**given)
    assert html.count('nonce="abc"') == 3
    assert '<script defer src="/static/prebind/chat.js" nonce="abc" data-prebind=' in html


def test_a_nonce_is_escaped(render):
    assert 'nonce="&quot;&gt;"' in render(csp_nonce='">')


def test_djangos_own_policy(client, alice, settings):
    csp = pytest.importorskip("django.utils.csp", reason="Django before 6.0 has none").CSP
    settings.MIDDLEWARE = [
        "django.middleware.csp.ContentSecurityPolicyMiddleware",
        *settings.MIDDLEWARE,
    ]
    settings.SECURE_CSP = {"script-src": [csp.NONCE]}
    client.force_login(alice)
    page = client.get("/")
    [nonce] = re.findall(r"script-src 'nonce-(.*?)'", page["Content-Security-Policy"])
    assert f'chat.js" nonce="{nonce}"' in page.content.decode()


@pytest.mark.parametrize("who", ["nobody", "no chat"])
def test_without_a_chat_the_last_one_is_cleared_away(render, change, who):
    change(USER_JID="sample.callables.no_chat")
    html = render(AnonymousUser()) if who == "nobody" else render()
    assert settings_of(html) is None
    assert "prebind/chat.js" in html
    assert "converse.min" not in html


@pytest.mark.parametrize(
    ("assets", "address"),
    [
        ("converse/", "/static/converse/"),
        ("/files/", "/files/"),
        ("https://files.example.org/14/", "https://files.example.org/14/"),
    ],
)
def test_where_converse_is(render, change, assets, address):
    change(ASSETS=assets)
    html = render()
    assert settings_of(html)["assets_path"] == address
    assert f'href="{address}converse.min.css"' in html


def test_a_template_without_request(caplog):
    assert TEMPLATE.render(Context()) == ""
    assert "the page has no chat" in caplog.text
