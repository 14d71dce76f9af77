"""supabase/config.toml: what the environment does not switch on is off, and nothing is broken."""

import re
import tomllib

import pytest

from stack.core.config import load_config

SWITCHES = ("SMTP", "EXTERNAL_GOOGLE", "EXTERNAL_GITHUB", "EXTERNAL_X", "EXTERNAL_TWITTER")


@pytest.fixture
def supabase(pytestconfig):
    return pytestconfig.rootpath / "supabase"


@pytest.fixture
def written(supabase):
    return tomllib.loads((supabase / "config.toml").read_text())


@pytest.fixture
def defaults(supabase):
    lines = (supabase / ".env.development").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if not line.startswith("#"))


def test_every_switch_has_a_default_for_the_official_cli(supabase, defaults):
    """It refuses a switch that is neither true nor false."""
    text = (supabase / "config.toml").read_text()
    switches = set(re.findall(r'^enabled = "env\((\w+)\)"', text, re.M))
    assert switches == {f"SUPABASE_AUTH_{name}_ENABLED" for name in SWITCHES}
    assert {defaults[name] for name in switches} == {"false"}


def test_defaults_hold_no_secret(defaults):
    assert set(defaults) == {
        "SUPABASE_AUTH_SITE_URL",
        *(f"SUPABASE_AUTH_{name}_ENABLED" for name in SWITCHES),
    }


def test_nothing_set_is_nothing_on(pytestconfig, tmp_path, monkeypatch):
    for name in SWITCHES:
        monkeypatch.delenv(f"SUPABASE_AUTH_{name}_ENABLED", raising=False)
    config = load_config(pytestconfig.rootpath, tmp_path, api_port=0, db_port=0)
    assert not config.section("auth", "email", "smtp")["enabled"]
    for name in ("google", "github", "x", "twitter"):
        assert not config.section("auth", "external", name)["enabled"]


def test_hooks_are_functions_that_auth_may_call(written, db):
    for hook in written["auth"]["hook"].values():
        function = hook["uri"].removeprefix("pg-functions://postgres/").replace("/", ".")
        allowed = db.execute(
            "select has_function_privilege('supabase_auth_admin', %s::regproc, 'EXECUTE')",
            [function],
        ).fetchone()
        assert allowed == (True,), function


def test_buckets_are_those_of_the_migrations(written, db):
    made = db.execute(
        "select id, public, file_size_limit, allowed_mime_types from storage.buckets"
    ).fetchall()
    told = [
        (
            name,
            bucket["public"],
            int(bucket["file_size_limit"].removesuffix("MiB")) * 1024 * 1024,
            bucket["allowed_mime_types"],
        )
        for name, bucket in written["storage"]["buckets"].items()
    ]
    assert made == told
