"""`[auth.external.<name>]` of config.toml: which providers are on, and who we are there."""

from dataclasses import dataclass, field

from stack.core.config import Config

NAMES = ("github", "google", "twitter", "x")


@dataclass(frozen=True, slots=True)
class ProviderSettings:
    """One provider. `url` replaces its usual host, as a sandbox or GitHub Enterprise needs it.

    `client_ids`: ours first, then those of our mobile apps, whose ID tokens are accepted, too.
    """

    name: str
    is_enabled: bool
    client_ids: tuple[str, ...]
    secret: str = field(repr=False)
    url: str
    redirect_uri: str
    skip_nonce_check: bool
    email_optional: bool

    @property
    def client_id(self) -> str:
        return self.client_ids[0] if self.client_ids else ""

    def problem(self) -> str | None:
        """Why this provider cannot be used, in supabase/auth's words."""
        if not self.is_enabled:
            return "provider is not enabled"
        if not self.client_ids:
            return "missing OAuth client ID"
        if not self.secret:
            return "missing OAuth secret"
        return None


def read_settings(config: Config, callback_url: str) -> dict[str, ProviderSettings]:
    """The settings of every provider there is; those not named are off."""
    found: dict[str, ProviderSettings] = {}
    for name in NAMES:
        section = config.section("auth", "external", name)
        client_ids = str(section.get("client_id", "")).split(",")
        found[name] = ProviderSettings(
            name=name,
            is_enabled=bool(section.get("enabled", False)),
            client_ids=tuple(part.strip() for part in client_ids if part.strip()),
            secret=str(section.get("secret", "")),
            url=str(section.get("url", "")).rstrip("/"),
            redirect_uri=str(section.get("redirect_uri") or callback_url),
            skip_nonce_check=bool(section.get("skip_nonce_check", False)),
            email_optional=bool(section.get("email_optional", False)),
        )
    return found
