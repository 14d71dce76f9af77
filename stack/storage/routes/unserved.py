"""What hosted has and the stack has not says so, instead of being unknown."""

from starlette.responses import Response
from starlette.routing import Route

from stack.storage.calls import Call, Endpoint, Parts, json_response, route
from stack.storage.errors import StorageError, not_served

_ANY = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]


def routes(parts: Parts) -> list[Route]:
    return [
        route(parts, "/s3", _ANY, _refusing("The S3 protocol is")),
        route(parts, "/s3/{rest:path}", _ANY, _refusing("The S3 protocol is")),
        route(parts, "/iceberg/{rest:path}", _ANY, _refusing("Analytics buckets are")),
        route(parts, "/vector/{rest:path}", _ANY, _refusing("Vector buckets are")),
        route(parts, "/bucket/{bucket}/lifecycle", _ANY, _refusing("Bucket lifecycles are")),
        route(parts, "/cdn/{rest:path}", ["DELETE"], purge),
        route(parts, "/status", ["GET"], status),
        route(parts, "/{rest:path}", _ANY, unknown),
    ]


def _refusing(feature: str) -> Endpoint:
    async def refuse(call: Call) -> Response:
        raise not_served(feature)

    return refuse


async def purge(call: Call) -> Response:
    """No cache lies before the stack: nothing has to be purged."""
    call.caller()
    return json_response({"message": "success"})


async def status(call: Call) -> Response:
    return Response(status_code=200)


async def unknown(call: Call) -> Response:
    path = call.request.url.path
    raise StorageError(
        404, "NotFound", f"Route {call.method}:{path} not found", error="Not Found", wire_status=404
    )
