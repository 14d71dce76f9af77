"""`[auth]` of config.toml: the CLI's defaults, switches from the environment, clear refusals."""

import pytest

from stack.auth.settings import AuthSettings, seconds
from stack.core.config import load_config
from stack.core.errors import StackError


@pytest.fixture
def read(tmp_path):
    def settings(text=""):
        file = tmp_path / "supabase" / "config.toml"
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
        return AuthSettings.read(load_config(tmp_path, api_port=54321, db_port=1))

    return settings


def test_defaults_are_the_clis(read):
    settings = read()
    assert settings.issuer == "http://127.0.0.1:54321/auth/v1"
    assert settings.site_url == "http://127.0.0.1:3000"
    assert settings.jwt_expiry == 3600
    assert settings.enable_signup
    assert settings.email_enabled
    assert settings.enable_refresh_token_rotation
    assert settings.refresh_token_reuse_interval == 10
    assert not settings.enable_anonymous_sign_ins
    assert not settings.enable_confirmations
    assert settings.double_confirm_changes
    assert not settings.secure_password_change
    assert (settings.max_frequency, settings.otp_length, settings.otp_expiry) == (1, 6, 3600)
    assert (settings.smtp, settings.session_timebox, settings.hooks) == (None, None, {})
    assert settings.rate_limits.sign_in_sign_ups is None


@pytest.mark.parametrize(
    ("given", "expected"), [("true", True), ("false", False), ("", False), (None, False)]
)
def test_switches_come_from_the_environment(read, monkeypatch, given, expected):
    monkeypatch.delenv("A_SWITCH", raising=False)
    if given is not None:
        monkeypatch.setenv("A_SWITCH", given)
    settings = read(
        '[auth]\nenable_anonymous_sign_ins = "env(A_SWITCH)"\nsite_url = "env(NO_SITE)"\n'
        '[auth.email.smtp]\nenabled = "env(A_SWITCH)"\nhost = "mail.example.com"\n'
    )
    assert settings.enable_anonymous_sign_ins is expected
    assert (settings.smtp is not None) is expected
    assert settings.site_url == "http://127.0.0.1:3000"


@pytest.mark.parametrize(
    ("text", "expected"), [("1s", 1), ("1m30s", 90), ("24h", 86400), ("500ms", 0.5), ("0s", 0)]
)
def test_durations(text, expected):
    assert seconds("x", text) == expected


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[auth.email]\nmax_frequency = "soon"', "auth.email.max_frequency"),
        ('[auth]\npassword_requirements = "long"', "auth.password_requirements"),
        ('[auth.hook.send_email]\nenabled = true\nuri = "https://x"', "auth.hook.send_email"),
        (
            '[auth.hook.send_sms]\nenabled = true\nuri = "pg-functions://postgres/a/b"',
            "auth.hook.send_sms",
        ),
        ('[auth.email.template.invite]\ncontent_path = "./none.html"', "invite"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_named(read, text, told):
    with pytest.raises(StackError, match=told):
        read(text)


def test_template_files_are_read_from_the_project(read, tmp_path):
    (tmp_path / "supabase").mkdir()
    (tmp_path / "supabase" / "mine.html").write_text("<p>{{ .Token }}</p>")
    settings = read('[auth.email.template.recovery]\ncontent_path = "./supabase/mine.html"')
    assert settings.templates["recovery"].content == "<p>{{ .Token }}</p>"
