"""What an operator does with the queue."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import class_row


@dataclass(frozen=True, slots=True)
class Job:
    """One job, as `guildhall jobs list` shows it."""

    id: int
    task: str
    attempts: int
    args: dict[str, Any]


def list_jobs(db_url: str, status: str) -> list[Job]:
    """Jobs of one status, newest first, a hundred at most."""
    with psycopg.connect(db_url) as db, db.cursor(row_factory=class_row(Job)) as cursor:
        cursor.execute(
            "select id, task_name as task, attempts, args from procrastinate.procrastinate_jobs"
            " where status::text = %s order by id desc limit 100",
            [status],
        )
        return cursor.fetchall()


def retry_jobs(db_url: str, job_ids: Sequence[int] | None) -> int:
    """Queue failed jobs again, all of them when none are named; how many there were."""
    with psycopg.connect(db_url) as db:
        done = db.execute(
            "select procrastinate.procrastinate_retry_job_v2(id, now(), null, null, null)"
            " from private.failed_jobs where %(ids)s::bigint[] is null or id = any (%(ids)s)",
            {"ids": None if job_ids is None else list(job_ids)},
        )
        return done.rowcount
