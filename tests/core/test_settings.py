"""Settings: every field explained, wrong ones refused by name, secrets never shown."""

import pytest

from workers.core.settings import Settings, SettingsError, example, read_settings

SECRETS = {
    "DATABASE_URL": "postgresql://postgres:hidden-password@127.0.0.1/postgres",
    "SUPABASE_JWT_SECRET": "hidden-jwt-secret-of-at-least-32-characters",
    "REDIS_URL": "redis://:hidden-redis@127.0.0.1/0",
    "METRICS_TOKEN": "hidden-metrics-token",
    "STRIPE_WEBHOOK_SECRETS": '["whsec_hidden_one", "whsec_hidden_two"]',
}


@pytest.fixture
def environment(monkeypatch):
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("DATABASE_URL", SECRETS["DATABASE_URL"])
    return monkeypatch


def test_every_field_says_why(pytestconfig):
    for name, field in Settings.model_fields.items():
        assert field.description, name
        assert len(field.description) <= 100, name
        assert field.description.endswith("."), name
    assert (pytestconfig.rootpath / ".env.example").read_text() == example()


def test_the_example_is_accepted(environment, tmp_path):
    """As it is, and with every line taken in."""
    environment.delenv("DATABASE_URL")
    file = tmp_path / ".env"
    file.write_text(example())
    assert read_settings(file).database_pool_size == 5
    lines = [line.removeprefix("# ") if "=" in line else line for line in example().splitlines()]
    file.write_text("\n".join(lines))
    assert read_settings(file).trusted_proxies


def test_secrets_are_not_shown(environment):
    for name, value in SECRETS.items():
        environment.setenv(name, value)
    known = read_settings(None)
    for shown in (repr(known), str(known), str(known.model_dump()), known.model_dump_json()):
        assert "hidden" not in shown
    assert len(known.secrets()) == 6


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_POOL_SIZE", "hidden-many"),
        ("DATABASE_POOL_SIZE", "0"),
        ("SUPABASE_URL", "hidden-no-url"),
        ("SUPABASE_JWT_SECRET", "hidden-short"),
        ("TRUSTED_PROXIES", '["hidden"]'),
        ("TRUSTED_PROXIES", "hidden"),
        ("STRIPE_WEBHOOK_SECRETS", "whsec_hidden"),
        ("LOG_LEVEL", "hidden-loud"),
        ("API_TIMEOUT_SECONDS", "-1"),
    ],
)
def test_a_bad_value_is_refused_by_name(environment, name, value):
    environment.setenv(name, value)
    with pytest.raises(SettingsError, match=name) as refused:
        read_settings(None)
    assert "hidden" not in str(refused.value)


def test_a_missing_one_is_named(environment):
    environment.delenv("DATABASE_URL")
    with pytest.raises(SettingsError, match="DATABASE_URL: Field required"):
        read_settings(None)


def test_a_misspelt_one_is_named(environment, tmp_path):
    file = tmp_path / ".env"
    file.write_text("STRIPE_WEBHOOK_SECRET=whsec_hidden\nSUPABASE_AUTH_SMTP_PASS=of-the-cli\n")
    with pytest.raises(SettingsError, match="STRIPE_WEBHOOK_SECRET is no setting"):
        read_settings(file)
    file.write_text("SUPABASE_AUTH_SMTP_PASS=of-the-cli\nLOG_LEVEL=DEBUG\n")
    assert read_settings(file).log_level == "DEBUG"
