"""Answers that carry an object: headers, conditions, ranges, and its bytes as they are read."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from starlette.datastructures import Headers
from starlette.responses import Response, StreamingResponse

from stack.storage.errors import StorageError
from stack.storage.files import Disk
from stack.storage.images import Picture
from stack.storage.rows import StoredObject
from stack.storage.settings import CHUNK_BYTES
from stack.storage.times import http_date, iso, parse_http_date
from stack.storage.uploads import header_value

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
# types that a browser shows without running anything in them
_PASSIVE = re.compile(
    r"image/(?!svg)|audio/|video/|font/|text/(plain|css|csv|markdown)|application/"
    r"(pdf|json|zip|gzip|octet-stream|javascript)",
    re.IGNORECASE,
)
_UNRESERVED = "!'()*~"  # what JavaScript's encodeURIComponent leaves alone, beside quote's own


def no_such_file() -> StorageError:
    """The row is there, its file is not."""
    return StorageError(404, "NoSuchKey", "The resource was not found", error="Not found")


async def send_object(
    disk: Disk,
    found: StoredObject,
    request: Headers,
    *,
    is_head: bool = False,
    download: str | None = None,
    expires_at: int | None = None,
) -> Response:
    """The object's bytes, all or a range, or 304 when the client has them.

    Errors: NoSuchKey when the file is gone, InvalidRange (416).
    """
    headers = object_headers(found, download=download, expires_at=expires_at)
    if _is_unchanged(request, headers):
        return _empty(304, headers, ("etag", "cache-control", "expires", "last-modified"))
    try:
        file = await disk.open(found.version)
    except FileNotFoundError as error:
        raise no_such_file() from error
    try:
        size = await disk.run(file.seek, 0, 2)
        start, length, status = _wanted(request, headers, size)
    except BaseException:
        file.close()
        raise
    headers["content-length"] = str(length)
    if status == 206:
        headers["content-range"] = f"bytes {start}-{start + length - 1}/{size}"
    if is_head or length == 0:
        file.close()
        return Response(status_code=status, headers=headers)
    chunks = disk.read(file, start, length)
    if length <= CHUNK_BYTES:
        return Response(b"".join([chunk async for chunk in chunks]), status, headers)
    return StreamingResponse(chunks, status, headers)


def send_picture(
    found: StoredObject,
    picture: Picture,
    transformations: str,
    *,
    download: str | None = None,
    expires_at: int | None = None,
) -> Response:
    """A transformed image."""
    headers = object_headers(found, download=download, expires_at=expires_at)
    headers.pop("content-encoding", None)
    headers["content-type"] = picture.mime_type
    headers["vary"] = "Accept"
    if transformations:
        headers["x-transformations"] = transformations
    return Response(picture.data, headers=headers)


def object_headers(
    found: StoredObject, *, download: str | None = None, expires_at: int | None = None
) -> dict[str, str]:
    """What the row says of its bytes. Content is never sniffed, and HTML is shown as text.

    Whatever else could run scripts is sandboxed: it comes from the origin of the stack's pages.
    """
    metadata = found.metadata or {}
    mime_type = str(metadata.get("mimetype") or "application/octet-stream")
    if "text/html" in mime_type.lower():
        mime_type = "text/plain"
    headers = {
        "accept-ranges": "bytes",
        "content-type": header_value("content-type", mime_type),
        "x-content-type-options": "nosniff",
    }
    if _PASSIVE.match(mime_type) is None:
        headers["content-security-policy"] = "sandbox"
    if etag := metadata.get("eTag"):
        headers["etag"] = header_value("etag", str(etag))
    if moment := _last_modified(found, metadata):
        headers["last-modified"] = http_date(moment)
    if encoding := metadata.get("contentEncoding"):
        headers["content-encoding"] = header_value("content-encoding", str(encoding))
    if expires_at is not None:
        headers["expires"] = http_date(datetime.fromtimestamp(expires_at).astimezone())
    else:
        cache = str(metadata.get("cacheControl") or "no-cache")
        headers["cache-control"] = header_value("cache-control", cache)
    if download is not None:
        name = quote(download, safe=_UNRESERVED)
        headers["content-disposition"] = (
            f"attachment; filename={name}; filename*=UTF-8''{name}" if name else "attachment"
        )
    return headers


def info(found: StoredObject) -> dict[str, Any]:
    """What `/object/info` tells."""
    metadata = found.metadata or {}
    return {
        "id": str(found.id),
        "name": found.name,
        "version": found.version,
        "bucket_id": found.bucket_id,
        "size": metadata.get("size"),
        "content_type": metadata.get("mimetype"),
        "content_encoding": metadata.get("contentEncoding"),
        "cache_control": metadata.get("cacheControl"),
        "etag": metadata.get("eTag"),
        "metadata": found.user_metadata or {},
        "last_modified": iso(found.updated_at),
        "created_at": iso(found.created_at),
    }


def _last_modified(found: StoredObject, metadata: Mapping[str, Any]) -> datetime | None:
    try:
        return datetime.fromisoformat(str(metadata.get("lastModified")))
    except ValueError:
        return found.updated_at


def _is_unchanged(request: Headers, headers: Mapping[str, str]) -> bool:
    known = request.get("if-none-match")
    if known is not None:
        tags = {tag.strip().removeprefix("W/") for tag in known.split(",")}
        etag = headers.get("etag", "")
        return "*" in tags or etag in tags or etag.strip('"') in tags
    since = parse_http_date(request.get("if-modified-since"))
    changed = parse_http_date(headers.get("last-modified"))
    return since is not None and changed is not None and changed <= since


def _wanted(request: Headers, headers: Mapping[str, str], size: int) -> tuple[int, int, int]:
    """Start, length and status. More than one range, or a unit we do not know, is all of it."""
    found = _RANGE.fullmatch(request.get("range", "").replace(" ", ""))
    if found is None or found[0] == "bytes=-":
        return 0, size, 200
    if_range = request.get("if-range")
    if if_range is not None and if_range not in (headers.get("etag"), headers.get("last-modified")):
        return 0, size, 200
    if len(found[1]) > 18 or len(found[2]) > 18:
        raise _invalid_range()
    if found[1] == "":
        start, end = max(0, size - int(found[2])), size - 1
    else:
        start, end = int(found[1]), min(int(found[2] or size - 1), size - 1)
    if start > end or start >= size:
        raise _invalid_range()
    return start, end - start + 1, 206


def _invalid_range() -> StorageError:
    return StorageError(
        416, "InvalidRange", "The requested range is not satisfiable", wire_status=416
    )


def _empty(status: int, headers: Mapping[str, str], kept: tuple[str, ...]) -> Response:
    return Response(
        status_code=status, headers={name: headers[name] for name in kept if name in headers}
    )
