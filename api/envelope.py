"""The one shape of every answer: success, data, error, meta."""

from fastapi.responses import JSONResponse

from workers.core.errors import GuildhallError


def failure(error: GuildhallError) -> JSONResponse:
    """An error's answer, with its HTTP status."""
    return JSONResponse(
        {
            "success": False,
            "data": None,
            "error": {"code": error.code, "message": error.message, "details": error.details},
            "meta": {},
        },
        error.http_status,
    )
