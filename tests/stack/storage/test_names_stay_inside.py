"""Whatever an object is called, it lands inside the storage folder, or nowhere."""

import unicodedata
from urllib.parse import quote
from uuid import uuid4

import httpx
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stack.storage.names import MAX_KEY_BYTES, is_valid_key

EVIL = [
    "../../../../tmp/evil",
    "..",
    ".",
    "a/../../b",
    "a/./b",
    "/../x",
    "..\\..\\x",
    "a\\b",
    "a\x00b",
    "%2e%2e/x",
    "a%2f..%2fb",
    "a\nb",
    "a\x7fb",
    "\u202eexe.txt",
    "\ufeffa",
    "x" * (MAX_KEY_BYTES + 1),
    "ü" * (MAX_KEY_BYTES // 2 + 1),
]


@pytest.mark.parametrize("name", EVIL, ids=range(len(EVIL)))
def test_evil_names_are_refused(http, bucket, name):
    path = quote(name, safe="/").replace(".", "%2e")
    answer = http.post(f"/object/{bucket}/{path}", content=b"evil")
    assert answer.status_code in (400, 404)
    assert http.post(f"/object/list-v2/{bucket}", json={}).json()["objects"] == []
    for body in ({"destinationKey": name}, {"destinationKey": "x", "destinationBucket": name}):
        http.post(f"/object/{bucket}/source", content=b"x")
        asked = {"bucketId": bucket, "sourceKey": "source"} | body
        for verb in ("move", "copy"):
            assert http.post(f"/object/{verb}", json=asked).status_code == 400
        http.delete(f"/object/{bucket}/source")


@pytest.mark.parametrize("name", ["a\n", "\na", "a\nb", "folder/a\n", "\n"])
def test_a_lines_end_is_not_cut_off(http, bucket, name):
    answer = http.post(f"/object/{bucket}/{quote(name, safe='')}", content=b"x")
    assert (answer.status_code, answer.json()["error"]) == (400, "InvalidKey")
    assert http.post(f"/object/list-v2/{bucket}", json={}).json()["objects"] == []


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(name=st.text(min_size=1, max_size=60))
def test_any_name_round_trips_or_is_refused(http, bucket, stack, name):
    answer = http.post(f"/object/{bucket}/{quote(name, safe='')}", content=name.encode("utf-8"))
    if is_valid_key(name):
        assert answer.status_code == 200, answer.text
        assert answer.json()["Key"] == f"{bucket}/{name}"
        assert http.get(f"/object/{bucket}/{quote(name, safe='')}").content == name.encode()
        assert http.request("DELETE", f"/object/{bucket}", json={"prefixes": [name]}).json()
    else:
        assert answer.status_code in (400, 404)
    assert {entry.name for entry in (stack.folder / "storage").iterdir()} == {
        "database", "objects", "incoming", "resumable",
    }  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(text=st.text(max_size=30))
def test_any_text_can_be_asked_for(http, bucket, text):
    """Names, prefixes and searches of any kind find nothing, and break nothing."""
    lookups = [
        ("POST", f"/object/list/{bucket}", {"prefix": text, "search": text}),
        ("POST", f"/object/list-v2/{bucket}", {"prefix": text, "with_delimiter": True}),
        ("POST", f"/object/list-v2/{bucket}", {"cursor": text}),
        ("POST", f"/object/sign/{bucket}", {"paths": [text], "expiresIn": 5}),
        ("DELETE", f"/object/{bucket}", {"prefixes": [text]}),
        ("POST", "/bucket", {"name": text, "type": "NONE"}),
    ]
    for method, path, body in lookups:
        answer = http.request(method, path, json=body)
        assert answer.status_code in (200, 400, 501), (path, answer.text)


def test_a_row_written_by_sql_leads_nowhere(http, bucket, stack):
    # in a folder that is there anyway: another test lists what lies beside it
    secret = stack.folder / "storage" / "incoming" / "secret.txt"
    secret.write_text("secret")
    up = "../incoming/secret.txt"
    try:
        with psycopg.connect(stack.database_url, autocommit=True) as connection:
            for number, version in enumerate(
                [up, f"../{up}", "../../secrets.json", str(secret), str(uuid4()), None]
            ):
                connection.execute(
                    "insert into storage.objects (bucket_id, name, version) values (%s, %s, %s)",
                    [bucket, f"n{number}", version],
                )
                answer = http.get(f"/object/{bucket}/n{number}")
                assert (answer.status_code, answer.json()["statusCode"]) == (400, "404")
                image = http.get(f"/render/image/authenticated/{bucket}/n{number}?width=9")
                assert image.status_code == 400
                copied = {"bucketId": bucket, "sourceKey": f"n{number}", "destinationKey": "c"}
                assert http.post("/object/copy", json=copied).status_code == 400
        names = [f"n{number}" for number in range(6)]
        gone = http.request("DELETE", f"/object/{bucket}", json={"prefixes": names})
        assert len(gone.json()) == 6
        assert secret.read_text() == "secret"
    finally:
        secret.unlink()


def test_headers_cannot_be_smuggled(http, bucket, stack):
    metadata = '{"mimetype": "text/plain\\r\\nx-evil: 1", "cacheControl": "a\\nb"}'
    with psycopg.connect(stack.database_url, autocommit=True) as connection:
        connection.execute(
            "insert into storage.objects (bucket_id, name, metadata) values (%s, 'a', %s)",
            [bucket, metadata],
        )
    answer = http.get(f"/object/{bucket}/a")
    assert answer.status_code == 400
    assert "x-evil" not in answer.headers
    form = {"contentType": "text/plain\r\nx-evil: 1"}
    sent = http.post(f"/object/{bucket}/b", data=form, files={"file": b"x"})
    assert sent.json()["error"] == "invalid_header_char"
    named = http.get(f"/object/{bucket}/a?download=a%0d%0ax-evil:1")
    assert "x-evil" not in named.headers


def test_paths_of_urls_are_read_once(http, bucket):
    """`%252e` is the text `%2e`, which no key may hold; it is not decoded a second time."""
    answer = http.post(f"/object/{bucket}/%252e%252e/x", content=b"x")
    assert answer.json()["error"] == "InvalidKey"


def test_normal_forms_are_different_names(http, bucket):
    for form in ("NFC", "NFD"):
        name = unicodedata.normalize(form, "ü.txt")
        sent = http.post(f"/object/{bucket}/{quote(name)}", content=form.encode())
        assert sent.status_code == 200
    listed = http.post(f"/object/list-v2/{bucket}", json={}).json()
    assert len(listed["objects"]) == 2


def test_invalid_utf8_in_a_path(storage_url, stack, bucket):
    url = httpx.URL(f"{storage_url}/object/{bucket}/").copy_with(
        raw_path=f"/storage/v1/object/{bucket}/%ff%fe".encode()
    )
    headers = {"authorization": f"Bearer {stack.environment['SUPABASE_SERVICE_ROLE_KEY']}"}
    assert httpx.post(url, content=b"x", headers=headers).status_code in (200, 400)
