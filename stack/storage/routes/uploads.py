"""Receiving objects: as their caller, or with a signed upload URL."""

from typing import Any

from starlette.responses import Response
from starlette.routing import Route

from stack.core.callers import Caller
from stack.storage.access import SERVICE
from stack.storage.calls import Call, Parts, json_response, route
from stack.storage.names import check_key, check_mime_type
from stack.storage.rows import Target
from stack.storage.uploads import Admission, is_folder_placeholder, receive


def routes(parts: Parts) -> list[Route]:
    return [
        route(parts, "/object/upload/sign/{bucket}/{key:path}", ["PUT"], use_signed),
        route(parts, "/object/{bucket}/{key:path}", ["POST"], create),
        route(parts, "/object/{bucket}/{key:path}", ["PUT"], replace),
    ]


async def create(call: Call) -> Response:
    caller = call.caller()
    target = Target(call.bucket, call.key, caller.user_id, call.is_upsert)
    return await _store(call, caller, "storage.object.upload", target)


async def replace(call: Call) -> Response:
    caller = call.caller()
    target = Target(call.bucket, call.key, caller.user_id, is_upsert=True)
    return await _store(call, caller, "storage.object.upload_update", target)


async def use_signed(call: Call) -> Response:
    allowed = call.parts.signer.verify_upload(call.query.text("token"), call.bucket, call.key)
    target = Target(call.bucket, call.key, allowed.owner, allowed.is_upsert)
    # whoever signed was allowed to write: the token is the right
    return await _store(call, SERVICE, "storage.object.upload_signed", target)


async def _store(call: Call, caller: Caller, operation: str, target: Target) -> Response:
    parts = call.parts
    check_key(target.key)
    bucket = await parts.buckets.known(operation, target.bucket)
    is_placeholder = is_folder_placeholder(target.key)

    async def admit(metadata: dict[str, Any]) -> None:
        if not is_placeholder:
            check_mime_type(metadata["mimetype"], bucket.allowed_mime_types)
        await parts.objects.check_writable(caller, operation, target, metadata)

    size = 0 if is_placeholder else parts.buckets.limit_of(bucket)
    async with parts.disk.receiving() as incoming:
        content = await receive(call.body, call.headers, incoming, Admission(size, admit))
        row_id, _ = await parts.objects.write(caller, operation, target, content)
    return json_response({"Id": str(row_id), "Key": f"{target.bucket}/{target.key}"})
