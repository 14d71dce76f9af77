"""A Postgres of a test's own, to be treated badly."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from stack.bootstrap import bootstrap
from stack.core.config import Config, load_config
from stack.postgres.cluster import Cluster
from stack.postgres.official_cli import migrate


@pytest.fixture
def cluster(pytestconfig: pytest.Config) -> Iterator[tuple[Cluster, Config]]:
    """Durable and migrated; its folder is short-named and readable."""
    with tempfile.TemporaryDirectory(prefix="guildhall-story-") as name:
        Path(name).chmod(0o755)
        config = load_config(pytestconfig.rootpath, Path(name), api_port=0, db_port=0)
        made = Cluster(config)
        made.start()
        try:
            bootstrap(config)
            migrate(config, with_seed=False)
            yield made, config
        finally:
            made.stop()
