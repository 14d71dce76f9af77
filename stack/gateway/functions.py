"""`/functions/v1/*`: handed on to the project's api, where a hosted project has edge functions."""

import httpx
from starlette.types import Receive, Scope, Send

from stack.core.http import BodyTooLarge, read_body, send_bytes, send_json
from stack.core.service import Ground
from stack.environment import environment

_MAX_BODY = 10 * 1024 * 1024
_TIMEOUT_SECONDS = 60
_HOP_BY_HOP = {
    b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-authorization", b"te",
    b"trailer", b"transfer-encoding", b"upgrade", b"host", b"content-length",
}  # fmt: skip


class FunctionsProxy:
    """Forwards a call to the api's `/functions/v1/…`, body and headers as they came."""

    def __init__(self, ground: Ground) -> None:
        self._target = environment(ground.config).get("API_URL")
        self._client: httpx.AsyncClient | None = None

    async def start(self) -> None:
        self._client = httpx.AsyncClient(timeout=_TIMEOUT_SECONDS, trust_env=False)

    async def stop(self) -> None:
        if self._client is not None:
            await self._client.aclose()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        if self._target is None or self._client is None:
            await send_json(send, 404, {"code": "NOT_FOUND", "message": "no functions are served"})
            return
        try:
            body = await read_body(receive, _MAX_BODY)
            query = scope["query_string"]
            answer = await self._client.request(
                scope["method"],
                self._target
                + scope["raw_path"].decode("ascii").split("?")[0]
                + ("?" + query.decode("latin-1") if query else ""),
                headers=[pair for pair in scope["headers"] if pair[0] not in _HOP_BY_HOP],
                content=body,
            )
        except BodyTooLarge:
            await send_json(send, 413, {"code": "TOO_LARGE", "message": "the body is too large"})
        except httpx.HTTPError:
            await send_json(
                send, 503, {"code": "BOOT_ERROR", "message": "the functions' server is not running"}
            )
        else:
            headers = [
                (name.lower(), value)
                for name, value in answer.headers.raw
                if name.lower() not in _HOP_BY_HOP | {b"content-encoding"}
            ]
            await send_bytes(send, answer.status_code, answer.content, headers)
