"""The sandbox: one local app that plays the providers. Never used by the product itself."""

from typing import Any

from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse

from sandbox import stripe
from sandbox.settings import SandboxSettings

app = FastAPI(title="Guildhall's provider sandbox")
app.state.settings = SandboxSettings()
app.state.intents = {}
app.include_router(stripe.router)


@app.exception_handler(HTTPException)
async def answer_as_provider(request: Request, error: HTTPException) -> JSONResponse:
    """A provider's own error body, bare."""
    return JSONResponse(error.detail, error.status_code)


@app.get("/healthz")
async def healthz() -> dict[str, Any]:
    """The process answers."""
    return {"status": "ok"}
