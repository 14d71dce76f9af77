"""Postgres clusters of a test's own, for what would disturb the shared stack."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stack.core.config import Config, load_config
from stack.postgres.cluster import Cluster


@contextmanager
def scratch_cluster(folder: Path) -> Iterator[Config]:
    """A running, empty cluster with its superuser supabase_admin; gone afterwards."""
    for parent in (folder, *folder.parents):
        if parent.stat().st_mode & 0o777 == 0o700 and parent.name.startswith("pytest"):
            parent.chmod(0o755)  # as root, Postgres runs as another user
    config = load_config(folder, folder / "stack", api_port=0, db_port=0, is_durable=False)
    cluster = Cluster(config)
    cluster.start()
    try:
        yield config
    finally:
        cluster.stop()
        cluster.destroy()
