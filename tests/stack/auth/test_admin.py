"""The admin API: with a service key everything, without one nothing."""

import re
from uuid import uuid4

import bcrypt
import pytest

PASSWORD = "correct horse battery"
NOBODY = "0b5ad3f6-6f0c-4c8e-9d35-6d1a0f6f9f11"  # the same in every test process
DOORS = [
    ("GET", "/admin/users"),
    ("POST", "/admin/users"),
    ("GET", f"/admin/users/{NOBODY}"),
    ("PUT", f"/admin/users/{NOBODY}"),
    ("DELETE", f"/admin/users/{NOBODY}"),
    ("GET", f"/admin/users/{NOBODY}/factors"),
    ("DELETE", f"/admin/users/{NOBODY}/factors/{NOBODY}"),
    ("POST", "/admin/generate_link"),
    ("GET", "/admin/audit"),
    ("POST", "/invite"),
]


@pytest.mark.parametrize(("method", "path"), DOORS)
def test_doors_are_shut_for_others(api, stack, person, sign_in, bearer, method, path):
    member = api.request(method, path, json={}, headers=bearer(sign_in(person()["email"])))
    assert (member.status_code, member.json()["error_code"]) == (403, "not_admin")
    anyone = api.request(method, path, json={})
    assert (anyone.status_code, anyone.json()["error_code"]) == (403, "not_admin")


def test_older_service_key_opens_too(api, stack):
    headers = {"authorization": "Bearer " + stack.environment["SUPABASE_SERVICE_ROLE_KEY"]}
    assert api.get("/admin/users", headers=headers).status_code == 200


def test_user_from_creation_to_deletion(admin, api, email, new_email):
    user_id = str(uuid4())
    made = admin.post(
        "/admin/users",
        json={
            "id": user_id,
            "email": email,
            "phone": "+15551" + str(int(user_id[:4], 16)).zfill(6),
            "user_metadata": {"name": "Ada"},
            "app_metadata": {"plan": "pro"},
            "role": "authenticated",
            "ban_duration": "1h30m",
        },
    ).json()
    assert made["id"] == user_id
    assert made["app_metadata"] == {
        "plan": "pro",
        "provider": "email",
        "providers": ["email", "phone"],
    }
    assert {row["provider"] for row in made["identities"]} == {"email", "phone"}
    assert "email_confirmed_at" not in made
    assert made["banned_until"]
    again = admin.post("/admin/users", json={"email": email})
    assert (again.status_code, again.json()["error_code"]) == (422, "email_exists")
    same_id = admin.post("/admin/users", json={"email": new_email(), "id": user_id})
    assert same_id.status_code == 422

    other = new_email()
    changed = admin.put(
        f"/admin/users/{user_id}",
        json={
            "email": other,
            "email_confirm": True,
            "user_metadata": {"name": None, "age": 36},
            "app_metadata": {"plan": "free"},
            "ban_duration": "none",
            "password": PASSWORD,
        },
    ).json()
    assert (changed["email"], changed["app_metadata"]["plan"]) == (other, "free")
    assert changed["user_metadata"] == {"age": 36, "email_verified": True}
    assert "banned_until" not in changed
    body = {"email": other, "password": PASSWORD}
    assert api.post("/token?grant_type=password", json=body).status_code == 200

    assert admin.delete(f"/admin/users/{user_id}").json() == {}
    gone = admin.get(f"/admin/users/{user_id}")
    assert (gone.status_code, gone.json()["error_code"]) == (404, "user_not_found")


def test_soft_deletion_hides_the_person(admin, api, person, sign_in, bearer, db):
    user = person()
    session = sign_in(user["email"])
    path = f"/admin/users/{user['id']}"
    assert admin.request("DELETE", path, json={"should_soft_delete": True}).status_code == 200
    kept = admin.get(path).json()
    assert kept["deleted_at"]
    assert kept["email"] != user["email"]
    assert kept["user_metadata"] == {}
    assert user["email"] not in str(
        db.execute("select u::text from auth.users as u where id = %s", [user["id"]]).fetchone()
    )
    assert api.get("/user", headers=bearer(session)).status_code == 403
    # and the address is free again
    assert admin.post("/admin/users", json={"email": user["email"]}).status_code == 200


@pytest.mark.parametrize("prefix", [b"2a", b"2b", b"2y"])
def test_imported_hash_signs_in(admin, api, email, prefix):
    hashed = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(6)).replace(b"2b", prefix, 1).decode()
    body = {"email": email, "password_hash": hashed, "email_confirm": True}
    assert admin.post("/admin/users", json=body).status_code == 200
    for password, status in ((PASSWORD, 200), ("wrong", 400)):
        body = {"email": email, "password": password}
        assert api.post("/token?grant_type=password", json=body).status_code == status


