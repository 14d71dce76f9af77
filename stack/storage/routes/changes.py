"""Moving, copying and removing objects."""

from starlette.responses import Response
from starlette.routing import Route

from stack.storage.calls import Call, Parts, json_response, route
from stack.storage.errors import no_such_key
from stack.storage.objects import CopyChanges
from stack.storage.rows import Target
from stack.storage.uploads import decode_metadata, header_value


def routes(parts: Parts) -> list[Route]:
    return [
        route(parts, "/object/move", ["POST"], move),
        route(parts, "/object/copy", ["POST"], copy),
        route(parts, "/object/{bucket}", ["DELETE"], remove_many),
        route(parts, "/object/{bucket}/{key:path}", ["DELETE"], remove),
    ]


async def move(call: Call) -> Response:
    fields = await call.fields()
    bucket = fields.text("bucketId")
    caller = call.caller()
    target = Target(
        fields.optional_text("destinationBucket") or bucket,
        fields.text("destinationKey"),
        caller.user_id,
        is_upsert=False,
    )
    moved = await call.parts.objects.move(
        caller, "storage.object.move", (bucket, fields.text("sourceKey")), target
    )
    return json_response(
        {
            "message": "Successfully moved",
            "Id": str(moved.id),
            "Key": f"{moved.bucket_id}/{moved.name}",
        }
    )


async def copy(call: Call) -> Response:
    fields = await call.fields()
    bucket = fields.text("bucketId")
    caller = call.caller()
    target = Target(
        fields.optional_text("destinationBucket") or bucket,
        fields.text("destinationKey"),
        caller.user_id,
        is_upsert=call.is_upsert,
    )
    metadata = fields.table("metadata")
    mime_type, cache = metadata.optional_text("mimetype"), metadata.optional_text("cacheControl")
    changes = CopyChanges(
        keeps_metadata=fields.boolean("copyMetadata", default=True),
        mime_type=header_value("content-type", mime_type) if mime_type else None,
        cache_control=header_value("cache-control", cache) if cache else None,
        user_metadata=decode_metadata(call.headers.get("x-metadata")),
    )
    made = await call.parts.objects.copy(
        caller, "storage.object.copy", (bucket, fields.text("sourceKey")), target, changes
    )
    return json_response(
        {"Id": str(made.id), "Key": f"{made.bucket_id}/{made.name}"} | made.as_json()
    )


async def remove(call: Call) -> Response:
    gone = await call.parts.objects.remove(
        call.caller(), "storage.object.delete", call.bucket, [call.key]
    )
    if not gone:
        raise no_such_key()
    return json_response({"message": "Successfully deleted"})


async def remove_many(call: Call) -> Response:
    fields = await call.fields()
    gone = await call.parts.objects.remove(
        call.caller(), "storage.object.delete_many", call.bucket, fields.texts("prefixes")
    )
    return json_response([row.as_json() for row in gone])
