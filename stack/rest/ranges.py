"""Pages: the Range header, `limit` and `offset` going in, Content-Range coming out."""

import re

from stack.rest.errors import range_error

Page = tuple[int, int | None]
"""(offset, limit); without a limit, to the end."""

_RANGE = re.compile(r"(\d{1,18})-(\d{0,18})")


def requested_page(header: str, page: Page) -> Page:
    """The Range header (of a GET) within the query's page. Errors: PGRST103."""
    offset, limit = page
    if limit is not None and limit < 0:
        raise range_error("Limit should be greater than or equal to zero.")
    found = _RANGE.fullmatch(header.removeprefix("items=").strip()) if header else None
    if found is None or limit == 0:
        return page
    lower, upper = int(found[1]), int(found[2]) if found[2] else None
    if upper is not None and lower > upper:
        raise range_error(
            "The lower boundary must be lower than or equal to the upper boundary"
            " in the Range header."
        )
    last = None if limit is None else offset + limit - 1
    first = max(offset, lower)
    end = (
        min(bound for bound in (last, upper) if bound is not None)
        if (last is not None or upper is not None)
        else None
    )
    if end is None:
        return first, None
    if first > end:
        raise range_error("Limit should be greater than or equal to zero.")
    return first, end - first + 1


def content_range(lower: int, upper: int, total: int | None) -> bytes:
    """`0-9/100`; `*` for an empty page or an unknown total."""
    rows = f"{lower}-{upper}" if total != 0 and lower <= upper else "*"
    return f"{rows}/{'*' if total is None else total}".encode()


def page_status(lower: int, upper: int, total: int | None) -> int:
    """200 for everything, 206 for a part, 416 beyond the end."""
    if total is None:
        return 200
    if lower > total:
        return 416
    return 206 if 1 + upper - lower < total else 200
