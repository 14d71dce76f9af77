"""Realtime's limits: config.toml's `[realtime]`, else those of a large hosted project."""

from dataclasses import dataclass, fields
from typing import Any

from stack.core.config import Config
from stack.core.errors import StackError


@dataclass(frozen=True, slots=True)
class RealtimeSettings:
    """Names are those of upstream's tenant settings. Source: Supabase docs, Realtime limits.

    Rates are means over a minute. `client_presence_window_ms`: the time in which one channel may
    send `max_client_presence_events_per_window` presence messages.
    """

    enabled: bool = True
    private_only: bool = False
    max_concurrent_users: int = 10_000
    max_channels_per_client: int = 100
    max_joins_per_second: int = 2_500
    max_events_per_second: int = 2_500
    max_presence_events_per_second: int = 1_000
    max_client_presence_events_per_window: int = 5
    client_presence_window_ms: int = 30_000
    max_payload_size_in_kb: int = 3_000
    idle_timeout_seconds: int = 60
    max_pending_kb_per_client: int = 8_000  # unsent, before a slow client is dropped

    @classmethod
    def of(cls, config: Config) -> "RealtimeSettings":
        """Read the section. Errors: StackError for a value of the wrong type."""
        section = config.section("realtime")
        known: dict[str, Any] = {}
        for field in fields(cls):
            if field.name not in section:
                continue
            value = section[field.name]
            if type(value) is not type(field.default):
                raise StackError(
                    f"[realtime] {field.name} in config.toml: {value!r} is no {field.type}"
                )
            known[field.name] = value
        return cls(**known)
