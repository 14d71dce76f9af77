"""The stack's process: Postgres below, the gateway on one port, companions beside it."""

import asyncio
import contextlib
import json
import logging
import os
import resource
import signal
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import FrameType

from stack.auth import AuthService
from stack.bootstrap import bootstrap
from stack.core.callers import Doorkeeper
from stack.core.config import Config
from stack.core.database import Database
from stack.core.errors import StackError
from stack.core.service import Ground, Service
from stack.core.tokens import Keyring
from stack.environment import write_environment
from stack.gateway.app import Gateway
from stack.gateway.functions import FunctionsProxy
from stack.gateway.pages import pages
from stack.gateway.server import make_server
from stack.inbox import Inbox
from stack.postgres.cluster import Cluster, require_free_port
from stack.postgres.official_cli import migrate
from stack.processes import Companions
from stack.realtime import RealtimeService
from stack.rest import RestService
from stack.running import mark_ready, only_one
from stack.storage import StorageService

logger = logging.getLogger("stack")
_WATCH_SECONDS = 0.5
_MAX_RESTARTS = 5


def serve(config: Config, announce: Callable[[], None]) -> None:
    """Run a stack until SIGINT or SIGTERM; everything it started ends with it.

    `announce` is called when it answers. Errors: StackError when it cannot start.
    """
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.WARNING)
    with only_one(config), _interruptible() as interruption, _listening(config) as listener:
        write_environment(config)
        cluster = None if config.external_db_url else Cluster(config)
        companions = Companions(config)
        try:
            companions.end_left_over()
            _require_free_ports(config)
            if cluster is not None:
                cluster.start()
            interruption.check()
            bootstrap(config)
            interruption.check()
            migrate(config)
            interruption.check()
            _raise_file_limit()
            with asyncio.Runner(loop_factory=_loop_factory()) as runner:
                runner.run(_run(config, listener, cluster, companions, announce))
        finally:
            _ignore_further_signals()
            companions.stop()
            if cluster is not None:
                cluster.stop()


def build(config: Config) -> tuple[Gateway, Mapping[str, Service], Database]:
    """The gateway and its services, not started."""
    database = Database(config)
    keyring = Keyring(config.secrets.jwt_secret, config.secrets.signing_jwk, _further_keys(config))
    doorkeeper = Doorkeeper(config.secrets, keyring)
    ground = Ground(config, database, keyring, doorkeeper)
    inbox = Inbox(config)
    services: dict[str, Service] = {
        "/rest/v1": RestService(ground),
        "/auth/v1": AuthService(ground, inbox),
        "/storage/v1": StorageService(ground),
        "/realtime/v1": RealtimeService(ground),
        "/functions/v1": FunctionsProxy(ground),
    }
    needs_key = os.environ.get("STACK_REQUIRE_API_KEY", "") not in ("", "0", "false")
    gateway = Gateway(doorkeeper, services, pages(ground, inbox), needs_key=needs_key)
    return gateway, services, database


async def _run(
    config: Config,
    listener: socket.socket,
    cluster: Cluster | None,
    companions: Companions,
    announce: Callable[[], None],
) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    gateway, services, database = build(config)
    server = make_server(gateway)
    started: list[Service] = []
    serving: asyncio.Task[None] | None = None
    try:
        for service in services.values():
            started.append(service)
            await service.start()
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        while not server.started and not serving.done():
            await asyncio.sleep(0.01)
        companions.start()
        mark_ready(config)
        announce()
        await _watch(cluster, companions, database, stopping, serving)
    finally:
        server.should_exit = True
        for service in reversed(started):
            try:
                await service.stop()
            except Exception:  # the others must stop, too
                logger.exception("%s did not stop well", type(service).__name__)
        if serving is not None:
            await serving
        await database.close()


async def _watch(
    cluster: Cluster | None,
    companions: Companions,
    database: Database,
    stopping: asyncio.Event,
    serving: asyncio.Task[None],
) -> None:
    """Restart what dies, until told to stop."""
    restarts: list[float] = []
    while True:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), _WATCH_SECONDS)
        if stopping.is_set():
            return
        if serving.done():
            raise StackError("the server ended by itself, see logs/stack.log")
        if cluster is not None and not cluster.is_running():
            restarts = [moment for moment in restarts if moment > time.monotonic() - 60]
            if len(restarts) >= _MAX_RESTARTS:
                raise StackError(f"Postgres keeps dying, see {cluster.log_file}")
            restarts.append(time.monotonic())
            logger.warning("Postgres died; starting it again")
            try:
                await asyncio.to_thread(cluster.start)
            except StackError as error:
                logger.error("%s", error)
                continue
            await database.refresh()
        companions.revive()


class _Interruption:
    """A signal before the event loop runs: it breaks off the step under way, children included."""

    def __init__(self) -> None:
        self._is_asked = False

    def __call__(self, number: int, _frame: FrameType | None) -> None:
        self._is_asked = True
        raise KeyboardInterrupt(signal.Signals(number).name)

    def check(self) -> None:
        """Python drops what a handler raises inside a finaliser: so ask again between steps."""
        if self._is_asked:
            raise KeyboardInterrupt


@contextlib.contextmanager
def _interruptible() -> Iterator[_Interruption]:
    interruption = _Interruption()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, interruption)
    try:
        yield interruption
    except KeyboardInterrupt as error:
        raise StackError("interrupted while starting") from error


def _ignore_further_signals() -> None:
    # a second Ctrl-C must not leave children behind; each is ended by force after a while
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


@contextlib.contextmanager
def _listening(config: Config) -> Iterator[socket.socket]:
    """The API's port, taken before anything is started."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", config.api_port))
        except OSError as error:
            raise StackError(
                f"port {config.api_port} is taken: stop what listens there, or set STACK_API_PORT"
            ) from error
        yield listener


def _require_free_ports(config: Config) -> None:
    for name, service in config.services.items():
        if "port" in service:
            require_free_port(service["port"], f"{name.upper()}_PORT")


def _raise_file_limit() -> None:
    """As many sockets as the system lets us have."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for wanted in (65536, 10240):  # the second is what macOS allows behind "unlimited"
        limit = wanted if hard == resource.RLIM_INFINITY else min(hard, wanted)
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
            return


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
    except ImportError:  # where uvloop has no wheel, asyncio's own loop serves
        return None
    return uvloop.new_event_loop
