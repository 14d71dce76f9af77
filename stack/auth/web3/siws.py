"""Reads a Sign-In-With-Solana message: the text a wallet showed its owner and signed.

Source: Phantom's Sign-In-With-Solana specification, in the stricter form supabase/auth accepts:
URI, Version and Issued At are mandatory, a Chain ID needs its `solana:` prefix.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import SplitResult, urlsplit

_HEADER_END = " wants you to sign in with your Solana account:"
_DOMAIN = re.compile(
    r"(localhost|([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,})(:[0-9]{1,5})?", re.IGNORECASE
)
_ADDRESS = re.compile(r"[a-zA-Z0-9]{32,44}")
_NETWORK = re.compile(r"solana:(main|dev|test|local)net")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d([.,]\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII)
_UNSAFE_IN_URI = re.compile(r"[\x00-\x20\x7f\\]")


class MalformedMessage(ValueError):
    """The text is no message this server accepts; says which part."""

    def __init__(self, what: str) -> None:
        super().__init__(f"siws: {what}")


@dataclass(frozen=True, slots=True)
class SiwsMessage:
    """What the signer agreed to. `raw` is the text as signed; moments are aware of their zone."""

    raw: str
    domain: str
    address: str
    statement: str
    uri: SplitResult
    issued_at: datetime
    chain_id: str = ""
    not_before: datetime | None = None
    expires_at: datetime | None = None


def parse(raw: str) -> SiwsMessage:
    """Read a message. The last of a repeated field holds, unknown fields are skipped.

    Errors: MalformedMessage.
    """
    lines = raw.split("\n")
    if len(lines) < 6:
        raise MalformedMessage("message is too short or has too few lines")
    if not lines[0].endswith(_HEADER_END):
        raise MalformedMessage(f"message first line does not end in{_HEADER_END}")
    domain = lines[0].removesuffix(_HEADER_END).strip()
    if not _DOMAIN.fullmatch(domain):
        raise MalformedMessage("domain in first line of message is not valid")
    address = lines[1].strip()
    if not _ADDRESS.fullmatch(address):
        raise MalformedMessage("wallet address is not in base58 format")
    if lines[2] != "":
        raise MalformedMessage("third line must be empty")
    has_statement = lines[3] != "" and lines[4] == ""
    fields = _fields(lines, 5 if has_statement else 3)
    if (version := fields.get("Version", "")) != "1":
        raise MalformedMessage(f'Version value is not supported, expecting 1 got "{version}"')
    if "Issued At" not in fields:
        raise MalformedMessage("Issued At is not specified")
    if "URI" not in fields:
        raise MalformedMessage("URI is not specified")
    chain_id = fields.get("Chain ID", "")
    if chain_id and not _NETWORK.fullmatch(chain_id):
        raise MalformedMessage("Chain ID is not valid")
    issued_at = _moment(fields, "Issued At")
    not_before = _moment(fields, "Not Before") if "Not Before" in fields else None
    expires_at = _moment(fields, "Expiration Time") if "Expiration Time" in fields else None
    if expires_at is not None and issued_at > expires_at:
        raise MalformedMessage("Issued At is after Expiration Time")
    if expires_at is not None and not_before is not None and not_before > expires_at:
        raise MalformedMessage("Not Before is after Expiration Time")
    return SiwsMessage(
        raw=raw,
        domain=domain,
        address=address,
        statement=lines[3] if has_statement else "",
        uri=_uri(fields["URI"], "URI is not valid"),
        issued_at=issued_at,
        chain_id=chain_id,
        not_before=not_before,
        expires_at=expires_at,
    )


def _fields(lines: list[str], start: int) -> dict[str, str]:
    fields: dict[str, str] = {}
    resources: int | None = None  # how many were read; None outside of their list
    for index in range(start, len(lines)):
        line = lines[index].strip()
        if resources is not None and line.startswith("- "):
            _uri(line[2:].strip(), f"Resource at position {resources} has invalid URI")
            resources += 1
            continue
        resources = 0 if line == "Resources:" else None
        if line in ("", "Resources:"):
            continue
        name, colon, value = line.partition(":")
        if not colon:
            raise MalformedMessage(f"encountered unparsable line at index {index}")
        fields[name] = value.strip()
    return fields


def _uri(text: str, complaint: str) -> SplitResult:
    try:
        uri = urlsplit(text)
        is_usable = bool(uri.scheme and uri.hostname) and (uri.port is None or uri.port > 0)
    except ValueError:
        is_usable = False
    if not is_usable or _UNSAFE_IN_URI.search(text) or "@" in uri.netloc:
        raise MalformedMessage(complaint)
    return uri


def _moment(fields: dict[str, str], name: str) -> datetime:
    text = fields[name]
    try:
        if _MOMENT.fullmatch(text):
            return datetime.fromisoformat(text)
    except ValueError:
        pass
    raise MalformedMessage(f"{name} is not a valid ISO8601 timestamp")
