"""`/docs`: the interactive description, with its script from this machine: it works offline."""

from importlib.resources import files
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import FileResponse, HTMLResponse

from api.errors import NotFound

router = APIRouter(include_in_schema=False)

_ASSETS = Path(str(files("fastapi_offline") / "static"))
_NAMES = ("swagger-ui-bundle.js", "swagger-ui.css", "favicon.png")
# the page starts its script inline; nothing of it comes from elsewhere
_POLICY = (
    "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline';"
    " img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'"
)


@router.get("/docs")
async def docs(request: Request) -> HTMLResponse:
    """Swagger UI over `/openapi.json`."""
    root = request.scope.get("root_path", "")
    page = get_swagger_ui_html(
        openapi_url=f"{root}/openapi.json",
        title="Guildhall",
        swagger_js_url=f"{root}/docs/swagger-ui-bundle.js",
        swagger_css_url=f"{root}/docs/swagger-ui.css",
        swagger_favicon_url=f"{root}/docs/favicon.png",
    )
    page.headers["Content-Security-Policy"] = _POLICY
    return page


@router.get("/docs/{name}")
async def asset(name: str) -> FileResponse:
    """A file of Swagger UI."""
    if name not in _NAMES:
        raise NotFound("Not Found.")
    return FileResponse(_ASSETS / name, headers={"Cache-Control": "public, max-age=86400"})
