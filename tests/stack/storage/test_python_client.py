"""supabase-py stores and reads files, sync and async alike."""

from io import BytesIO
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from storage3.exceptions import StorageApiError

from supabase import acreate_client


def test_buckets(service):
    name = f"b-{uuid4()}"
    options = {"public": True, "file_size_limit": 100, "allowed_mime_types": ["text/*"]}
    service.storage.create_bucket(name, options=options)
    bucket = service.storage.get_bucket(name)
    assert (bucket.id, bucket.public, bucket.file_size_limit) == (name, True, 100)
    assert bucket.allowed_mime_types == ["text/*"]
    service.storage.update_bucket(name, {"public": False})
    assert [b.public for b in service.storage.list_buckets() if b.id == name] == [False]
    service.storage.empty_bucket(name)
    service.storage.delete_bucket(name)
    with pytest.raises(StorageApiError, match="Bucket not found"):
        service.storage.get_bucket(name)


def test_uploads_in_every_form(service, bucket, tmp_path: Path):
    files = service.storage.from_(bucket)
    path = tmp_path / "a.txt"
    path.write_bytes(b"from the disk")
    assert files.upload("disk/path.txt", path).full_path == f"{bucket}/disk/path.txt"
    with path.open("rb") as stream:
        files.upload("disk/stream.txt", stream)
    files.upload(
        "bytes.txt",
        b"bytes",
        {"content-type": "text/css", "cache-control": "60", "metadata": {"a": 1}},
    )
    assert files.download("disk/path.txt") == files.download("disk/stream.txt") == b"from the disk"
    info = files.info("bytes.txt")
    assert info["content_type"] == "text/css"
    assert info["cache_control"] == "max-age=60"
    assert info["metadata"] == {"a": 1}
    with pytest.raises(StorageApiError, match="already exists"):
        files.upload("bytes.txt", b"again")
    files.upload("bytes.txt", b"upsert", {"upsert": "true"})
    files.update("bytes.txt", b"update")
    assert files.download("bytes.txt") == b"update"


def test_everything_else(service, bucket):
    files = service.storage.from_(bucket)
    for name in ("a.txt", "dir/b.txt", "dir/c.txt"):
        files.upload(name, name.encode())
    assert [row["name"] for row in files.list()] == ["a.txt", "dir"]
    page = files.list_v2({"with_delimiter": True, "limit": 1})
    assert page.hasNext
    assert [row.name for row in page.objects] == ["a.txt"]
    rest = files.list_v2({"with_delimiter": True, "cursor": page.nextCursor})
    assert [row.name for row in rest.folders] == ["dir/"]
    assert files.exists("a.txt")
    assert not files.exists("z.txt")
    files.move("a.txt", "moved.txt")
    files.copy("moved.txt", "copied.txt")
    assert files.download("copied.txt") == b"a.txt"
    url = files.create_signed_url("moved.txt", 60)["signedURL"]
    assert httpx.get(url).content == b"a.txt"
    urls = files.create_signed_urls(["moved.txt", "none"], 60)
    assert httpx.get(urls[0]["signedURL"]).content == b"a.txt"
    assert urls[1]["error"]
    signed = files.create_signed_upload_url("signed.txt")
    files.upload_to_signed_url("signed.txt", signed["token"], b"signed")
    assert files.download("signed.txt") == b"signed"
    gone = files.remove(["moved.txt", "dir/b.txt"])
    assert sorted(row["name"] for row in gone) == ["dir/b.txt", "moved.txt"]


def test_images(service, bucket):
    from PIL import Image

    files = service.storage.from_(bucket)
    out = BytesIO()
    Image.new("RGB", (400, 300), "red").save(out, "JPEG")
    files.upload("a.jpg", out.getvalue(), {"content-type": "image/jpeg"})
    small = files.download("a.jpg", {"transform": {"width": 40, "height": 40}})
    with Image.open(BytesIO(small)) as picture:
        assert (picture.size, picture.format) == ((40, 40), "JPEG")
        assert picture.getpixel((20, 20))[0] > 240


@pytest.mark.parametrize(
    ("mode", "kind"),
    [
        ("P", "GIF"),
        ("P", "PNG"),
        ("LA", "PNG"),
        ("1", "PNG"),
        ("I;16", "PNG"),
        ("CMYK", "JPEG"),
        ("L", "JPEG"),
        ("RGBA", "WEBP"),
        ("RGB", "AVIF"),
        ("RGB", "BMP"),
        ("RGB", "TIFF"),
        ("RGB", "MPO"),
    ],
)
def test_every_kind_of_image(service, bucket, mode, kind):
    from PIL import Image

    files = service.storage.from_(bucket)
    out = BytesIO()
    first = Image.new(mode, (60, 40))
    more = {"save_all": True, "append_images": [Image.new(mode, (60, 40))]} if kind == "MPO" else {}
    first.save(out, kind, **more)
    files.upload("a", out.getvalue(), {"content-type": "image/x"})
    for transform in ({"width": 30}, {"width": 30, "format": "avif"}, {"quality": 50}):
        small = files.download("a", {"transform": transform})
        with Image.open(BytesIO(small)) as picture:
            assert picture.size == ((30, 20) if "width" in transform else (60, 40))


def test_a_stranger_sees_nothing(member):
    mine, theirs = str(uuid4()), str(uuid4())
    files = member(mine).storage.from_("members")
    files.upload(f"{mine}/a.txt", b"mine")
    assert files.download(f"{mine}/a.txt") == b"mine"
    other = member(theirs).storage.from_("members")
    with pytest.raises(StorageApiError, match="Object not found"):
        other.download(f"{mine}/a.txt")
    with pytest.raises(StorageApiError, match="row-level security"):
        other.upload(f"{mine}/b.txt", b"theirs")
    assert other.remove([f"{mine}/a.txt"]) == []
    assert other.list(mine) == []


async def test_async(stack):
    client = await acreate_client(stack.url, stack.secret_key)
    name = f"b-{uuid4()}"
    await client.storage.create_bucket(name)
    files = client.storage.from_(name)
    await files.upload("dir/a.txt", b"one")
    await files.update("dir/a.txt", b"two")
    assert await files.download("dir/a.txt") == b"two"
    assert (await files.info("dir/a.txt"))["size"] == 3
    assert [row["name"] for row in await files.list("dir")] == ["a.txt"]
    assert [row.name for row in (await files.list_v2()).objects] == ["dir/a.txt"]
    assert await files.exists("dir/a.txt")
    await files.copy("dir/a.txt", "b.txt")
    await files.move("b.txt", "c.txt")
    signed = await files.create_signed_upload_url("d.txt")
    await files.upload_to_signed_url("d.txt", signed["token"], b"signed")
    url = (await files.create_signed_url("d.txt", 60, {"download": True}))["signedURL"]
    async with httpx.AsyncClient() as http:
        answer = await http.get(url)
    assert answer.content == b"signed"
    assert answer.headers["content-disposition"] == "attachment"
    assert len(await files.remove(["c.txt", "d.txt", "dir/a.txt"])) == 3
    await client.storage.delete_bucket(name)
