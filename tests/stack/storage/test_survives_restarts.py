"""A killed stack leaves no half object, forgets no resumable upload and clears what it orphaned."""

import base64
import os
import signal
import socket
import time
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import pytest

from tests.stack.commands.commands import Commands

MIB = 1024 * 1024


def eventually(condition):
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture
def own(tmp_path_factory):
    """A stack of the test's own, with the project's buckets of config.toml."""
    place = tmp_path_factory.mktemp("storage-restarts")
    for folder in (place, *place.parents):
        if folder.name.startswith("pytest"):
            folder.chmod(0o755)  # as root, Postgres runs as another user
    project = place / "project"
    (project / "supabase" / "migrations").mkdir(parents=True)
    (project / "supabase" / "config.toml").write_text(
        'project_id = "restarts"\n[storage.buckets.kept]\npublic = true\n'
        'file_size_limit = "10MiB"\n'
    )
    one = Commands(project, place / "stack")
    yield one
    one.run("reset")


def client(own):
    env = own.up()
    key = env["SUPABASE_SERVICE_ROLE_KEY"]
    headers = {"authorization": f"Bearer {key}"}
    return httpx.Client(base_url=f"{env['SUPABASE_URL']}/storage/v1", headers=headers, timeout=10)


def test_killed_in_the_middle(own):
    storage = own.folder / "storage"
    http = client(own)
    bucket = http.get("/bucket/kept").json()
    assert (bucket["public"], bucket["file_size_limit"]) == (True, 10 * MIB)
    content = os.urandom(MIB)
    http.post("/object/kept/whole", content=content).raise_for_status()

    # half of a plain upload
    parts = urlsplit(str(http.base_url))
    plain = socket.create_connection((parts.hostname, parts.port))
    head = (
        "POST /storage/v1/object/kept/half HTTP/1.1\r\nhost: x\r\n"
        f"authorization: {http.headers['authorization']}\r\ncontent-length: {4 * MIB}\r\n\r\n"
    )
    plain.sendall(head.encode() + content)
    eventually(lambda: list((storage / "incoming").iterdir()))

    # half of a resumable one
    pairs = {"bucketName": "kept", "objectName": "resumed", "contentType": "image/png"}
    metadata = ",".join(
        f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in pairs.items()
    )
    tus = {"tus-resumable": "1.0.0"}
    made = http.post(
        "/upload/resumable",
        headers=tus | {"upload-length": str(MIB), "upload-metadata": metadata},
    )
    path = urlsplit(made.headers["location"]).path.removeprefix("/storage/v1")
    patch = tus | {"content-type": "application/offset+octet-stream"}
    http.patch(
        path, headers=patch | {"upload-offset": "0"}, content=content[: MIB // 2]
    ).raise_for_status()

    # a file without a row, as a kill between the rename and the commit leaves it
    orphan = storage / "objects" / "00" / f"00{str(uuid4())[2:]}"
    orphan.parent.mkdir(exist_ok=True)
    orphan.write_bytes(b"orphan")
    stranger = storage / "objects" / "00" / "not-a-version"
    stranger.write_bytes(b"")
    for file in (orphan, stranger):
        os.utime(file, (1, 1))

    os.kill(own.running().pid, signal.SIGKILL)
    plain.close()
    http = client(own)

    assert list((storage / "incoming").iterdir()) == []
    eventually(lambda: not orphan.exists())
    assert http.get("/object/kept/half").json()["statusCode"] == "404"
    assert http.get("/object/public/kept/whole").content == content
    left = http.head(path, headers=tus)
    assert left.headers["upload-offset"] == str(MIB // 2)
    done = http.patch(
        path, headers=patch | {"upload-offset": str(MIB // 2)}, content=content[MIB // 2 :]
    )
    assert done.status_code == 204
    resumed = http.get("/object/public/kept/resumed")
    assert resumed.content == content
    assert resumed.headers["content-type"] == "image/png"
    assert len(files_of(storage)) == 2

    # an upload nobody came back for
    made = http.post(
        "/upload/resumable",
        headers=tus | {"upload-length": "5", "upload-metadata": metadata, "x-upsert": "true"},
    )
    path = urlsplit(made.headers["location"]).path.removeprefix("/storage/v1")
    (description,) = (storage / "resumable").glob("*.json")
    text = description.read_text()
    before, _, after = text.partition('"expires_at": ')
    description.write_text(before + '"expires_at": 1' + after[after.index("}") :])
    assert http.head(path, headers=tus).status_code == 410
    assert list((storage / "resumable").iterdir()) == []

    # pointed at another database, none of whose rows names these files
    (storage / "database").write_text("another")
    for file in files_of(storage):
        os.utime(file, (1, 1))
    own.run("down")
    http = client(own)
    http.post("/object/kept/later", content=b"x").raise_for_status()
    time.sleep(0.5)
    assert len(files_of(storage)) == 3


def files_of(storage: Path):
    return [file for file in storage.glob("objects/??/*") if len(file.name) == 36]