@pytest.mark.parametrize("hashed", ["md5", "$2b$31$" + "a" * 53, "$argon2id$v=19$m=1,t=1,p=1$a$b"])
def test_other_hashes_are_refused(admin, email, hashed):
    refused = admin.post("/admin/users", json={"email": email, "password_hash": hashed})
    assert (refused.status_code, refused.json()["error_code"]) == (400, "validation_failed")


def test_pages_are_counted(admin, person):
    for _ in range(3):
        person()
    for _ in range(50):  # until nobody came in between
        first = admin.get("/admin/users?page=1&per_page=2")
        total = int(first.headers["x-total-count"])
        last = -(-total // 2)
        end = admin.get(f"/admin/users?page={last}&per_page=2")
        if int(end.headers["x-total-count"]) == total:
            break
    assert len(first.json()["users"]) == 2
    assert first.json()["aud"] == "authenticated"
    assert first.headers["link"] == (
        '</admin/users?page=2&per_page=2>; rel="next",'
        f' </admin/users?page={last}&per_page=2>; rel="last"'
    )
    assert re.fullmatch(r'<[^>]+>; rel="last"', end.headers["link"])
    assert admin.get("/admin/users?page=x").status_code == 400
    assert admin.get("/admin/users?page=-1").status_code == 400


def test_users_are_found_by_part_of_their_address(admin, person):
    user = person()
    found = admin.get("/admin/users", params={"filter": user["email"][:20]}).json()["users"]
    assert [row["id"] for row in found] == [user["id"]]
    assert admin.get("/admin/users", params={"filter": "%"}).json()["users"] == []


@pytest.mark.parametrize("kind", ["signup", "invite", "magiclink", "recovery"])
def test_generated_links_open(admin, api, person, new_email, kind):
    known = kind in ("magiclink", "recovery")
    email = person()["email"] if known else new_email()
    body = {"type": kind, "email": email, "password": PASSWORD, "data": {"a": 1}}
    link = admin.post(
        "/admin/generate_link?redirect_to=https://app.example.com/in", json=body
    ).json()
    assert link["verification_type"] == kind
    assert link["redirect_to"] == "https://app.example.com/in"
    assert len(link["email_otp"]) == 6
    if not known:
        assert link["user_metadata"] == {"a": 1}
    answer = api.get(link["action_link"])
    assert "#access_token=" in answer.headers["location"]


@pytest.mark.parametrize("is_both", [True, False])
def test_generated_change_of_address(admin, api, person, new_email, is_both):
    old, new = person()["email"], new_email()
    links = {
        kind: admin.post(
            "/admin/generate_link", json={"type": kind, "email": old, "new_email": new}
        ).json()
        for kind in ("email_change_current", "email_change_new")
    }
    first = api.post(
        "/verify",
        json={"type": "email_change", "token_hash": links["email_change_new"]["hashed_token"]},
    )
    assert first.json()["code"] == "200"
    if is_both:
        current = links["email_change_current"]["hashed_token"]
        last = api.post("/verify", json={"type": "email_change", "token_hash": current}).json()
        assert last["user"]["email"] == new


def test_links_for_strangers(admin, new_email):
    stranger = {"email": new_email()}
    made = admin.post("/admin/generate_link", json={"type": "magiclink", **stranger}).json()
    assert made["verification_type"] == "signup"
    for kind in ("recovery", "email_change_new"):
        body = {"type": kind, "email": new_email(), "new_email": new_email()}
        unknown = admin.post("/admin/generate_link", json=body)
        assert (unknown.status_code, unknown.json()["error_code"]) == (404, "user_not_found")


def test_audit_log_tells_who_did_what(admin, api, person, sign_in):
    user = person()
    sign_in(user["email"])
    found = admin.get("/admin/audit", params={"query": f"author:{user['email']}"})
    [entry] = found.json()
    assert entry["payload"]["action"] == "login"
    assert entry["payload"]["log_type"] == "account"
    assert entry["payload"]["actor_id"] == user["id"]
    assert entry["payload"]["traits"] == {"provider": "email"}
    assert entry["ip_address"] == "127.0.0.1"
    assert found.headers["x-total-count"] == "1"
    assert admin.get("/admin/audit?query=payload:x").status_code == 400
