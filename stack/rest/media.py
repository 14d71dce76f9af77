"""Media types: what a client accepts, what a resource can be shown as, and which is chosen."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from stack.rest.catalog.model import Catalog, MediaHandler, Name
from stack.rest.errors import no_media_type

Form = Literal["array", "object", "csv", "custom", "none"]

_TYPE = re.compile(r"\s*([\w.*]+)/([\w.*+-]+)")
_PARAMETER = re.compile(r"\s*;\s*([\w-]+)\s*=\s*(?:\"([^\"]*)\"|([\w.|+/-]+))")
_PLAN_OPTIONS = ("analyze", "verbose", "settings", "buffers", "wal")
_CHARSET = frozenset(
    ("application/json", "text/csv", "text/plain", "text/xml", "application/openapi+json",
     "application/geo+json", "*/*")
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class MediaType:
    """One entry of an Accept header, read."""

    name: str
    parameters: tuple[tuple[str, str], ...] = ()

    @property
    def strips_nulls(self) -> bool:
        return ("nulls", "stripped") in self.parameters


@dataclass(frozen=True, slots=True)
class Representation:
    """How an answer's body is made. `plan`: `explain`'s options instead of the rows."""

    form: Form
    content_type: str
    strips_nulls: bool = False
    handler: MediaHandler | None = None
    plan: tuple[str, ...] | None = None
    wants_one: bool = False

    @property
    def is_object(self) -> bool:
        """Whether exactly one row must be there."""
        return (self.form == "object" or self.wants_one) and self.plan is None


@lru_cache(maxsize=256)
def accepted(header: str) -> tuple[MediaType, ...]:
    """The media types of an Accept header, most wanted first."""
    weighted = []
    for position, entry in enumerate(re.split(r",(?=(?:[^\"]*\"[^\"]*\")*[^\"]*$)", header)):
        found = _TYPE.match(entry)
        if found is None:
            if entry.strip():
                weighted.append((1.0, position, MediaType(entry.strip())))
            continue
        parameters = {
            name.lower(): quoted or plain
            for name, quoted, plain in _PARAMETER.findall(entry[found.end() :])
        }
        weight = parameters.pop("q", "1")
        quality = float(weight) if re.fullmatch(r"[01](\.\d{0,3})?", weight) else 1.0
        name = f"{found[1]}/{found[2]}".lower()
        weighted.append((quality, position, MediaType(name, tuple(parameters.items()))))
    weighted.sort(key=lambda one: (-one[0], one[1]))
    return tuple(media for _, _, media in weighted) or (MediaType("*/*"),)


def choose(
    accepts: Sequence[MediaType],
    catalog: Catalog,
    target: Name,
    *,
    selects_all: bool,
    allows_plan: bool,
) -> Representation:
    """The first accepted representation that `target` (a table or function) has.

    `selects_all`: custom handlers want whole rows. Errors: PGRST107.
    """
    for media in accepts:
        found = _representation(media, catalog, target, selects_all, allows_plan)
        if found is not None:
            return found
    raise no_media_type([_mime(media) for media in accepts])


def _representation(
    media: MediaType, catalog: Catalog, target: Name, selects_all: bool, allows_plan: bool
) -> Representation | None:
    name = media.name
    if name in ("application/vnd.pgrst.object+json", "application/vnd.pgrst.object"):
        suffix = ";nulls=stripped" if media.strips_nulls else ""
        kind = f"application/vnd.pgrst.object+json{suffix}; charset=utf-8"
        return Representation("object", kind, media.strips_nulls)
    if name in ("application/vnd.pgrst.array+json", "application/vnd.pgrst.array"):
        if media.strips_nulls:
            kind = "application/vnd.pgrst.array+json;nulls=stripped; charset=utf-8"
            return Representation("array", kind, strips_nulls=True)
        name = "application/json"
    if name.startswith("application/vnd.pgrst.plan"):
        return _plan(media, catalog, target, selects_all) if allows_plan else None
    handlers = catalog.handlers
    if selects_all:
        handler = handlers.get((target, "*/*")) or handlers.get((target, name))
        if handler is not None:
            return _custom(handler)
    if (handler := handlers.get((None, name))) is not None:
        return _custom(handler)
    if name in ("application/json", "*/*"):
        return Representation("array", "application/json; charset=utf-8")
    if name == "text/csv":
        return Representation("csv", "text/csv; charset=utf-8")
    return None


def _custom(handler: MediaHandler) -> Representation:
    kind = handler.media_type
    charset = "; charset=utf-8" if kind in _CHARSET else ""
    return Representation("custom", kind + charset, handler=handler)


def _plan(
    media: MediaType, catalog: Catalog, target: Name, selects_all: bool
) -> Representation | None:
    parameters: Mapping[str, str] = dict(media.parameters)
    suffix = media.name.removeprefix("application/vnd.pgrst.plan")
    if suffix not in ("", "+text", "+json"):
        return None
    wanted = parameters.get("for", "application/json")
    inner = _representation(accepted(wanted)[0], catalog, target, selects_all, allows_plan=False)
    if inner is None:
        return None
    given = parameters.get("options", "").split("|")
    options = [option for option in _PLAN_OPTIONS if option in given]
    form = "json" if suffix == "+json" else "text"
    shown = inner.content_type.removesuffix("; charset=utf-8")
    kind = f'application/vnd.pgrst.plan+{form}; for="{shown}"'
    if options:
        kind += f"; options={'|'.join(options)}"
    return Representation(
        inner.form,
        f"{kind}; charset=utf-8",
        inner.strips_nulls,
        inner.handler,
        (f"format {form}", *options),
    )


def _mime(media: MediaType) -> str:
    parameters = "".join(f";{name}={value}" for name, value in media.parameters)
    return media.name + parameters
