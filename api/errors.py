"""What the api refuses by itself, and how every error becomes an answer in the envelope."""

import logging
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import psycopg
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from api.envelope import Failure, failure
from workers.core.errors import GuildhallError, Internal, from_database

_logger = logging.getLogger("guildhall.api")


class MalformedBody(GuildhallError):
    """The body is no JSON, or no UTF-8."""

    code, http_status = "ops.malformed_body", 400


class SignInRequired(GuildhallError):
    """Nobody is signed in."""

    code, http_status = "ops.sign_in_required", 401


class InvalidToken(GuildhallError):
    """The bearer token proves nothing: expired, forged, or of another project."""

    code, http_status = "ops.invalid_token", 401


class KeyRefused(GuildhallError):
    """The api acts for people, never with the project's service key."""

    code, http_status = "ops.service_key_refused", 403


class NotFound(GuildhallError):
    """There is no such route."""

    code, http_status = "ops.not_found", 404


class MethodNotAllowed(GuildhallError):
    """The route has other methods; the header Allow lists them."""

    code, http_status = "ops.method_not_allowed", 405


class BodyTooLarge(GuildhallError):
    """More bytes than API_MAX_BODY_BYTES."""

    code, http_status = "ops.body_too_large", 413


class InvalidInput(GuildhallError):
    """Fields are missing or wrong; `details.fields` names each."""

    code, http_status = "ops.invalid_input", 422


class RateLimited(GuildhallError):
    """Too many requests: wait as long as Retry-After says."""

    code, http_status = "ops.rate_limited", 429


class Unanswerable(GuildhallError):
    """A refusal of HTTP itself that has no name of its own; the status says which."""

    code, http_status = "ops.bad_request", 400


class TokensUnverifiable(GuildhallError):
    """The project's keys are not configured, or Supabase Auth does not show them now."""

    code, http_status = "ops.tokens_unverifiable", 503


class NotReady(GuildhallError):
    """The process runs but cannot serve yet; `details` says what is missing."""

    code, http_status = "ops.not_ready", 503


_BY_STATUS: dict[int, type[GuildhallError]] = {
    known.http_status: known
    for known in (MalformedBody, SignInRequired, NotFound, MethodNotAllowed, BodyTooLarge)
}


def to_error(error: Exception) -> GuildhallError:
    """Any exception as what a client may be told of it."""
    match error:
        case GuildhallError():
            return error
        case RequestValidationError():
            return _invalid(error.errors())
        case HTTPException():
            kind = _BY_STATUS.get(error.status_code, Unanswerable)
            told = kind(HTTPStatus(error.status_code).phrase + ".", headers=error.headers)
            told.http_status = error.status_code
            return told
        case psycopg.Error():
            return from_database(error)
    return Internal("Something went wrong on our side.")


def log_unforeseen(error: Exception) -> None:
    """Tell the operators what the client is not told."""
    _logger.error("not foreseen", exc_info=error)


def install(app: FastAPI) -> None:
    """Answer known errors in the envelope; what is left ends in api/context.py."""

    async def answer(request: Request, error: Exception) -> JSONResponse:
        known = to_error(error)
        if isinstance(known, Internal):
            log_unforeseen(error)
        return failure(known, request.scope)

    for kind in (GuildhallError, RequestValidationError, HTTPException, psycopg.Error):
        app.add_exception_handler(kind, answer)


def documented(*kinds: type[GuildhallError]) -> dict[int | str, dict[str, Any]]:
    """What a route's OpenAPI entry says of these errors: an example for each, by status."""
    found: dict[int | str, dict[str, Any]] = {}
    for kind in kinds:
        meaning = (kind.__doc__ or "").strip()
        known = found.setdefault(
            kind.http_status,
            {
                "model": Failure,
                "description": HTTPStatus(kind.http_status).phrase,
                "content": {"application/json": {"examples": {}}},
            },
        )
        known["content"]["application/json"]["examples"][kind.code] = {
            "summary": meaning,
            "value": {
                "success": False,
                "data": None,
                "error": {"code": kind.code, "message": meaning, "details": None},
                "meta": {"request_id": "0f6b5c0a8e5d4b0f9c1d2e3f4a5b6c7d"},
            },
        }
    return found


def _invalid(errors: Sequence[Any]) -> GuildhallError:
    if any(one["type"] == "json_invalid" for one in errors):
        return MalformedBody("The body is no JSON.")
    fields = [
        {"field": ".".join(str(part) for part in one["loc"]), "message": one["msg"]}
        for one in errors
    ]
    names = ", ".join(one["field"] for one in fields)
    return InvalidInput(f"Not acceptable: {names}.", {"fields": fields})
