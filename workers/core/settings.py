"""Every setting of api and workers, with its unit and reason; read from the environment."""

from functools import lru_cache

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Each field is the environment variable of its name in upper case; secrets hide in `repr`."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore")

    database_url: SecretStr = Field(
        description="Postgres, as a role that may switch to guildhall_worker and authenticated."
    )
    database_pool_size: int = Field(
        default=5, ge=1, description="Connections per process; a small project allows 60 in all."
    )
    stripe_webhook_secrets: list[SecretStr] = Field(
        default=[],
        description="Signing secrets of the Stripe endpoint; two while one is being rolled.",
    )
    webhook_tolerance_seconds: int = Field(
        default=300, ge=1, description="Oldest signature that a webhook may bear, in seconds."
    )
    webhook_max_bytes: int = Field(
        default=1024 * 1024, ge=1024, description="Largest webhook body taken, in bytes."
    )
    worker_concurrency: int = Field(
        default=8, ge=1, description="Jobs that one worker process runs at the same time."
    )


@lru_cache
def settings() -> Settings:
    """The process's settings, read once. Errors: pydantic's ValidationError names the variable."""
    return Settings()  # type: ignore[call-arg]  # the environment gives them
