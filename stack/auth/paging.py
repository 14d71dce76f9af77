"""Pages of the admin API: `page` and `per_page`, counted in headers."""

from dataclasses import dataclass
from urllib.parse import urlencode

from stack.auth.call import Call
from stack.auth.errors import invalid

DEFAULT_SIZE, MAX_SIZE = 50, 1000


@dataclass(frozen=True, slots=True)
class Page:
    """`number` counts from 1."""

    number: int
    limit: int

    @property
    def offset(self) -> int:
        return (self.number - 1) * self.limit


def read_page(call: Call) -> Page:
    """The page asked for. Errors: 400 validation_failed."""
    try:
        number = int(call.query.get("page") or 1)
        limit = int(call.query.get("per_page") or DEFAULT_SIZE)
    except ValueError as error:
        raise invalid(f"Bad Pagination Parameters: {error}") from None
    if number < 0 or limit < 0 or number > 2**31:
        raise invalid("Bad Pagination Parameters: not a page number")
    return Page(max(1, number), min(MAX_SIZE, limit or DEFAULT_SIZE))


def page_headers(call: Call, page: Page, total: int) -> dict[str, str]:
    """`X-Total-Count`, and `Link` to the next and the last page, as RFC 8288 has it."""
    last = -(-total // page.limit)

    def link(number: int, relation: str) -> str:
        further = {key: value for key, value in call.query.items() if key != "page"}
        query = urlencode({"page": number, **further})
        path = call.request.url.path.removeprefix(call.request.scope["root_path"])
        return f'<{path}?{query}>; rel="{relation}"'

    links = [link(page.number + 1, "next")] if last > page.number else []
    return {
        "x-total-count": str(total),
        "link": ", ".join([*links, link(last, "last")]),
    }
