"""`/object/list/…` and `/object/list-v2/…`."""

from starlette.responses import Response
from starlette.routing import Route

from stack.storage.calls import Call, Parts, json_response, route
from stack.storage.listing import COLUMNS, MAX_PAGE, ORDERS, PageRequest, Search


def routes(parts: Parts) -> list[Route]:
    return [
        route(parts, "/object/list/{bucket}", ["POST"], search),
        route(parts, "/object/list-v2/{bucket}", ["POST"], page),
    ]


async def search(call: Call) -> Response:
    fields = await call.fields()
    sort = fields.table("sortBy")
    wanted = Search(
        prefix=fields.text("prefix"),
        search=fields.text("search", ""),
        limit=fields.integer("limit", 100, minimum=1),
        offset=fields.integer("offset", 0),
        column=sort.choice("column", (*COLUMNS, "last_accessed_at"), "name"),
        order=sort.choice("order", ORDERS, "asc"),
    )
    rows = await call.parts.listing.search(
        call.caller(), "storage.object.list", call.bucket, wanted
    )
    return json_response(rows)


async def page(call: Call) -> Response:
    fields = await call.fields()
    sort = fields.table("sortBy")
    wanted = PageRequest(
        prefix=fields.text("prefix", ""),
        limit=fields.integer("limit", MAX_PAGE, minimum=1),
        is_folded=fields.boolean("with_delimiter", default=False),
        column=sort.choice("column", COLUMNS, "name"),
        order=sort.choice("order", ORDERS, "asc"),
        cursor=fields.optional_text("cursor"),
    )
    found = await call.parts.listing.page(
        call.caller(), "storage.object.list_v2", call.bucket, wanted
    )
    return json_response(found)
