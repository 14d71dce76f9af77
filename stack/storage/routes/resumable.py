"""`/upload/resumable`: uploads in pieces, by the tus protocol. Errors are plain text there.

Source: tus.io, resumable upload protocol 1.0.0, with the extensions creation,
creation-with-upload, creation-defer-length, expiration and termination.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from starlette.responses import Response
from starlette.routing import Route

from stack.core.callers import Caller
from stack.storage.access import SERVICE
from stack.storage.buckets import Bucket
from stack.storage.calls import Call, Endpoint, Parts, route
from stack.storage.errors import StorageError, invalid_request
from stack.storage.names import check_key, check_mime_type
from stack.storage.resumable import Resumable, Turn, decode_id, parse_metadata
from stack.storage.rows import Content, Target
from stack.storage.settings import MAX_METADATA_BYTES
from stack.storage.times import http_date
from stack.storage.uploads import header_value
from stack.storage.uploads import parse_metadata as parse_user_metadata

_VERSION = "1.0.0"
_EXTENSIONS = "creation,creation-with-upload,creation-defer-length,expiration,termination"
_UNKNOWN_TYPE = "application/octet-stream"
_OFFSET_TYPE = "application/offset+octet-stream"
_MAX_HEADER_NUMBER = 18  # digits


def routes(parts: Parts) -> list[Route]:
    found = []
    for base in ("/upload/resumable/sign", "/upload/resumable"):
        for path in (base, base + "/"):
            found.append(route(parts, path, ["POST"], _speaking(create)))
            found.append(route(parts, path, ["OPTIONS"], _speaking(describe)))
        for method, endpoint in (
            ("HEAD", tell),
            ("PATCH", append),
            ("DELETE", terminate),
            ("OPTIONS", describe),
        ):
            found.append(route(parts, base + "/{id}", [method], _speaking(endpoint)))
    return found


def _speaking(endpoint: Endpoint) -> Endpoint:
    """Answers in the protocol's manner: its version in the headers, errors as plain text."""

    async def answer(call: Call) -> Response:
        try:
            if call.method != "OPTIONS" and call.headers.get("tus-resumable") != _VERSION:
                raise StorageError(412, "TusError", "Tus-Resumable Required\n")
            response = await endpoint(call)
        except StorageError as error:
            response = Response(error.message, error.status, media_type="text/plain")
            if error.status == 412:
                response.headers["tus-version"] = _VERSION
            if not await call.body.drain(MAX_METADATA_BYTES):
                response.headers["connection"] = "close"
        response.headers["tus-resumable"] = _VERSION
        response.headers["cache-control"] = "no-store"
        return response

    return answer


async def describe(call: Call) -> Response:
    return Response(
        status_code=204,
        headers={
            "tus-version": _VERSION,
            "tus-extension": _EXTENSIONS,
            "tus-max-size": str(call.parts.settings.file_size_limit),
        },
    )


async def create(call: Call) -> Response:
    raw = call.headers.get("upload-metadata")
    if raw is None:
        raise invalid_request("Metadata header is required")
    metadata = parse_metadata(raw)
    length = _number(call, "upload-length")
    if length is None and call.headers.get("upload-defer-length") != "1":
        raise StorageError(400, "TusError", "Upload-Length or Upload-Defer-Length header required")
    bucket_name, key = metadata.get("bucketName", ""), metadata.get("objectName", "")
    check_key(key)
    caller, owner_id, is_upsert = _who(call, bucket_name, key)
    bucket = await call.parts.buckets.known("storage.tus.upload.create", bucket_name)
    _check_content(metadata, bucket)
    if length is not None and length > call.parts.buckets.limit_of(bucket):
        raise _too_large()
    target = Target(bucket_name, key, owner_id, is_upsert)
    await call.parts.objects.check_writable(
        caller, "storage.tus.upload.create", target, _declared(metadata, length)
    )
    upload = await call.parts.uploads.create(
        bucket=bucket_name,
        key=key,
        length=length,
        owner_id=owner_id,
        is_upsert=is_upsert,
        metadata=metadata,
        raw_metadata=raw,
    )
    headers = {
        "location": _location(call, upload),
        "upload-expires": _expiry(upload),
    }
    if length == 0 or call.headers.get("content-type") == _OFFSET_TYPE:
        async with call.parts.uploads.turn(upload.version) as turn:
            offset = await _receive(call, caller, upload, 0, bucket=bucket, turn=turn)
        headers["upload-offset"] = str(offset)
    return Response(status_code=201, headers=headers)


async def tell(call: Call) -> Response:
    upload, offset = await call.parts.uploads.find(_id(call))
    headers = {
        "upload-offset": str(offset),
        "upload-metadata": header_value("upload-metadata", upload.raw_metadata),
        "upload-expires": _expiry(upload),
    }
    if upload.length is None:
        headers["upload-defer-length"] = "1"
    else:
        headers["upload-length"] = str(upload.length)
    return Response(status_code=200, headers=headers)


