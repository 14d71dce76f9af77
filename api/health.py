"""For probes and Prometheus: the process answers, the service can serve, the figures."""

import hmac
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import psycopg
from fastapi import APIRouter, Request, Response
from psycopg.rows import class_row
from pydantic import BaseModel

from api.context import FUNCTIONS
from api.envelope import Success
from api.errors import NotFound, NotReady, SignInRequired, documented
from api.metrics import Figure
from workers.core.db import Pool, one, transaction

router = APIRouter(tags=["operations"])

_MIGRATIONS = Path(__file__).parent.parent / "supabase" / "migrations"


class Health(BaseModel):
    """The process answers."""

    status: Literal["ok"] = "ok"


class Readiness(BaseModel):
    """What serving needs, and how the queue stands."""

    database: Literal["reachable"] = "reachable"
    latest_migration: str | None
    waiting_jobs: int
    workers: int


@dataclass(frozen=True, slots=True)
class _Found:
    latest_migration: str | None
    waiting_jobs: int
    workers: int


@router.get("/healthz", summary="Is the process alive")
async def healthz() -> Success[Health]:
    """Answers as long as the process does; touches nothing else."""
    return Success(data=Health())


@router.get("/readyz", summary="Can it serve", responses=documented(NotReady))
async def readyz(request: Request) -> Success[Readiness]:
    """The database is reachable, has the migrations that came with this code, and its queue.

    `waiting_jobs` is counted up to 10,000; `workers` were heard of within the last minute.
    """
    try:
        async with transaction(request.app.state.pool, timeout_ms=2000) as db:
            found = await one(db, _Found, "select * from private.readiness()", [])
    except (psycopg.errors.UndefinedFunction, psycopg.errors.InvalidSchemaName) as error:
        raise NotReady("Migrations are missing.", {"missing": "migrations"}) from error
    except psycopg.Error as error:
        raise NotReady("The database does not answer.", {"missing": "database"}) from error
    assert found is not None  # the function always answers a row
    needed = max((file.name.split("_")[0] for file in _MIGRATIONS.glob("*.sql")), default="")
    if found.latest_migration is not None and found.latest_migration < needed:
        raise NotReady("Migrations are missing.", {"missing": "migrations"})
    return Success(
        data=Readiness(
            latest_migration=found.latest_migration,
            waiting_jobs=found.waiting_jobs,
            workers=found.workers,
        )
    )


@router.get(
    "/metrics",
    summary="Figures for Prometheus",
    response_class=Response,
    responses=documented(SignInRequired),
)
async def metrics(request: Request) -> Response:
    """The text format of Prometheus. Asks for METRICS_TOKEN as bearer, if that is set.

    Never below `/functions/v1`, where the whole world may ask.
    """
    if request.scope.get("root_path", "").endswith(FUNCTIONS):
        raise NotFound("Not Found.")
    token = request.app.state.settings.metrics_token
    shown = request.headers.get("authorization", "")
    if token is not None and not hmac.compare_digest(
        shown.encode(), f"Bearer {token.get_secret_value()}".encode()
    ):
        raise SignInRequired("Show the metrics token.")
    return Response(
        request.app.state.metrics.render(
            request.app.state.pool, await _figures(request.app.state.pool)
        ),
        media_type="text/plain; version=0.0.4; charset=utf-8",
    )


async def _figures(pool: Pool) -> list[Figure] | None:
    try:
        async with transaction(pool, timeout_ms=3000) as db:
            cursor = db.cursor(row_factory=class_row(Figure))
            await cursor.execute("select name, labels, value from private.figures()")
            return await cursor.fetchall()
    except psycopg.Error:  # the process's own figures are worth having all the same
        return None
