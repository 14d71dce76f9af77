"""Bodies that lie, never end, break off or are far too large leave nothing behind."""

import asyncio
import contextlib
import socket
import threading
import time
from urllib.parse import urlsplit

import httpx
import pytest

MIB = 1024 * 1024


def connect(stack):
    parts = urlsplit(stack.url)
    connection = socket.create_connection((parts.hostname, parts.port), timeout=10)
    connection.settimeout(10)
    return connection


def head(stack, bucket, name, *lines):
    return "\r\n".join(
        [
            f"POST /storage/v1/object/{bucket}/{name} HTTP/1.1",
            "host: x",
            f"authorization: Bearer {stack.environment['SUPABASE_SERVICE_ROLE_KEY']}",
            *lines,
            "",
            "",
        ]
    ).encode()


def names(http, bucket):
    listed = http.post(f"/object/list-v2/{bucket}", json={}).json()
    return [row["name"] for row in listed["objects"]]


def own_files(stack, bucket, pattern):
    """The contents of files that begin with the bucket's name: those of this test."""
    found = []
    for path in (stack.folder / "storage").glob(pattern):
        with contextlib.suppress(FileNotFoundError):  # other tests come and go
            content = path.read_bytes()
            found += [content] if content.startswith(bucket.encode()) else []
    return found


def incoming(stack, bucket):
    return own_files(stack, bucket, "incoming/*")


def eventually(condition):
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_declared_giant_is_refused_at_once(stack, http, bucket):
    with connect(stack) as connection:
        size = 10**13
        connection.sendall(head(stack, bucket, "a", f"content-length: {size}") + b"x" * 1000)
        answer = b""
        while b'"statusCode":' not in answer and (piece := connection.recv(4096)):
            answer += piece
    assert b"400 Bad Request" in answer
    assert b'"statusCode":"413"' in answer
    assert names(http, bucket) == []


def test_an_undeclared_giant_is_cut_off(stack, http, bucket):
    """Chunked, without end: the client hears 413, and the server reads no further."""
    sent = 0
    with connect(stack) as connection:
        connection.sendall(head(stack, bucket, "a", "transfer-encoding: chunked"))
        block = b"100000\r\n" + bucket.encode().ljust(MIB, b"x") + b"\r\n"
        with contextlib.suppress(OSError):
            while sent < 500:
                connection.sendall(block)
                sent += 1
    assert sent < 250, "50 MiB are taken, 128 MiB more are dropped, and no more is read"
    assert names(http, bucket) == []
    eventually(lambda: incoming(stack, bucket) == [])


def test_a_form_above_the_limit(stack, http, bucket):
    service = {"file_size_limit": 1000}
    assert http.put(f"/bucket/{bucket}", json=service).status_code == 200
    answer = http.post(f"/object/{bucket}/a", files={"file": b"x" * 1001})
    assert answer.json()["error"] == "Payload too large"
    assert http.post(f"/object/{bucket}/a", files={"file": b"x" * 1000}).status_code == 200


@pytest.mark.parametrize("kind", ["bytes", "form"])
def test_an_upload_that_breaks_off(stack, http, bucket, kind):
    with connect(stack) as connection:
        if kind == "bytes":
            connection.sendall(head(stack, bucket, "a", f"content-length: {MIB}"))
        else:
            connection.sendall(
                head(
                    stack,
                    bucket,
                    "a",
                    f"content-length: {MIB}",
                    "content-type: multipart/form-data; boundary=b",
                )
                + b'--b\r\ncontent-disposition: form-data; name=""; filename="a"\r\n\r\n'
            )
        connection.sendall(bucket.encode().ljust(600_000, b"x"))
        eventually(lambda: incoming(stack, bucket) != [])
    eventually(lambda: incoming(stack, bucket) == [])
    assert names(http, bucket) == []