async def append(call: Call) -> Response:
    if call.headers.get("content-type") != _OFFSET_TYPE:
        raise StorageError(415, "TusError", f"Content-Type must be {_OFFSET_TYPE}")
    offset = _number(call, "upload-offset")
    if offset is None:
        raise StorageError(400, "TusError", "Upload-Offset header required\n")
    bucket_name, key, version = decode_id(_id(call))
    caller, owner_id, is_upsert = _who(call, bucket_name, key)
    bucket = await call.parts.buckets.known("storage.tus.upload.part", bucket_name)
    async with call.parts.uploads.turn(version) as turn:
        upload, reached = await call.parts.uploads.find(_id(call))
        target = Target(bucket_name, key, owner_id, is_upsert)
        await call.parts.objects.check_writable(
            caller, "storage.tus.upload.part", target, _declared(upload.metadata, upload.length)
        )
        if offset != reached:
            raise StorageError(409, "TusError", "Upload-Offset conflict\n")
        length = _number(call, "upload-length")
        if length is not None and upload.length is None:
            if length > call.parts.buckets.limit_of(bucket) or length < reached:
                raise _too_large()
            upload = await call.parts.uploads.set_length(upload, length)
        reached = await _receive(call, caller, upload, reached, bucket=bucket, turn=turn)
    return Response(
        status_code=204,
        headers={"upload-offset": str(reached), "upload-expires": _expiry(upload)},
    )


async def terminate(call: Call) -> Response:
    bucket_name, key, version = decode_id(_id(call))
    caller, owner_id, is_upsert = _who(call, bucket_name, key)
    target = Target(bucket_name, key, owner_id, is_upsert)
    await call.parts.objects.check_writable(caller, "storage.tus.upload.delete", target)
    async with call.parts.uploads.turn(version):
        upload, _ = await call.parts.uploads.find(_id(call))
        await call.parts.uploads.drop(upload)
    return Response(status_code=204)


async def _receive(
    call: Call, caller: Caller, upload: Resumable, offset: int, *, bucket: Bucket, turn: Turn
) -> int:
    """Take the body; make the object when nothing is missing any more."""
    limit = call.parts.buckets.limit_of(bucket) if upload.length is None else upload.length
    chunks = call.body.chunks()
    reached = await call.parts.uploads.append(upload, offset, chunks, turn, limit)
    if reached == upload.length:
        await _complete(call, upload, reached, caller)
    return reached


async def _complete(call: Call, upload: Resumable, size: int, caller: Caller) -> None:
    metadata = upload.metadata
    seconds = metadata.get("cacheControl", "")
    target = Target(upload.bucket, upload.key, upload.owner_id, upload.is_upsert)
    content = Content(
        file=call.parts.uploads.file(upload),
        size=size,
        etag=await call.parts.uploads.digest(upload),
        mime_type=metadata.get("contentType") or _UNKNOWN_TYPE,
        cache_control=f"max-age={seconds}" if seconds.lstrip("-").isdecimal() else "no-cache",
        content_encoding=metadata.get("contentEncoding") or None,
        user_metadata=parse_user_metadata(metadata.get("metadata", "")),
    )
    try:
        await call.parts.objects.write(caller, "storage.tus.upload.part", target, content)
    finally:
        await call.parts.uploads.drop(upload)


def _declared(metadata: Mapping[str, str], length: int | None) -> dict[str, Any]:
    """What policies may know of the object before its bytes are there."""
    known: dict[str, Any] = {"mimetype": metadata.get("contentType") or _UNKNOWN_TYPE}
    return known if length is None else known | {"size": length, "contentLength": length}


def _who(call: Call, bucket: str, key: str) -> tuple[Caller, str | None, bool]:
    """Who writes, for whom, and whether over what is there. Errors: 400, 403."""
    if call.request.url.path.split("/upload/resumable", 1)[1].startswith("/sign"):
        signature = call.headers.get("x-signature")
        if not signature:
            raise StorageError(400, "InvalidSignature", "Missing x-signature header")
        allowed = call.parts.signer.verify_upload(signature, bucket, key)
        return SERVICE, allowed.owner, allowed.is_upsert
    caller = call.caller()
    return caller, caller.user_id, call.is_upsert


def _check_content(metadata: dict[str, str], bucket: Bucket) -> None:
    if mime_type := metadata.get("contentType"):
        check_mime_type(header_value("content-type", mime_type), bucket.allowed_mime_types)
    header_value("content-encoding", metadata.get("contentEncoding", ""))
    if len(metadata.get("metadata", "")) > MAX_METADATA_BYTES:
        raise StorageError(413, "EntityTooLarge", "The user_metadata is too large")


def _id(call: Call) -> str:
    return str(call.request.path_params["id"])


def _location(call: Call, upload: Resumable) -> str:
    url = call.request.url
    scheme = call.headers.get("x-forwarded-proto") or url.scheme
    host = call.headers.get("x-forwarded-host") or url.netloc
    return f"{scheme}://{host}{url.path.rstrip('/')}/{upload.id}"


def _expiry(upload: Resumable) -> str:
    return http_date(datetime.fromtimestamp(upload.expires_at, UTC))


def _number(call: Call, header: str) -> int | None:
    """Errors: 400 when it is no length."""
    text = call.headers.get(header)
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= _MAX_HEADER_NUMBER):
        raise StorageError(400, "TusError", f"Invalid {header}\n")
    return int(text)


def _too_large() -> StorageError:
    return StorageError(413, "EntityTooLarge", "Maximum size exceeded\n")
