"""Where a browser may be sent, and how a URL carries news back to its application."""

import dataclasses

import pytest

from stack.auth.errors import forbidden
from stack.auth.redirects import is_allowed, with_error, with_fragment, with_query
from stack.auth.settings import AuthSettings
from stack.core.config import load_config


@pytest.fixture
def settings(tmp_path):
    read = AuthSettings.read(load_config(tmp_path, tmp_path / "stack", api_port=1, db_port=1))

    def make(site="https://shop.example.com", *patterns):
        return dataclasses.replace(read, site_url=site, additional_redirect_urls=patterns)

    return make


@pytest.mark.parametrize(
    ("pattern", "url", "expected"),
    [
        ("https://app.example.com/in", "https://app.example.com/in", True),
        ("https://app.example.com/in", "https://app.example.com/in#any", True),
        ("https://app.example.com/in", "https://app.example.com/in?a=1", False),
        ("https://app.example.com/in", "https://app.example.com/out", False),
        ("https://app.example.com/*", "https://app.example.com/in", True),
        ("https://app.example.com/*", "https://app.example.com/in/deep", False),
        ("https://app.example.com/**", "https://app.example.com/in/deep?a=b.c", True),
        ("https://*.example.com/in", "https://a.example.com/in", True),
        ("https://*.example.com/in", "https://a.b.example.com/in", False),
        ("https://*.example.com/**", "https://evil.org?.example.com/", False),
        ("https://*.example.com/**", "https://evil.org/.example.com/", False),
        ("https://*.example.com/**", "https://evil.org#.example.com/", False),
        ("https://**.example.com/**", "https://evil.org/x.example.com/", False),
        ("https://**.example.com/**", "https://a.b.example.com/x", True),
        ("https://app-?.example.com/", "https://app-1.example.com/", True),
        ("https://app-[0-9].example.com/", "https://app-1.example.com/", True),
        ("https://app-[!0-9].example.com/", "https://app-1.example.com/", False),
        ("https://{one,two}.example.com/", "https://two.example.com/", True),
        ("exampleapp://callback", "exampleapp://callback", True),
        ("exampleapp://**", "otherapp://callback", False),
        ("**", "javascript:alert(1)", False),
        ("**", "data:text/html,x", False),
        ("**", "https://user@evil.org/", False),
        ("**", "https://evil.org\\@x/", False),
        ("**", "https://10.0.0.1/", False),
        ("**", "https://2130706433/", False),
        ("**", "https://0x7f000001/", False),
        ("**", "https://[::ffff:10.0.0.1]/", False),
        ("**", "http://127.0.0.1:9999/", True),
        ("**", "https://a b.example.com/", False),
        ("**", "", False),
        ("https://app.example.com/(a+)+$", "https://app.example.com/(a+)+$", True),
    ],
)
def test_patterns(settings, pattern, url, expected):
    assert is_allowed(settings("https://shop.example.com", pattern), url) is expected


@pytest.mark.parametrize(
    ("site", "url", "expected"),
    [
        ("https://shop.example.com", "https://shop.example.com/any/path?q=1", True),
        ("https://shop.example.com", "https://SHOP.example.com/", True),
        ("https://shop.example.com", "http://shop.example.com/", False),
        ("https://shop.example.com", "https://shop.example.com:8443/", False),
        ("https://shop.example.com", "https://shop.example.com.evil.org/", False),
        ("https://shop.example.com", "//shop.example.com/", False),
        ("http://127.0.0.1:3000", "http://127.0.0.1:5173/in", True),
        ("http://localhost:3000", "http://localhost:5173/in", True),
        ("http://localhost:3000", "http://localhost@evil.org/", False),
    ],
)
def test_the_site_itself(settings, site, url, expected):
    assert is_allowed(settings(site), url) is expected


def test_urls_keep_what_they_had():
    assert with_query("app:///in?a=1&code=old#x", {"code": "new"}) == "app:///in?a=1&code=new#x"
    assert with_fragment("https://a.example/in#old", "new") == "https://a.example/in#new"
    error = forbidden("otp_expired", "It's over & out")
    assert with_error("https://a.example/?x=1", error, in_query=False) == (
        "https://a.example/?x=1#error=access_denied&error_code=otp_expired"
        "&error_description=It%27s+over+%26+out"
    )
