"""The one shape of every answer: success, data, error, meta."""

from typing import Any, Generic, Literal, TypeVar

from fastapi.encoders import jsonable_encoder
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.types import Scope

from workers.core.errors import GuildhallError
from workers.core.log import current_request_id

T = TypeVar("T")


class Meta(BaseModel):
    """About the answer, not of it."""

    request_id: str | None = Field(
        default_factory=current_request_id,
        description="Also in the header X-Request-Id and the log.",
    )


class Success(BaseModel, Generic[T]):
    """What was asked for."""

    success: Literal[True] = True
    data: T
    error: None = None
    meta: Meta = Field(default_factory=Meta)


class Problem(BaseModel):
    """An error: `code` is stable, docs/errors.md lists them all."""

    code: str
    message: str
    details: Any = None


class Failure(BaseModel):
    """Why there is no answer."""

    success: Literal[False] = False
    data: None = None
    error: Problem
    meta: Meta = Field(default_factory=Meta)


def failure(error: GuildhallError, scope: Scope | None = None) -> JSONResponse:
    """An error's answer, with its HTTP status and headers."""
    body = Failure(
        error=Problem(
            code=error.code, message=error.message, details=jsonable_encoder(error.details)
        )
    )
    headers = error.headers | answer_headers(scope)
    if error.http_status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return JSONResponse(body.model_dump(), error.http_status, headers)


def answer_headers(scope: Scope | None) -> dict[str, str]:
    """Headers that the answer of this request will bear, whatever it is; add to them."""
    found: dict[str, str] = (scope or {}).setdefault("state", {}).setdefault("answer_headers", {})
    return found
