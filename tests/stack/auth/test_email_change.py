"""A change of address: asked of both owners, or of one, and never against another's."""

from urllib.parse import parse_qsl, urlsplit

ACCEPTED = "Confirmation link accepted. Please proceed to confirm link sent to the other email"


def ask(client, headers, address):
    return client.put("/user", json={"email": address}, headers=headers)


def test_both_addresses_confirm(api, inbox, person, sign_in, bearer, new_email):
    old, new = person()["email"], new_email()
    headers = bearer(sign_in(old))
    asked = ask(api, headers, new).json()
    assert (asked["email"], asked["new_email"]) == (old, new)
    [first], [second] = inbox(old)["links"], inbox(new)["links"]
    location = api.get(first).headers["location"]
    assert dict(parse_qsl(urlsplit(location).fragment)) == {"message": ACCEPTED}
    assert api.get("/user", headers=headers).json()["email"] == old
    done = dict(parse_qsl(urlsplit(api.get(second).headers["location"]).fragment))
    assert done["type"] == "email_change"
    user = api.get("/user", headers=headers).json()
    assert user["email"] == new
    assert "new_email" not in user
    assert user["identities"][0]["identity_data"]["email"] == new


def test_codes_do_as_links_do(api, inbox, person, sign_in, bearer, new_email):
    old, new = person()["email"], new_email()
    ask(api, bearer(sign_in(old)), new)
    steps = [(address, inbox(address)["codes"][0]) for address in (new, old)]
    answers = [
        api.post("/verify", json={"email": address, "token": code, "type": "email_change"}).json()
        for address, code in steps
    ]
    assert answers[0] == {"msg": ACCEPTED, "code": "200"}
    assert answers[1]["user"]["email"] == new


def test_one_address_cannot_confirm_twice(api, inbox, person, sign_in, bearer, new_email):
    old, new = person()["email"], new_email()
    headers = bearer(sign_in(old))
    ask(api, headers, new)
    [code] = inbox(new)["codes"]
    body = {"email": new, "token": code, "type": "email_change"}
    assert api.post("/verify", json=body).json()["msg"] == ACCEPTED
    assert api.post("/verify", json=body).status_code == 403
    assert api.get("/user", headers=headers).json()["email"] == old


async def test_single_confirmation(variant, inbox, person, sign_in, bearer, new_email):
    client = await variant({"email": {"double_confirm_changes": False}})
    old, new = person()["email"], new_email()
    await ask(client, bearer(sign_in(old)), new)
    [code] = inbox(new)["codes"]
    body = {"email": new, "token": code, "type": "email_change"}
    assert (await client.post("/verify", json=body)).json()["user"]["email"] == new


def test_anothers_address_is_refused(api, person, sign_in, bearer):
    taken = person()["email"]
    refused = ask(api, bearer(sign_in(person()["email"])), taken)
    assert (refused.status_code, refused.json()["error_code"]) == (422, "email_exists")


def test_address_taken_meanwhile_is_refused(api, admin, inbox, person, sign_in, bearer, new_email):
    old, new = person()["email"], new_email()
    headers = bearer(sign_in(old))
    ask(api, headers, new)
    admin.post("/admin/users", json={"email": new, "email_confirm": True})
    for address in (old, new):
        [code] = inbox(address)["codes"]
        body = {"email": address, "token": code, "type": "email_change"}
        last = api.post("/verify", json=body)
    assert (last.status_code, last.json()["error_code"]) == (422, "email_exists")
    assert api.get("/user", headers=headers).json()["email"] == old


def test_anonymous_user_becomes_a_member(api, inbox, bearer, email):
    session = api.post("/signup", json={}).json()
    headers = bearer(session)
    alone = api.put("/user", json={"password": "correct horse"}, headers=headers)
    assert (alone.status_code, alone.json()["error_code"]) == (422, "validation_failed")
    assert ask(api, headers, email).json()["is_anonymous"] is True
    [code] = inbox(email)["codes"]
    body = {"email": email, "token": code, "type": "email_change"}
    member = api.post("/verify", json=body).json()["user"]
    assert member["id"] == session["user"]["id"]
    assert member["is_anonymous"] is False
    assert member["email_confirmed_at"]
    assert [row["provider"] for row in member["identities"]] == ["email"]
    assert member["app_metadata"] == {"provider": "email", "providers": ["email"]}


async def test_anonymous_user_becomes_a_member_at_once_without_confirmations(
    variant, bearer, email
):
    client = await variant({"email": {"enable_confirmations": False}})
    headers = bearer((await client.post("/signup", json={})).json())
    member = (await ask(client, headers, email)).json()
    assert (member["email"], member["is_anonymous"]) == (email, False)
