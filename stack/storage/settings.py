"""What the `[storage]` section of config.toml says, and the limits that it does not name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from stack.core.config import Config
from stack.core.errors import StackError
from stack.storage.errors import StorageError
from stack.storage.names import check_bucket_name, check_mime_rules, parse_configured_size

DEFAULT_FILE_SIZE_LIMIT = "50MiB"  # as the official CLI has it
CHUNK_BYTES = 256 * 1024  # held in memory per request: reading, writing, hashing
MAX_JSON_BYTES = 8 * 1024 * 1024  # a list of names to sign or remove
MAX_METADATA_BYTES = 1024 * 1024  # of a user's own metadata
MAX_DRAINED_BYTES = 128 * 1024 * 1024  # read and dropped so that a refused client hears the answer
UPLOAD_URL_SECONDS = 2 * 60 * 60  # life of a signed upload URL
RESUMABLE_SECONDS = 24 * 60 * 60  # life of an unfinished resumable upload
EXPIRY_CHECK_SECONDS = 60 * 60  # between looks for uploads that nobody came back to
MAX_IMAGE_BYTES = 25 * 1024 * 1024  # hosted refuses larger sources, too
MAX_IMAGE_PIXELS = 50_000_000  # of a source, before it is decoded
MAX_IMAGE_SIDE = 2500  # pixels of a transformed image


@dataclass(frozen=True, slots=True)
class ConfiguredBucket:
    """One `[storage.buckets.<name>]`."""

    name: str
    is_public: bool
    file_size_limit: int | None
    allowed_mime_types: Sequence[str] | None


@dataclass(frozen=True, slots=True)
class Settings:
    """Storage of one stack. Sizes in bytes."""

    folder: Path
    file_size_limit: int
    transforms_images: bool
    buckets: Sequence[ConfiguredBucket]
    is_durable: bool

    @classmethod
    def read(cls, config: Config) -> "Settings":
        """Errors: StackError when a size, a name or a type cannot be used."""
        section = config.section("storage")
        try:
            return cls(
                folder=config.folder / "storage",
                file_size_limit=parse_configured_size(
                    section.get("file_size_limit") or DEFAULT_FILE_SIZE_LIMIT
                ),
                transforms_images=bool(
                    config.section("storage", "image_transformation").get("enabled", True)
                ),
                buckets=[
                    _bucket(name, table) for name, table in section.get("buckets", {}).items()
                ],
                is_durable=config.is_durable,
            )
        except (ValueError, StorageError) as error:
            raise StackError(f"[storage] of config.toml: {error}") from error


def _bucket(name: str, table: Mapping[str, object]) -> ConfiguredBucket:
    check_bucket_name(name)
    size, types = table.get("file_size_limit"), table.get("allowed_mime_types")
    rules = [str(rule) for rule in types] if isinstance(types, list) and types else None
    check_mime_rules(rules or [])
    return ConfiguredBucket(
        name=name,
        is_public=bool(table.get("public", False)),
        file_size_limit=parse_configured_size(size) if isinstance(size, str | int) else None,
        allowed_mime_types=rules,
    )
