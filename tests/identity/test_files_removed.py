"""Deleting an account removes what its person had uploaded, through the Storage API."""

import time
import uuid

import httpx
import jwt
import psycopg
import pytest


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


@pytest.mark.parametrize(
    ("name", "is_taken"),
    [("me.png", True), ("2026/me.png", False), ("a/b/me.png", False), ("x" * 101, False)],
)
def test_pictures_stand_right_in_ones_folder(cast, db, name, is_taken):
    """What is deeper would be seen by nobody who looks into the folder."""
    person = cast["creator"]
    add = "insert into storage.objects (bucket_id, name) values ('avatars', %s)"
    assert (person.outcome(add, [f"{person.id}/{name}"]) == "row") is is_taken
    db.execute(add, [f"{person.id}/old.png"])
    move = "update storage.objects set name = %s where name = %s"
    told = person.outcome(move, [f"{person.id}/{name}", f"{person.id}/old.png"])
    assert (told == "denied") is not is_taken


def test_what_stands_deeper_goes_too(guildhall_stack):
    """Put there before the policy was so narrow, or with the secret key."""
    stack, user = guildhall_stack, uuid.uuid4()
    with psycopg.connect(stack.database_url) as db:
        db.execute(
            "insert into auth.users (id, aud, role, email)"
            " values (%s, 'authenticated', 'authenticated', %s)",
            [user, f"{user}@example.com"],
        )
    names = ["me.png", "2026/me.png", "2026/11/me.png", "2026/11/you.png", "old/me.png"]
    with httpx.Client(base_url=stack.url, headers={"apikey": stack.secret_key}) as client:
        for name in names:
            answer = client.post(
                f"/storage/v1/object/avatars/{user}/{name}",
                content=b"picture",
                headers={"content-type": "image/png"},
            )
            assert answer.status_code == 200, answer.text
    claims = {"sub": str(user), "role": "authenticated", "exp": time.time() + 600}
    token = jwt.encode(claims, stack.jwt_secret, "HS256")
    httpx.post(
        f"{stack.url}/rest/v1/rpc/delete_account",
        headers={"apikey": stack.publishable_key, "authorization": f"Bearer {token}"},
        json={},
    ).raise_for_status()
    deadline = time.monotonic() + 20
    left = set(names)
    while left:
        assert time.monotonic() < deadline, f"still there: {left}"
        time.sleep(0.1)
        public = f"{stack.url}/storage/v1/object/public/avatars/{user}"
        left = {name for name in left if httpx.get(f"{public}/{name}").status_code == 200}
