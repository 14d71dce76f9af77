"""The stack's process: Postgres below, the gateway on one port, companions beside it."""

import asyncio
import contextlib
import fcntl
import json
import logging
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import uvicorn

from stack.auth import AuthService
from stack.bootstrap import bootstrap
from stack.core.callers import Doorkeeper
from stack.core.config import Config
from stack.core.database import Database
from stack.core.errors import StackError
from stack.core.service import Ground, Service
from stack.core.tokens import Keyring
from stack.gateway.app import Gateway
from stack.gateway.functions import FunctionsProxy
from stack.gateway.pages import pages
from stack.inbox import Inbox
from stack.postgres.cluster import Cluster
from stack.postgres.official_cli import migrate
from stack.processes import Companions
from stack.realtime import RealtimeService
from stack.rest import RestService
from stack.storage import StorageService

logger = logging.getLogger("stack")
_WATCH_SECONDS = 0.5
_MAX_RESTARTS = 5


def serve(config: Config) -> None:
    """Run a stack until SIGINT or SIGTERM; everything it started ends with it.

    Errors: StackError when it cannot start.
    """
    with _only_one(config):
        cluster = None if config.external_db_url else Cluster(config)
        companions = Companions(config)
        try:
            if cluster is not None:
                cluster.start()
            bootstrap(config)
            migrate(config)
            with asyncio.Runner(loop_factory=_loop_factory()) as runner:
                runner.run(_run(config, cluster, companions))
        finally:
            companions.stop()
            if cluster is not None:
                cluster.stop()
            for name in ("ready", "pid"):
                (config.folder / name).unlink(missing_ok=True)


def build(config: Config) -> tuple[Gateway, Mapping[str, Service], Database]:
    """The gateway and its services, not started."""
    database = Database(config)
    keyring = Keyring(config.secrets.jwt_secret, config.secrets.signing_jwk, _further_keys(config))
    needs_key = os.environ.get("STACK_REQUIRE_API_KEY", "") not in ("", "0", "false")
    doorkeeper = Doorkeeper(config.secrets, keyring, needs_key=needs_key)
    ground = Ground(config, database, keyring, doorkeeper)
    inbox = Inbox(config)
    services: dict[str, Service] = {
        "/rest/v1": RestService(ground),
        "/auth/v1": AuthService(ground, inbox),
        "/storage/v1": StorageService(ground),
        "/realtime/v1": RealtimeService(ground),
        "/functions/v1": FunctionsProxy(ground),
    }
    return Gateway(doorkeeper, services, pages(ground, inbox)), services, database


async def _run(config: Config, cluster: Cluster | None, companions: Companions) -> None:
    gateway, services, database = build(config)
    for service in services.values():
        await service.start()
    server = uvicorn.Server(
        uvicorn.Config(
            gateway,
            host="127.0.0.1",
            port=config.api_port,
            http="httptools",
            ws="websockets-sansio",
            ws_max_size=5_000_000,
            ws_ping_interval=None,  # the clients send heartbeats of their own
            lifespan="off",
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=2,
            backlog=4096,
        )
    )
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign,assignment]
    serving = asyncio.create_task(server.serve())
    try:
        while not server.started and not serving.done():
            await asyncio.sleep(0.01)
        if serving.done():
            raise StackError(f"port {config.api_port} is taken: set STACK_API_PORT")
        companions.start()
        (config.folder / "ready").write_text(str(os.getpid()))
        await _watch(config, cluster, companions, stopping, serving)
    finally:
        server.should_exit = True
        for service in services.values():
            await service.stop()
        await serving
        await database.close()


async def _watch(
    config: Config,
    cluster: Cluster | None,
    companions: Companions,
    stopping: asyncio.Event,
    serving: asyncio.Task[None],
) -> None:
    """Restart what dies, until told to stop."""
    restarts: list[float] = []
    while not stopping.is_set() and not serving.done():
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), _WATCH_SECONDS)
        if stopping.is_set():
            return
        if cluster is not None and not cluster.is_running():
            restarts = [moment for moment in restarts if moment > time.monotonic() - 60]
            if len(restarts) >= _MAX_RESTARTS:
                raise StackError(f"Postgres keeps dying, see {cluster.log_file}")
            restarts.append(time.monotonic())
            logger.warning("Postgres died; starting it again")
            await asyncio.to_thread(cluster.start)
        companions.revive()


@contextlib.contextmanager
def _only_one(config: Config) -> Iterator[None]:
    lock = (config.folder / "lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise StackError(f"a stack already runs in {config.folder}") from error
    (config.folder / "pid").write_text(str(os.getpid()))
    try:
        yield
    finally:
        lock.close()


def _further_keys(config: Config) -> list[dict[str, object]]:
    """JSON Web Keys of `[auth] signing_keys_path`: their tokens are accepted, too."""
    path = config.section("auth").get("signing_keys_path")
    if not path:
        return []
    file = Path(config.project / "supabase" / str(path))
    try:
        return list(json.loads(file.read_text()))
    except (OSError, ValueError) as error:
        raise StackError(f"cannot read the signing keys in {file}: {error}") from error


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:  # Windows
        return None
    return uvloop.new_event_loop
