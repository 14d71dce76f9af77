"""The api: FastAPI, one envelope for every answer."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from api import webhooks
from api.envelope import failure
from workers.core.db import make_pool
from workers.core.errors import GuildhallError
from workers.core.settings import settings


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with make_pool(settings()) as pool:
        app.state.pool = pool
        yield


app = FastAPI(title="Guildhall", lifespan=_lifespan)
app.include_router(webhooks.router)


@app.exception_handler(GuildhallError)
async def answer_error(request: Request, error: GuildhallError) -> JSONResponse:
    """A known error, in the envelope, with its status."""
    return failure(error)


@app.get("/healthz")
async def healthz() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}
