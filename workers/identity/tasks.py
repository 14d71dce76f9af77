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
            while names := await _list(client, f"{base}/list/{bucket}", user_id):
                paths = [f"{user_id}/{name}" for name in names]
                answer = await client.request(
                    "DELETE", f"{base}/{bucket}", json={"prefixes": paths}
                )
                answer.raise_for_status()


async def _list(client: httpx.AsyncClient, url: str, folder: str) -> list[str]:
    answer = await client.post(url, json={"prefix": folder, "limit": _PAGE})
    answer.raise_for_status()
    files: list[dict[str, Any]] = answer.json()
    return [file["name"] for file in files if file["id"] is not None]
