"""`/bucket`: create, list, read, change, empty, delete."""

from starlette.responses import Response
from starlette.routing import Route

from stack.storage.buckets import SORTABLE, Page
from stack.storage.calls import Call, Parts, json_response, route
from stack.storage.errors import invalid_request, not_served
from stack.storage.fields import Fields
from stack.storage.listing import ORDERS


def routes(parts: Parts) -> list[Route]:
    return [
        route(parts, "/bucket", ["POST"], create),
        route(parts, "/bucket", ["GET"], list_all),
        route(parts, "/bucket/{bucket}", ["GET"], read),
        route(parts, "/bucket/{bucket}", ["PUT"], update),
        route(parts, "/bucket/{bucket}", ["DELETE"], delete),
        route(parts, "/bucket/{bucket}/empty", ["POST"], empty),
    ]


async def create(call: Call) -> Response:
    fields = await call.fields()
    name = fields.text("name")
    if fields.text("type", "STANDARD") != "STANDARD":
        raise not_served("Analytics buckets are")
    await call.parts.buckets.create(
        call.caller(),
        "storage.bucket.create",
        bucket_id=fields.optional_text("id") or name,
        name=name,
        is_public=fields.boolean("public", default=False),
        file_size_limit=_size(fields),
        allowed_mime_types=_mime_types(fields),
    )
    return json_response({"name": name})


async def list_all(call: Call) -> Response:
    query = call.query
    page = Page(
        limit=query.integer("limit", minimum=1) if "limit" in query else None,
        offset=query.integer("offset", 0),
        sort_column=query.choice("sortColumn", SORTABLE) if "sortColumn" in query else None,
        is_descending=query.choice("sortOrder", ORDERS, "asc") == "desc",
        search=query.text("search", ""),
    )
    found = await call.parts.buckets.all(call.caller(), "storage.bucket.list", page)
    return json_response([bucket.as_json() | {"type": bucket.type} for bucket in found])


async def read(call: Call) -> Response:
    bucket = await call.parts.buckets.find(call.caller(), "storage.bucket.get", call.bucket)
    return json_response(bucket.as_json())


async def update(call: Call) -> Response:
    fields = await call.fields()
    changes: dict[str, object] = {}
    if fields.raw("public") is not None:
        changes["public"] = fields.boolean("public", default=False)
    if "file_size_limit" in fields:
        changes["file_size_limit"] = _size(fields)
    if "allowed_mime_types" in fields:
        changes["allowed_mime_types"] = _mime_types(fields)
    await call.parts.buckets.update(call.caller(), "storage.bucket.update", call.bucket, changes)
    return json_response({"message": "Successfully updated"})


async def delete(call: Call) -> Response:
    await call.parts.buckets.delete(call.caller(), "storage.bucket.delete", call.bucket)
    return json_response({"message": "Successfully deleted"})


async def empty(call: Call) -> Response:
    await call.parts.buckets.empty(call.caller(), "storage.bucket.empty", call.bucket)
    # the upstream's words; here it has happened
    return json_response(
        {"message": "Empty bucket has been queued. Completion may take up to an hour."}
    )


def _size(fields: Fields) -> int | str | None:
    size = fields.raw("file_size_limit")
    if size is None:
        return None
    if isinstance(size, str) and not size.isdecimal():
        return size
    return fields.integer("file_size_limit")


def _mime_types(fields: Fields) -> list[str] | None:
    if fields.raw("allowed_mime_types") is None:
        return None
    types = fields.texts("allowed_mime_types", is_empty_allowed=True)
    if any("\x00" in mime_type for mime_type in types):
        raise invalid_request("body/allowed_mime_types must be MIME types")
    return [mime_type for mime_type in types if mime_type]
