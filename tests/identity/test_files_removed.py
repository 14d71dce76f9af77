"""Deleting an account removes what its person had uploaded, through the Storage API."""

import time
import uuid

import httpx
import jwt
import psycopg


def test_avatars_go_with_their_owner(guildhall_stack):
    stack = guildhall_stack
    user, stranger = uuid.uuid4(), uuid.uuid4()
    with psycopg.connect(stack.database_url) as db:
        for one in (user, stranger):
            db.execute(
                "insert into auth.users (id, aud, role, email)"
                " values (%s, 'authenticated', 'authenticated', %s)",
                [one, f"{one}@example.com"],
            )
    clients = {}
    for one in (user, stranger):
        claims = {"sub": str(one), "role": "authenticated", "exp": time.time() + 600}
        token = jwt.encode(claims, stack.jwt_secret, "HS256")
        clients[one] = httpx.Client(
            base_url=stack.url,
            headers={"apikey": stack.publishable_key, "authorization": f"Bearer {token}"},
        )
        upload = clients[one].post(
            f"/storage/v1/object/avatars/{one}/me.png",
            content=b"picture",
            headers={"content-type": "image/png"},
        )
        assert upload.status_code == 200, upload.text
    public = f"{stack.url}/storage/v1/object/public/avatars"
    assert clients[user].post("/rest/v1/rpc/delete_account", json={}).status_code == 204
    deadline = time.monotonic() + 20
    while httpx.get(f"{public}/{user}/me.png").status_code == 200:
        assert time.monotonic() < deadline, "the file is still there"
        time.sleep(0.1)
    assert httpx.get(f"{public}/{stranger}/me.png").content == b"picture"
