"""The api put together: one envelope for every answer, the same bounds for every request."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import APIRouter, FastAPI
from starlette.middleware.cors import CORSMiddleware

from api import accounts, billing, docs, errors, health, me, payments, webhooks
from api.context import FUNCTIONS, Bounds, RequestContext
from api.idempotency import REPLAYED
from api.inbox import Inbox
from api.limits import RateLimits
from api.metrics import Metrics
from api.tokens import TokenVerifier
from workers.billing.stripe import open_billing
from workers.core.db import make_pool
from workers.core.settings import Settings
from workers.payments.registry import open_providers

# the busiest first: routes are tried one after another
ROUTERS = (
    webhooks.router,
    me.router,
    payments.router,
    accounts.router,
    billing.router,
    health.router,
    docs.router,
)


def create_app(known: Settings, *more: APIRouter) -> FastAPI:
    """The application of these settings; `more` routers stand beside its own."""
    app = FastAPI(
        title="Guildhall",
        version="1",
        summary="Calls that need more than the database; all else is at the Data API.",
        description=(
            "Every answer is `{success, data, error, meta}`. Sign in with Supabase Auth and send"
            " the access token as bearer. A POST with an `Idempotency-Key` is carried out once."
        ),
        docs_url=None,
        redoc_url=None,
        lifespan=_lifespan,
        servers=[
            {"url": "/", "description": "The api itself"},
            {"url": FUNCTIONS, "description": "Through Supabase's gateway"},
        ],
        root_path_in_servers=False,
    )
    app.state.settings = known
    app.state.metrics = Metrics()
    for router in (*ROUTERS, *more):
        app.include_router(router)
    errors.install(app)
    # the last one added is the outermost
    app.add_middleware(
        Bounds, max_bytes=known.api_max_body_bytes, seconds=known.api_timeout_seconds
    )
    app.add_middleware(
        CORSMiddleware,
        allow_origins=known.cors_origins,
        allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
        allow_headers=["*"],
        expose_headers=[
            "X-Request-Id", "Retry-After", REPLAYED,
            "RateLimit-Limit", "RateLimit-Policy", "RateLimit-Remaining", "RateLimit-Reset",
        ],
        max_age=3600,
    )  # fmt: skip
    app.add_middleware(RequestContext, metrics=app.state.metrics)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    known: Settings = app.state.settings
    app.state.tokens = TokenVerifier(known)
    app.state.limits = RateLimits(known)
    async with (
        make_pool(known) as pool,
        open_providers(known) as providers,
        open_billing(known) as subscriptions,
    ):
        app.state.pool, app.state.providers, app.state.billing = pool, providers, subscriptions
        app.state.inbox = Inbox(pool)
        yield
    await app.state.limits.aclose()
    await app.state.tokens.aclose()
