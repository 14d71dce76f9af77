"""The sandbox: one local app that plays the providers. Never used by the product itself."""

from typing import Any

from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse

from sandbox import (
    coinbase,
    control,
    page,
    paypal,
    paypal_authority,
    paypal_control,
    razorpay,
    stripe,
)
from sandbox.core import CallFaults, World
from sandbox.settings import SandboxSettings

PROVIDERS = ("stripe", "razorpay", "paypal", "coinbase")


def create_app(known: SandboxSettings) -> FastAPI:
    """All providers, each in a world of its own, below a path of its name."""
    app = FastAPI(title="Guildhall's provider sandbox")
    app.state.settings = known
    app.state.worlds = {name: World(name) for name in PROVIDERS}
    app.include_router(stripe.router)
    app.include_router(razorpay.router)
    app.include_router(paypal.router)
    app.include_router(paypal_control.router)
    app.include_router(coinbase.router)
    app.include_router(control.router)
    app.include_router(page.router)
    app.add_exception_handler(HTTPException, answer_as_provider)  # type: ignore[arg-type]
    app.add_api_route("/healthz", healthz)
    app.add_middleware(CallFaults, worlds=lambda: app.state.worlds)
    if known.paypal_root_file is not None:
        paypal_authority.write_root(known.paypal_root_file)
    return app


async def answer_as_provider(request: Request, error: HTTPException) -> JSONResponse:
    """A provider's own error body, bare."""
    return JSONResponse(error.detail, error.status_code, error.headers)


async def healthz() -> dict[str, Any]:
    """The process answers."""
    return {"status": "ok"}


app = create_app(SandboxSettings())
