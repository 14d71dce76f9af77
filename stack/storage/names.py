"""What a key, a bucket, a MIME type and a size may look like. Source: supabase/storage, limits.ts.

No path on the disk is ever made of these names; the rules are the upstream's, for its clients.
"""

import re
from collections.abc import Sequence

from stack.storage.errors import StorageError, invalid_mime_type

MAX_KEY_BYTES = 1024
_BUCKET_NAME = re.compile(r"[A-Za-z0-9_!.*'() &$=@;:+,?-]{1,100}")
# control characters, what S3 advises against, and characters that show nothing or reorder text
_BAD_IN_KEY = re.compile(
    '[\x00-\x1f\x7f-\x9f#\\[\\]{}^`"<>\\\\|%~'
    "\u034f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff\ud800-\udfff]"
)
_DOT_SEGMENT = re.compile(r"(^|/)\.{1,2}(/|$)")
_MIME_RULE = re.compile(
    r"[a-zA-Z0-9\-+.]+/(?:\*|[a-zA-Z0-9\-+.]+(?:;\s*charset=[a-zA-Z0-9\-]+)?)|\*"
)
_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?)(gb|mb|kb|b)", re.IGNORECASE)
_SIZE_UNITS = {"gb": 10**9, "mb": 10**6, "kb": 10**3, "b": 1}
_BINARY_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([kmgt]?)i?b?", re.IGNORECASE)
_BINARY_UNITS = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}


def is_valid_key(key: str) -> bool:
    """Whether an object may have this name."""
    return (
        key != ""
        and _BAD_IN_KEY.search(key) is None
        and _DOT_SEGMENT.search(key) is None
        and len(key.encode()) <= MAX_KEY_BYTES
    )


def check_key(key: str) -> None:
    """Errors: InvalidKey (400)."""
    if not is_valid_key(key):
        shown = key.encode("utf-8", "replace").decode()
        raise StorageError(400, "InvalidKey", f"Invalid key: {shown}")


def is_storable(text: str) -> bool:
    """Whether Postgres can hold the text at all; what it cannot hold is never found either."""
    return "\x00" not in text and not any("\ud800" <= char <= "\udfff" for char in text)


def check_bucket_name(name: str) -> None:
    """Errors: InvalidBucketName (400)."""
    if _BUCKET_NAME.fullmatch(name) is None:
        raise StorageError(400, "InvalidBucketName", "Bucket name invalid", error="Invalid Input")


def check_mime_rules(rules: Sequence[str]) -> None:
    """Types that a bucket takes, like `image/png` or `image/*`. Errors: InvalidMimeType (415)."""
    for rule in rules:
        if len(rule) > 1000 or _MIME_RULE.fullmatch(rule) is None:
            raise invalid_mime_type(rule)


def check_mime_type(mime_type: str, rules: Sequence[str] | None) -> None:
    """Whether a bucket takes a declared type; the bytes are not looked at.

    Errors: InvalidMimeType (415).
    """
    if not rules:
        return
    kind, _, detail = mime_type.partition("/")
    for rule in rules:
        rule_kind, _, rule_detail = rule.partition("/")
        if rule == "*" or (kind == rule_kind and detail and rule_detail in ("*", detail)):
            return
    raise invalid_mime_type(mime_type)


def parse_size(text: str) -> int:
    """A bucket's limit in bytes: `20GB`, `1.5MB`, `3B`, in powers of ten. Errors: 400."""
    found = _SIZE.fullmatch(text)
    if found is None:
        raise StorageError(
            400, "InvalidRequest", "Invalid file size format, hint: use 20GB / 20MB / 30KB / 3B"
        )
    return round(float(found[1]) * _SIZE_UNITS[found[2].lower()])


def parse_configured_size(text: str | int) -> int:
    """A size of config.toml in bytes: `50MiB` and `50MB` alike are powers of two there.

    Errors: ValueError.
    """
    if isinstance(text, int):
        return text
    found = _BINARY_SIZE.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is no size")
    return int(float(found[1]) * _BINARY_UNITS[found[2].lower()])
