"""What a client must know of a running stack: `.stack/env`."""

from stack.core.config import Config


def environment(config: Config) -> dict[str, str]:
    """Names and values, as `.stack/env` holds them. A service's port gives it a `<NAME>_URL`."""
    secrets = config.secrets
    return {
        "SUPABASE_URL": config.api_url,
        "SUPABASE_PUBLISHABLE_KEY": secrets.publishable_key,
        "SUPABASE_SECRET_KEY": secrets.secret_key,
        "SUPABASE_ANON_KEY": secrets.anon_jwt,
        "SUPABASE_SERVICE_ROLE_KEY": secrets.service_role_jwt,
        "SUPABASE_JWT_SECRET": secrets.jwt_secret,
        "DATABASE_URL": config.db_url(),
        **config.service_urls,
    }


def write_environment(config: Config) -> None:
    """Write `.stack/env`, readable by its owner only: it holds secret keys."""
    file = config.folder / "env"
    file.touch(mode=0o600)
    file.write_text("".join(f"{key}={value}\n" for key, value in environment(config).items()))
