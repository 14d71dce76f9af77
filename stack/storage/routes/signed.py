"""Making signed URLs, for reading and for uploading. Their use is in downloads and uploads."""

from starlette.responses import Response
from starlette.routing import Route

from stack.storage.calls import Call, Parts, json_response, route
from stack.storage.images import Transformation
from stack.storage.names import check_bucket_name
from stack.storage.rows import Target
from stack.storage.settings import UPLOAD_URL_SECONDS

_UNKNOWN = "Either the object does not exist or you do not have access to it"


def routes(parts: Parts) -> list[Route]:
    return [
        route(parts, "/object/sign/{bucket}", ["POST"], sign_many),
        route(parts, "/object/sign/{bucket}/{key:path}", ["POST"], sign),
        route(parts, "/object/upload/sign/{bucket}/{key:path}", ["POST"], sign_upload),
    ]


async def sign(call: Call) -> Response:
    fields = await call.fields()
    seconds = fields.integer("expiresIn", minimum=1)
    transformations = None
    folder = "object"
    if fields.raw("transform"):
        wanted = Transformation.read(fields.table("transform"))
        transformations = wanted.segments(for_signing=True)
        folder = "render/image"
    await call.parts.objects.find(call.caller(), "storage.object.sign", call.bucket, call.key)
    token = call.parts.signer.sign_download(call.bucket, call.key, seconds, transformations)
    return json_response({"signedURL": f"/{folder}/sign/{call.bucket}/{call.key}?token={token}"})


async def sign_many(call: Call) -> Response:
    fields = await call.fields()
    seconds = fields.integer("expiresIn", minimum=1)
    keys = fields.texts("paths")
    check_bucket_name(call.bucket)
    known = await call.parts.objects.names_among(
        call.caller(), "storage.object.sign_many", call.bucket, keys
    )
    answers = []
    for key in keys:
        url = None
        if key in known:
            token = call.parts.signer.sign_download(call.bucket, key, seconds)
            url = f"/object/sign/{call.bucket}/{key}?token={token}"
        answers.append({"error": None if url else _UNKNOWN, "path": key, "signedURL": url})
    return json_response(answers)


async def sign_upload(call: Call) -> Response:
    caller = call.caller()
    target = Target(call.bucket, call.key, caller.user_id, call.is_upsert)
    await call.parts.buckets.known("storage.object.sign_upload_url", call.bucket)
    await call.parts.objects.check_writable(caller, "storage.object.sign_upload_url", target)
    token = call.parts.signer.sign_upload(
        call.bucket, call.key, UPLOAD_URL_SECONDS, owner=caller.user_id, is_upsert=call.is_upsert
    )
    url = f"/object/upload/sign/{call.bucket}/{call.key}?token={token}"
    return json_response({"url": url, "token": token})
