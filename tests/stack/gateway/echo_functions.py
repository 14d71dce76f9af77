"""An api whose functions tell what they were sent; run beside the tests' stack."""

import base64
import json


async def app(scope, receive, send):
    """`/functions/v1/echo` as JSON, `/text`, `/bytes`, `/fail` with its own status."""
    if scope["type"] != "http":
        return
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    name = scope["path"].removeprefix("/functions/v1/")
    headers = {key.decode(): value.decode() for key, value in scope["headers"]}
    status, kind, content = 200, b"application/json", b""
    match name:
        case "text":
            kind, content = b"text/plain", body
        case "bytes":
            kind, content = b"application/octet-stream", body[::-1]
        case "fail":
            status, content = 418, b'{"reason":"a teapot"}'
        case _:
            told = {
                "method": scope["method"],
                "path": scope["path"],
                "query": scope["query_string"].decode(),
                "headers": headers,
                "body": base64.b64encode(body).decode(),
            }
            content = json.dumps(told).encode()
    await send(
        {"type": "http.response.start", "status": status, "headers": [(b"content-type", kind)]}
    )
    await send({"type": "http.response.body", "body": content})
