"""Storage, `/storage/v1`: buckets and objects behind row-level security, files on the disk."""

from stack.storage.service import StorageService

__all__ = ["StorageService"]
