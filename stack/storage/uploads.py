"""Receives an upload in whatever form a client sends it: a multipart form, or the bare bytes."""

import base64
import binascii
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.datastructures import Headers

from stack.storage.bodies import Body
from stack.storage.errors import StorageError, too_large
from stack.storage.files import Incoming
from stack.storage.rows import Content
from stack.storage.settings import MAX_METADATA_BYTES

_MAX_FIELDS = 10
_HEADER_TEXT = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_UNKNOWN_TYPE = "application/octet-stream"
_EMPTY_FOLDER = ".emptyFolderPlaceholder"

Admit = Callable[[dict[str, Any]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Admission:
    """What may come in: at most `size` bytes, if `admit` does not raise.

    `admit` is asked once, before any byte is kept, with what is known of the object by then:
    `mimetype`, and `size` and `contentLength` when they were declared.
    """

    size: int
    admit: Admit


def is_folder_placeholder(key: str) -> bool:
    """The object that keeps an empty folder visible: of any type, but without content."""
    return key.endswith(_EMPTY_FOLDER)


async def receive(
    body: Body, headers: Headers, incoming: Incoming, admission: Admission
) -> Content:
    """Write the file to `incoming` and tell what it is; nothing whole is held in memory.

    Errors: EntityTooLarge (413), InvalidMimeType (415), NoContentProvided (400).
    """
    if headers.get("content-type", "").lower().startswith("multipart/form-data"):
        return await _receive_form(body, headers, incoming, admission)
    return await _receive_bytes(body, headers, incoming, admission)


def header_value(name: str, text: str) -> str:
    """A text that may stand in a header. Errors: InvalidRequest (400)."""
    if _HEADER_TEXT.fullmatch(text) is None:
        raise StorageError(
            400,
            "InvalidRequest",
            f'Invalid character in response header "{name}"',
            error="invalid_header_char",
        )
    return text


def decode_metadata(header: str | None) -> Mapping[str, Any] | None:
    """The user's metadata of an `x-metadata` header, base64 of JSON; None when it is neither."""
    if header is None:
        return None
    try:
        return parse_metadata(base64.b64decode(header + "=" * (-len(header) % 4)))
    except binascii.Error:
        return None


def parse_metadata(text: str | bytes) -> Mapping[str, Any] | None:
    """A JSON object; None for anything else, as upstream passes over it."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


async def _receive_bytes(
    body: Body, headers: Headers, incoming: Incoming, admission: Admission
) -> Content:
    known: dict[str, Any] = {"mimetype": headers.get("content-type") or _UNKNOWN_TYPE}
    length = headers.get("content-length", "")
    if length.isdecimal():
        known |= {"size": int(length), "contentLength": int(length)}
    await admission.admit(known)
    if known.get("size", 0) > admission.size:
        raise too_large()
    async for chunk in body.chunks():
        if incoming.size + len(chunk) > admission.size:
            raise too_large()
        await incoming.write(chunk)
    await incoming.finish()
    return Content(
        file=incoming.path,
        size=incoming.size,
        etag=incoming.etag,
        mime_type=header_value("content-type", known["mimetype"]),
        cache_control=header_value("cache-control", headers.get("cache-control") or "no-cache"),
        content_encoding=headers.get("content-encoding") or None,
        user_metadata=decode_metadata(headers.get("x-metadata")),
    )


async def _receive_form(
    body: Body, headers: Headers, incoming: Incoming, admission: Admission
) -> Content:
    form = _Form(headers["content-type"])
    admitted: str | None = None
    try:
        async for chunk in body.chunks():
            form.feed(chunk)
            if form.has_file and admitted is None:
                admitted = form.mime_type
                await admission.admit({"mimetype": admitted})
            if form.data:
                if incoming.size + len(form.data) > admission.size:
                    raise too_large()
                await incoming.write(bytes(form.data))
                form.data.clear()
        form.finish()
    except FormParserError as error:
        raise _no_content() from error
    if not form.has_file:
        raise _no_content()
    if form.mime_type != admitted:  # a field after the file overruled its type
        await admission.admit({"mimetype": form.mime_type})
    await incoming.finish()
    cache_time = form.fields.get("cacheControl")
    metadata = form.fields.get("metadata") or form.fields.get("userMetadata")
    return Content(
        file=incoming.path,
        size=incoming.size,
        etag=incoming.etag,
        mime_type=header_value("content-type", form.mime_type),
        cache_control=header_value(
            "cache-control", f"max-age={cache_time}" if cache_time else "no-cache"
        ),
        content_encoding=form.fields.get("contentEncoding") or None,
        user_metadata=parse_metadata(metadata) if metadata else None,
    )


def _no_content() -> StorageError:
    return StorageError(400, "InvalidRequest", "No content provided")


@dataclass(slots=True)
class _Part:
    headers: dict[str, str] = field(default_factory=dict)
    name: str = ""
    is_file: bool = False
    value: bytearray = field(default_factory=bytearray)


class _Form:
    """A multipart form, fed in chunks. The first file's bytes gather in `data` between feeds.

    A part is a file when it has a filename or a content type of its own: clients send the file
    with an empty field name, or as `file`.
    """

    def __init__(self, content_type: str) -> None:
        _, options = parse_options_header(content_type)
        boundary = options.get(b"boundary")
        if not boundary:
            raise _no_content()
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._on_part_begin,
                    "on_header_field": self._on_header_field,
                    "on_header_value": self._on_header_value,
                    "on_header_end": self._on_header_end,
                    "on_headers_finished": self._on_headers_finished,
                    "on_part_data": self._on_part_data,
                    "on_part_end": self._on_part_end,
                    "on_end": self._on_end,
                },
            )
        except FormParserError as error:
            raise _no_content() from error
        self.data = bytearray()
        self.fields: dict[str, str] = {}
        self.has_file = False
        self._file_type = _UNKNOWN_TYPE
        self._part = _Part()
        self._header_name = b""
        self._header_text = b""
        self._is_first_file = False
        self._is_complete = False

    @property
    def mime_type(self) -> str:
        """As the form declares it: a field of its own overrules the file's header."""
        return self.fields.get("contentType") or self._file_type

    def feed(self, chunk: bytes) -> None:
        self._parser.write(chunk)

    def finish(self) -> None:
        """Errors: NoContentProvided when the closing boundary is missing."""
        if not self._is_complete:
            raise _no_content()

    def _on_part_begin(self) -> None:
        self._part = _Part()

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._header_name += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header_text += data[start:end]

    def _on_header_end(self) -> None:
        name = self._header_name.decode("latin-1").lower()
        self._part.headers[name] = self._header_text.decode("utf-8", "replace")
        self._header_name = self._header_text = b""

    def _on_headers_finished(self) -> None:
        headers = self._part.headers
        _, options = parse_options_header(headers.get("content-disposition", ""))
        self._part.name = options.get(b"name", b"").decode("utf-8", "replace")
        self._part.is_file = b"filename" in options or "content-type" in headers
        self._is_first_file = self._part.is_file and not self.has_file
        if self._is_first_file:
            self.has_file = True
            self._file_type = headers.get("content-type") or self._file_type

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        if self._is_first_file:
            self.data += memoryview(data)[start:end]
        elif not self._part.is_file:
            self._part.value += data[start:end]
            if len(self._part.value) > MAX_METADATA_BYTES:
                raise too_large("user_metadata")

    def _on_part_end(self) -> None:
        if not self._part.is_file:
            if len(self.fields) >= _MAX_FIELDS:
                raise StorageError(413, "InvalidRequest", "reach fields limit")
            self.fields[self._part.name] = self._part.value.decode("utf-8", "replace")
        self._is_first_file = False

    def _on_end(self) -> None:
        self._is_complete = True