def test_a_form_without_its_end(http, bucket):
    body = b'--b\r\ncontent-disposition: form-data; name=""; filename="a"\r\n\r\nhalf'
    headers = {"content-type": "multipart/form-data; boundary=b"}
    answer = http.post(f"/object/{bucket}/a", content=body, headers=headers)
    assert answer.json()["message"] == "No content provided"
    assert names(http, bucket) == []


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=", b"x"),
        ("multipart/form-data; boundary=b", b""),
        ("multipart/form-data; boundary=b", b"rubbish"),
        ("multipart/form-data; boundary=b", b"--b--\r\n"),
        (
            "multipart/form-data; boundary=b",
            b'--b\r\ncontent-disposition: form-data; name="a"\r\n\r\nvalue\r\n--b--\r\n',
        ),
        ("multipart/form-data; boundary=" + "b" * 5000, b"x"),
        ("multipart/form-data; boundary=b", b"--b\r\n" + b"h: v\r\n" * 10_000),
        ("multipart/form-data; boundary=b", b"--b\r\nh: " + b"v" * 200_000),
    ],
)
def test_forms_that_are_none(http, bucket, content_type, body):
    headers = {"content-type": content_type}
    answer = http.post(f"/object/{bucket}/a", content=body, headers=headers)
    assert answer.status_code == 400
    assert answer.json()["statusCode"] == "400"
    assert names(http, bucket) == []


def test_metadata_is_bounded(http, bucket):
    big = {"metadata": '{"a": "' + "x" * (2 * MIB) + '"}'}
    answer = http.post(f"/object/{bucket}/a", data=big, files={"file": b"x"})
    assert answer.json()["statusCode"] == "413"
    many = {f"field{number}": "x" for number in range(50)}
    answer = http.post(f"/object/{bucket}/a", data=many, files={"file": b"x"})
    assert answer.json()["statusCode"] == "413"
    nul = {"metadata": '{"a": "\\u0000"}'}
    answer = http.post(f"/object/{bucket}/a", data=nul, files={"file": b"x"})
    assert answer.json()["statusCode"] == "400"
    assert names(http, bucket) == []


@pytest.mark.parametrize("body", [b"[", b"[]", b'"x"', b"[" * 100_000, b"\xff", b"null"])
def test_json_that_is_none(http, bucket, body):
    for path in (f"/object/list/{bucket}", f"/object/sign/{bucket}", "/object/copy", "/bucket"):
        assert http.post(path, content=body).status_code == 400


def test_slow_clients_hold_nobody_up(stack, http, bucket):
    """A hundred uploads that dawdle, and as many readers, leave the others as fast as before."""

    def work(prefix):
        started = time.monotonic()
        for number in range(20):
            assert http.post(f"/object/{bucket}/{prefix}{number}", content=b"x").is_success
            assert http.get(f"/object/{bucket}/{prefix}{number}").content == b"x"
        return time.monotonic() - started

    http.post(f"/object/{bucket}/big", content=b"x" * (8 * MIB))
    alone = work("alone")
    slow = []
    try:
        for number in range(100):
            sender = connect(stack)
            sender.sendall(head(stack, bucket, f"slow{number}", "content-length: 1000") + b"x")
            reader = connect(stack)
            reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            reader.sendall(head(stack, bucket, "big").replace(b"POST", b"GET", 1))
            slow += [sender, reader]
        for reader in slow[1::2]:
            reader.recv(100)  # its answer has begun
        assert work("beside") < 5 * alone + 5
    finally:
        for connection in slow:
            connection.close()
    eventually(lambda: incoming(stack, bucket) == [])


def test_two_uploads_of_one_name(http, bucket):
    """Only one of many simultaneous uploads wins, and it is whole."""
    bodies = [bytes([65 + number]) * 200_000 for number in range(8)]
    answers = [None] * len(bodies)

    def send(number):
        answers[number] = http.post(f"/object/{bucket}/a", content=bodies[number]).status_code

    threads = [threading.Thread(target=send, args=[number]) for number in range(len(bodies))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [200] + [400] * 7
    assert http.get(f"/object/{bucket}/a").content == bodies[answers.index(200)]


async def test_upserts_of_one_name_leave_one_file(stack, service, bucket):
    """The last one stays, and the files of the others are gone."""
    key = stack.environment["SUPABASE_SERVICE_ROLE_KEY"]
    headers = {"authorization": f"Bearer {key}", "x-upsert": "true"}
    url = f"{stack.url}/storage/v1/object/{bucket}/a"
    marker = f"{bucket}".encode()

    def files():
        return own_files(stack, bucket, "objects/??/*")

    async with httpx.AsyncClient(headers=headers, timeout=30) as client:
        answers = await asyncio.gather(
            *(client.post(url, content=marker + str(number).encode()) for number in range(20))
        )
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["Id"] for answer in answers}) == 1
    content = service.storage.from_(bucket).download("a")
    assert content.startswith(marker)
    left = await asyncio.to_thread(files)
    assert left == [content]
    service.storage.empty_bucket(bucket)
    assert await asyncio.to_thread(files) == []
