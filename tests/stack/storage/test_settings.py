"""What config.toml may say of storage, and what is refused with a sentence."""

import pytest

from stack.core.config import load_config
from stack.core.errors import StackError
from stack.storage.errors import StorageError
from stack.storage.names import check_mime_type, is_valid_key, parse_configured_size, parse_size
from stack.storage.settings import Settings


def read(folder, text):
    (folder / "supabase").mkdir()
    (folder / "supabase" / "config.toml").write_text(text)
    return Settings.read(load_config(folder, folder / "stack", api_port=0, db_port=0))


def test_defaults(tmp_path):
    settings = read(tmp_path, "")
    assert settings.file_size_limit == 50 * 2**20
    assert settings.transforms_images
    assert settings.buckets == []
    assert settings.folder == (tmp_path / "stack" / "storage").resolve()


def test_everything_set(tmp_path):
    settings = read(
        tmp_path,
        '[storage]\nfile_size_limit = "1GiB"\n[storage.image_transformation]\nenabled = false\n'
        '[storage.buckets.a]\npublic = true\nfile_size_limit = "2MB"\n'
        'allowed_mime_types = ["a/*"]\n'
        "[storage.buckets.b]\n",
    )
    assert settings.file_size_limit == 2**30
    assert not settings.transforms_images
    first, second = settings.buckets
    assert (first.name, first.is_public, first.file_size_limit) == ("a", True, 2 * 2**20)
    assert first.allowed_mime_types == ["a/*"]
    assert (second.is_public, second.file_size_limit, second.allowed_mime_types) == (
        False, None, None,
    )  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        '[storage]\nfile_size_limit = "many"',
        '[storage.buckets."a/b"]\npublic = true',
        '[storage.buckets.a]\nfile_size_limit = "x"',
        '[storage.buckets.a]\nallowed_mime_types = ["no type"]',
    ],
)
def test_what_cannot_be_is_named(tmp_path, text):
    with pytest.raises(StackError, match=r"\[storage\] of config.toml"):
        read(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "size"),
    [("20GB", 20 * 10**9), ("1.5mb", 1_500_000), ("3Kb", 3000), ("7b", 7)],
)
def test_sizes_of_clients_are_decimal(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "1", "1 MB", "1MiB", "-1MB", "GB", "1MB\n"])
def test_other_sizes_are_refused(text):
    with pytest.raises(StorageError, match="Invalid file size format"):
        parse_size(text)


def test_sizes_of_the_project_are_binary():
    assert [parse_configured_size(text) for text in ("1KiB", "1KB", "1.5m", "12", 34)] == [
        1024, 1024, 1_572_864, 12, 34,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("mime_type", "rules", "fits"),
    [
        ("image/png", None, True),
        ("image/png", [], True),
        ("image/png", ["image/*"], True),
        ("image/png", ["text/*", "image/png"], True),
        ("image/png", ["*"], True),
        ("image/png", ["image/jpeg"], False),
        ("image/png; charset=x", ["image/png"], False),
        ("image", ["image/*"], False),
        ("", ["image/*"], False),
    ],
)
def test_types_are_compared_as_declared(mime_type, rules, fits):
    if fits:
        check_mime_type(mime_type, rules)
    else:
        with pytest.raises(StorageError, match="is not supported"):
            check_mime_type(mime_type, rules)


def test_keys():
    for good in ("a", "a/b.c", "ü/日本語", "a b", "..a", "a..", "a/...", "/a", "👩‍👧"):
        assert is_valid_key(good), good
    for bad in ("", "..", "a/..", "./a", "a/./b", "a\\b", "a#b", "a%b", "a\u200bb", "x" * 1025):
        assert not is_valid_key(bad), bad
