"""Reading objects and what is known of them: as caller, from public buckets, by signed URL."""

from starlette.responses import Response
from starlette.routing import Route

from stack.storage.access import SERVICE
from stack.storage.calls import Call, Parts, json_response, route
from stack.storage.errors import StorageError, no_such_bucket
from stack.storage.images import Transformation
from stack.storage.rendering import info, no_such_file, send_object, send_picture
from stack.storage.rows import StoredObject
from stack.storage.signing import Download

_GET = ["GET"]  # Starlette answers HEAD with the same endpoint


def routes(parts: Parts) -> list[Route]:
    return [
        route(parts, "/object/info/public/{bucket}/{key:path}", _GET, info_public),
        route(parts, "/object/info/authenticated/{bucket}/{key:path}", _GET, info_own),
        route(parts, "/object/info/sign/{bucket}/{key:path}", _GET, info_signed),
        route(parts, "/object/info/{bucket}/{key:path}", _GET, info_either),
        route(parts, "/object/public/{bucket}/{key:path}", _GET, read_public),
        route(parts, "/object/authenticated/{bucket}/{key:path}", _GET, read_own),
        route(parts, "/object/sign/{bucket}/{key:path}", _GET, read_signed),
        route(parts, "/object/{bucket}/{key:path}", _GET, read_either),
        route(parts, "/render/image/public/{bucket}/{key:path}", _GET, render_public),
        route(parts, "/render/image/authenticated/{bucket}/{key:path}", _GET, render_own),
        route(parts, "/render/image/sign/{bucket}/{key:path}", _GET, render_signed),
    ]


async def read_public(call: Call) -> Response:
    return await _send(call, await _public(call, "storage.object.get_public"))


async def read_own(call: Call) -> Response:
    return await _send(call, await _own(call, "storage.object.get_authenticated"))


async def read_either(call: Call) -> Response:
    return await _send(call, await _either(call, "storage.object.get_authenticated"))


async def read_signed(call: Call) -> Response:
    allowed, found = await _signed(call, "storage.object.get_signed")
    return await _send(call, found, expires_at=allowed.expires_at)


async def info_public(call: Call) -> Response:
    return json_response(info(await _public(call, "storage.object.info_public")))


async def info_own(call: Call) -> Response:
    return json_response(info(await _own(call, "storage.object.info_authenticated")))


async def info_either(call: Call) -> Response:
    return json_response(info(await _either(call, "storage.object.info_authenticated")))


async def info_signed(call: Call) -> Response:
    _, found = await _signed(call, "storage.object.get_signed")
    return json_response(info(found))


async def render_public(call: Call) -> Response:
    wanted = Transformation.read(call.query)
    return await _render(call, await _public(call, "storage.render.image_public"), wanted)


async def render_own(call: Call) -> Response:
    wanted = Transformation.read(call.query)
    return await _render(call, await _own(call, "storage.render.image_authenticated"), wanted)


async def render_signed(call: Call) -> Response:
    allowed, found = await _signed(call, "storage.render.image_sign")
    wanted = Transformation.parse(allowed.transformations or "")
    return await _render(call, found, wanted, expires_at=allowed.expires_at)


async def _public(call: Call, operation: str) -> StoredObject:
    found = await call.parts.objects.find_public(operation, call.bucket, call.key)
    if found is None:
        raise no_such_bucket()  # as upstream: a private bucket is not shown to exist
    return found


async def _own(call: Call, operation: str) -> StoredObject:
    return await call.parts.objects.find(call.caller(), operation, call.bucket, call.key)


async def _either(call: Call, operation: str) -> StoredObject:
    """Public buckets are open to whatever token comes; in others the policies decide."""
    found = await call.parts.objects.find_public(operation, call.bucket, call.key)
    return found if found is not None else await _own(call, operation)


async def _signed(call: Call, operation: str) -> tuple[Download, StoredObject]:
    allowed = call.parts.signer.verify_download(call.query.text("token"), call.bucket, call.key)
    return allowed, await call.parts.objects.find(SERVICE, operation, call.bucket, call.key)


async def _send(call: Call, found: StoredObject, expires_at: int | None = None) -> Response:
    return await send_object(
        call.parts.disk,
        found,
        call.headers,
        is_head=call.method == "HEAD",
        download=call.query.text("download") if "download" in call.query else None,
        expires_at=expires_at,
    )


async def _render(
    call: Call, found: StoredObject, wanted: Transformation, expires_at: int | None = None
) -> Response:
    parts = call.parts
    if not parts.settings.transforms_images:
        raise StorageError(
            409, "FeatureNotEnabled", "The feature image_transformation is not enabled"
        )
    if "image/svg" in str((found.metadata or {}).get("mimetype")):
        return await _send(call, found, expires_at)  # vectors are sent as they are
    download = call.query.text("download") if "download" in call.query else None
    try:
        picture = await parts.transformer.transform(
            parts.disk.path(found.version), wanted, call.headers.get("accept", "")
        )
    except FileNotFoundError as error:
        raise no_such_file() from error
    return send_picture(found, picture, wanted.segments(), download=download, expires_at=expires_at)
