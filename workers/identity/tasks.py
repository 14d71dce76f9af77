"""Jobs of the identity domain."""

from typing import Any

import httpx
import procrastinate

from workers.app import jobs
from workers.core.errors import NotConfigured
from workers.core.settings import settings

_BUCKETS = ("avatars",)
_PAGE = 1000
_TIMEOUT_SECONDS = 30


@jobs.task(
    name="identity.remove_files",
    queue="identity",
    retry=procrastinate.RetryStrategy(max_attempts=20, exponential_wait=2),
)
async def remove_files(user_id: str) -> None:
    """Remove what a deleted person had uploaded. Source: Supabase Storage API."""
    known = settings()
    if known.supabase_url is None or known.supabase_secret_key is None:
        raise NotConfigured("files cannot be removed: set SUPABASE_URL and SUPABASE_SECRET_KEY")
    headers = {"apikey": known.supabase_secret_key.get_secret_value()}
    base = f"{str(known.supabase_url).rstrip('/')}/storage/v1/object"
    async with httpx.AsyncClient(headers=headers, timeout=_TIMEOUT_SECONDS) as client:
        for bucket in _BUCKETS:
            await _empty(client, base, bucket, user_id)


async def _empty(client: httpx.AsyncClient, base: str, bucket: str, folder: str) -> int:
    """Remove the files of a folder and of those below it; how many there were."""
    count = 0
    while True:
        answer = await client.post(f"{base}/list/{bucket}", json={"prefix": folder, "limit": _PAGE})
        answer.raise_for_status()
        found: list[dict[str, Any]] = answer.json()
        # what has no id is a folder
        paths = [f"{folder}/{one['name']}" for one in found if one["id"] is not None]
        removed = len(paths)
        for one in found:
            if one["id"] is None:
                removed += await _empty(client, base, bucket, f"{folder}/{one['name']}")
        if paths:
            answer = await client.request("DELETE", f"{base}/{bucket}", json={"prefixes": paths})
            answer.raise_for_status()
        if not removed:
            return count
        count += removed
