"""The front page: what runs, where, with which keys, for whom."""

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path

import psycopg
from starlette.types import Receive, Scope, Send

from stack.children import command_line, tail
from stack.core.config import Config
from stack.core.service import Ground
from stack.environment import environment
from stack.gateway.html import Child, element, join, link, page, send_page

_PROBE_SECONDS = 0.5
_LOG_LINES = 300


@dataclass(frozen=True, slots=True)
class _State:
    name: str
    is_up: bool
    place: Child


class FrontPage:
    """`/`: an overview. Nothing on it changes anything."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        config = self._ground.config
        postgres, companions = await asyncio.gather(self._postgres(), _companions(config))
        services = [
            _State(name, postgres.is_up, element("code", path))
            for name, path in (
                ("Data API", "/rest/v1"),
                ("Auth", "/auth/v1"),
                ("Storage", "/storage/v1"),
                ("Realtime", "/realtime/v1"),
            )
        ]
        states = [postgres, *services, *companions]
        is_well = all(state.is_up for state in states)
        name = str(config.settings.get("project_id") or config.project.name)
        body = element(
            "div",
            element(
                "div",
                element("h1", name),
                element(
                    "span",
                    "everything runs" if is_well else "something is down",
                    class_="tag" if is_well else "tag warn",
                ),
                class_="head",
            ),
            element("p", "An embedded Supabase for development, tests and demos."),
            element(
                "div",
                _states(states),
                _keys(config),
                _tools(config),
                _people(config),
                class_="grid",
            ),
            class_="front",
        )
        await send_page(send, page(name, "/", body))

    async def _postgres(self) -> _State:
        try:
            async with asyncio.timeout(2):
                connection = await psycopg.AsyncConnection.connect(
                    self._ground.database.conninfo("postgres")
                )
                async with connection:
                    found = await connection.execute(
                        "select current_setting('server_version'),"
                        " pg_size_pretty(pg_database_size(current_database()))"
                    )
                    version, size = await found.fetchone() or ("", "")
                    port = connection.info.port
        except (psycopg.Error, OSError, TimeoutError):
            return _State("Postgres", False, "does not answer")
        return _State(f"Postgres {version}", True, f"port {port}, {size}")


class LogPages:
    """`/logs` and `/logs/<name>`: the ends of the log files."""

    def __init__(self, config: Config) -> None:
        self._folder = config.folder / "logs"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        files = {file.stem: file for file in sorted(self._folder.glob("*.log"))}
        latest = max(files, key=lambda one: _written_at(files[one]), default="stack")
        name = scope["path"].removeprefix("/logs").strip("/") or latest
        chosen = files.get(name)
        text = tail(chosen, _LOG_LINES) if chosen else ""
        if chosen is None:
            text = f"There is no log of {name}."
        body = element(
            "div",
            element("nav", *[_tab(one, one == name) for one in files], class_="tabs"),
            element("pre", text or "Nothing has been logged.", class_="log"),
            class_="front",
        )
        await send_page(send, page(f"Logs: {name}", "/logs", body), 200 if chosen else 404)


def _written_at(log: Path) -> float:
    """In seconds; 0 when it is empty or has gone."""
    try:
        found = log.stat()
    except OSError:
        return 0
    return found.st_mtime if found.st_size else 0


def _tab(name: str, is_open: bool) -> Child:
    return element("a", name, href=f"/logs/{name}", aria_current="page" if is_open else None)


async def _companions(config: Config) -> list[_State]:
    try:
        noted = json.loads((config.folder / "companions.json").read_text())
    except (OSError, ValueError):
        noted = []
    alive = {name for name, pid, line in noted if command_line(pid) == line}
    return [
        await _companion(name, service.get("port"), is_alive=name in alive)
        for name, service in config.services.items()
    ]


async def _companion(name: str, port: int | None, *, is_alive: bool) -> _State:
    if port is None or not is_alive:
        return _State(name, is_alive, link("log", f"/logs/{name}"))
    try:
        async with asyncio.timeout(_PROBE_SECONDS):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
    except (OSError, TimeoutError):
        return _State(name, False, link("log", f"/logs/{name}"))
    return _State(name, True, element("a", f"port {port}", href=f"http://127.0.0.1:{port}"))


def _states(states: list[_State]) -> Child:
    rows = [
        element(
            "tr",
            element("td", element("span", class_="dot" if state.is_up else "dot off"), state.name),
            element("td", state.place),
        )
        for state in states
    ]
    return _card("What runs", element("table", *rows))


def _keys(config: Config) -> Child:
    values = environment(config)
    hidden = [
        ("Secret key", "SUPABASE_SECRET_KEY"),
        ("Database", "DATABASE_URL"),
        ("JWT secret", "SUPABASE_JWT_SECRET"),
        ("Older anon key", "SUPABASE_ANON_KEY"),
        ("Older service key", "SUPABASE_SERVICE_ROLE_KEY"),
    ]
    return _card(
        "How to reach it",
        element(
            "dl",
            element("dt", "URL"),
            element("dd", element("code", values["SUPABASE_URL"], class_="key")),
            element("dt", "Publishable key"),
            element("dd", element("code", values["SUPABASE_PUBLISHABLE_KEY"], class_="key")),
            *[
                join(
                    element("dt", label),
                    element(
                        "dd",
                        element(
                            "details",
                            element("summary", "show"),
                            element("code", values[name], class_="key"),
                        ),
                    ),
                )
                for label, name in hidden
            ],
        ),
    )


def _people(config: Config) -> Child:
    """Demo people of `supabase/demo.json`: rows of email, password and a note."""
    try:
        people = json.loads((config.project / "supabase" / "demo.json").read_text())
        rows = [
            element(
                "tr",
                element("td", element("code", str(one["email"]), class_="key")),
                element("td", element("code", str(one.get("password", "")), class_="key")),
                element("td", str(one.get("note", ""))),
            )
            for one in people
        ]
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None
    if not rows:
        return None
    title = element("h2", "Demo people")
    return element("div", title, element("table", *rows), class_="card wide")


def _tools(config: Config) -> Child:
    tools = [
        ("/tables", "Tables", "rows as any role sees them, and why"),
        ("/inbox", "Inbox", "every mail that is sent here"),
        ("/logs", "Logs", "what happened"),
    ]
    if "port" in config.services.get("api", {}):
        docs = f"http://127.0.0.1:{config.services['api']['port']}/docs"
        tools.append((docs, "API docs", "the project's own routes"))
    rows = [
        element("tr", element("td", element("a", name, href=place)), element("td", what))
        for place, name, what in tools
    ]
    return _card("Look inside", element("table", *rows))


def _card(title: str, *body: Child) -> Child:
    return element("div", element("h2", title), *body, class_="card")
