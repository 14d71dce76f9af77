"""What an operator does with the inbox: see what providers sent, process it again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import psycopg
from psycopg.rows import class_row

STATUSES = ("kept", "processed", "ignored", "failed")


@dataclass(frozen=True, slots=True)
class KeptEvent:
    """One event of a provider, as `guildhall webhooks list` shows it."""

    id: int
    provider: str
    event_id: str
    kind: str
    status: str
    note: str | None
    received_at: datetime


def list_events(db_url: str, status: str | None, provider: str | None) -> list[KeptEvent]:
    """Newest first, a hundred at most."""
    with psycopg.connect(db_url) as db, db.cursor(row_factory=class_row(KeptEvent)) as cursor:
        return cursor.execute(
            "select id, provider, event_id, kind, status, note, received_at"
            " from private.webhook_events"
            " where status = coalesce(%s, status) and provider = coalesce(%s, provider)"
            " order by id desc limit 100",
            [status, provider],
        ).fetchall()


def replay_events(db_url: str, event_ids: Sequence[int] | None) -> int:
    """Process events again, all failed ones when none are named; how many there were."""
    with psycopg.connect(db_url) as db:
        done = db.execute(
            "select private.replay_event(id) from private.webhook_events"
            " where case when %(ids)s::bigint[] is null then status = 'failed'"
            "  else id = any (%(ids)s) end",
            {"ids": None if event_ids is None else list(event_ids)},
        )
        return done.rowcount
