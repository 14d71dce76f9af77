"""Ledger postings per second, beside plain SQL doing the same writes, and beside pgledger.

    python bench/ledger.py [--seconds 2] [--rounds 3] [--pgledger pgledger.sql]
    python bench/ledger.py --cost

Default Postgres settings, fsync on. Each client is a process with one connection that sends one
prepared call after another through bare libpq, so that the load generator costs little. The three
are run by turns and the median of the rounds is told; CPU is what the connections' backends used
per posting (Linux only), which says more than rates when the machine has other work.

Plain is the limit: two updates and a two-row insert in one pipeline, a hot row written last.
pgledger is not bundled: its repository has no licence. `--pgledger` takes its uuid-to-ulid.sql and
pgledger.sql, one after the other in one file. `--cost` says what each guarantee costs.
"""

import argparse
import multiprocessing
import os
import random
import statistics
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg
from ground import clone, guildhall_database, row, server_cpu
from psycopg import pq

ACCOUNTS = 1000
BATCH = 10
CLIENTS = (1, 4, 8, 16)
Arguments = list[bytes | None]


class Connection:
    """A connection that does nothing but run prepared statements."""

    def __init__(self, url: str) -> None:
        self._wire = pq.PGconn.connect(url.encode())
        self._names: dict[str, bytes] = {}
        assert self._wire.status == pq.ConnStatus.OK, self._wire.get_error_message()

    @property
    def backend(self) -> int:
        return self._wire.backend_pid

    def call(self, statement: str, *arguments: object) -> None:
        """Run one statement in a transaction of its own."""
        _check(self._wire.exec_prepared(self._name(statement), _texts(arguments)))

    def pipeline(self, *steps: Sequence[object]) -> None:
        """Run statements, each with its arguments, in one transaction and one round trip."""
        named = [(self._name(str(step[0])), _texts(step[1:])) for step in steps]
        begin, commit = self._name("begin"), self._name("commit")
        self._wire.enter_pipeline_mode()
        for name, arguments in [(begin, []), *named, (commit, [])]:
            self._wire.send_query_prepared(name, arguments)
        self._wire.pipeline_sync()
        for _ in range(len(steps) + 2):
            _check(self._wire.get_result())
            self._wire.get_result()  # the end of this statement's results
        self._wire.get_result()  # the sync
        self._wire.exit_pipeline_mode()

    def close(self) -> None:
        self._wire.finish()

    def _name(self, statement: str) -> bytes:
        if statement not in self._names:
            self._names[statement] = f"s{len(self._names)}".encode()
            _check(self._wire.prepare(self._names[statement], statement.encode()))
        return self._names[statement]


def _check(result: pq.abc.PGresult | None) -> None:
    assert result is not None
    if result.status not in {pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK}:
        raise RuntimeError(result.error_message.decode())


def _texts(arguments: Sequence[object]) -> Arguments:
    return [
        ("{" + ",".join(map(str, one)) + "}" if isinstance(one, list) else str(one)).encode()
        for one in arguments
    ]


@dataclass(frozen=True, slots=True)
class Ground:
    """What a client picks from: accounts of people, and the one that everybody pays."""

    people: list[str]
    hot: str

    def lines(self, scene: str, chance: random.Random) -> list[dict[str, int]]:
        """The postings of one transaction: amounts by account, the hot one last."""
        match scene:
            case "random pairs":
                giver, taker = chance.sample(self.people, 2)
                return [{giver: -1, taker: 1}]
            case "hot platform account":
                return [{chance.choice(self.people): -1, self.hot: 1}]
            case "three-way split":
                giver, one, two = chance.sample(self.people, 3)
                return [{giver: -10, one: 5, two: 4, self.hot: 1}]
            case _:  # ten in one transaction, in one order for all, or they would deadlock
                picked = sorted(chance.sample(range(len(self.people)), 2 * BATCH))
                return [
                    {self.people[giver]: -1, self.people[taker]: 1}
                    for giver, taker in zip(picked[::2], picked[1::2], strict=True)
                ]


SCENES = ("random pairs", "hot platform account", "three-way split", "batches of 10")
# ten by one call of private.post_transactions, where there is one
ONE_CALL = "ten by one call"
Work = Callable[[Connection, list[dict[str, int]]], None]


def ours(db: Connection, postings: list[dict[str, int]]) -> None:
    """Post with every guarantee; several are one transaction and one round trip."""
    post = "select private.post_transaction($1, 'bench.move', $2, $3)"
    calls = [(post, uuid.uuid4().hex, list(one), list(one.values())) for one in postings]
    if len(calls) == 1:
        db.call(*calls[0])
    else:
        db.pipeline(*calls)


def ours_by_one_call(db: Connection, postings: list[dict[str, int]]) -> None:
    """The same by the function for batches."""
    db.call(
        "select private.post_transactions($1, $2, $3, $4, $5, $6, $7)",
        [uuid.uuid4().hex for _ in postings],
        ["bench.move"] * len(postings),
        ["null"] * len(postings),
        ["x"] * len(postings),
        [place for place, one in enumerate(postings, 1) for _ in one],
        [account for one in postings for account in one],
        [amount for one in postings for amount in one.values()],
    )


def plain(db: Connection, postings: list[dict[str, int]]) -> None:
    """The writes of a posting, unchecked: rows locked in one order, the hot one last."""
    steps: list[Sequence[object]] = []
    for one in postings:
        places = ", ".join(f"(${2 * n + 1}, ${2 * n + 2})" for n in range(len(one)))
        values = [value for line in one.items() for value in line]
        steps.append((f"insert into bench_entries values {places}", *values))
        *exact, last = one.items()
        for account, amount in [*sorted(exact, key=lambda line: int(line[0])), last]:
            change = "update bench_accounts set balance = balance + $2 where id = $1"
            steps.append((change, account, amount))
    db.pipeline(*steps)


def theirs(db: Connection, postings: list[dict[str, int]]) -> None:
    """The same by pgledger: a transfer has one giver and one taker, several are one call."""
    transfers = [
        (giver, taker, amount)
        for one in postings
        for giver in [min(one, key=one.__getitem__)]
        for taker, amount in one.items()
        if taker != giver
    ]
    if len(transfers) == 1:
        db.call("select id from pgledger_create_transfer($1, $2, $3)", *transfers[0])
        return
    count = len(transfers)
    requests = ", ".join(
        f"(${3 * n + 1}, ${3 * n + 2}, ${3 * n + 3})::transfer_request" for n in range(count)
    )
    db.call(
        f"select id from pgledger_create_transfers(array[{requests}])",
        *(value for transfer in transfers for value in transfer),
    )


@dataclass(frozen=True, slots=True)
class Run:
    """One round: postings per second, latencies of a call in ms, CPU of a posting in µs."""

    rate: float
    p50: float
    p99: float
    cpu: float

    @classmethod
    def median(cls, runs: Sequence["Run"]) -> "Run":
        return cls(
            *(
                statistics.median(getattr(run, name) for run in runs)
                for name in ("rate", "p50", "p99", "cpu")
            )
        )


@dataclass(frozen=True, slots=True)
class Side:
    """One of those compared."""

    name: str
    url: str
    work: Work
    ground: Ground

    def run(self, scene: str, clients: int, seconds: float) -> Run:
        """One round of a scene."""
        with multiprocessing.Pool(clients) as pool:
            parts = pool.starmap(
                _client, [(self, scene, seconds, random.random()) for _ in range(clients)]
            )
        taken = sorted(ms for part, _ in parts for ms in part)
        postings = len(taken) * (BATCH if scene in {SCENES[-1], ONE_CALL} else 1)
        return Run(
            postings / seconds,
            statistics.median(taken),
            taken[int(len(taken) * 0.99)],
            sum(cpu for _, cpu in parts) / postings,
        )


def _client(side: Side, scene: str, seconds: float, seed: float) -> tuple[list[float], float]:
    chance, taken = random.Random(seed), []
    db = Connection(side.url)
    work = ours_by_one_call if side.work is ours and scene == ONE_CALL else side.work
    for _ in range(20):
        work(db, side.ground.lines(scene, chance))
    used, end = server_cpu(db.backend), time.perf_counter() + seconds
    while (begun := time.perf_counter()) < end:
        work(db, side.ground.lines(scene, chance))
        taken.append((time.perf_counter() - begun) * 1000)
    used = server_cpu(db.backend) - used
    db.close()
    return taken, used


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--clients", type=int, nargs="*", default=CLIENTS)
    parser.add_argument("--scenes", nargs="*", default=[*SCENES, ONE_CALL])
    parser.add_argument("--pgledger", type=Path)
    parser.add_argument("--cost", action="store_true")
    options = parser.parse_args()
    with guildhall_database() as url:
        ground = _fill(url)
        if options.cost:
            _tell_costs(url, ground)
            return
        sides = [Side("ours", url, ours, ground), Side("plain", url, plain, ground)]
        if options.pgledger:
            sides.append(_pgledger(url, options.pgledger.read_text()))
        _compare(sides, options)
        with psycopg.connect(url) as db:
            print("findings:", db.execute("select * from private.verify_ledger()").fetchall())


def _compare(sides: list[Side], options: argparse.Namespace) -> None:
    print(f"{'':<24}{'clients':>7}", end="")
    for side in sides:
        print(f"{side.name + '/s':>12}{'p50':>7}{'p99':>7}{'CPU µs':>8}", end="")
    print("".join(f"{'/ ' + side.name:>12}" for side in sides[1:]), f"{'load':>7}")
    with psycopg.connect(sides[0].url) as db:
        (has_one_call,) = row(db, "select to_regproc('private.post_transactions') is not null")
    for scene in options.scenes:
        if scene == ONE_CALL and not has_one_call:
            continue
        for clients in options.clients:
            rounds = [
                [side.run(scene, clients, options.seconds) for side in sides]
                for _ in range(options.rounds)
            ]
            text = f"{scene:<24}{clients:>7}"
            for mine in map(Run.median, zip(*rounds, strict=True)):
                text += f"{mine.rate:>12.0f}{mine.p50:>7.2f}{mine.p99:>7.2f}{mine.cpu:>8.0f}"
            for place in range(1, len(sides)):
                ratio = statistics.median(one[0].rate / one[place].rate for one in rounds)
                text += f"{ratio:>12.2f}"
            print(f"{text} {os.getloadavg()[0]:>7.1f}", flush=True)


def _fill(url: str) -> Ground:
    with psycopg.connect(url) as db:
        db.execute("delete from auth.users")
        db.execute(
            "insert into auth.users (id, aud, role) select gen_random_uuid(), 'authenticated',"
            f" 'authenticated' from generate_series(1, {ACCOUNTS})"
        )
        people = [
            str(found)
            for (found,) in db.execute(
                "select private.ledger_account('available', 'EUR', owner_id => id) from profiles"
            ).fetchall()
        ]
        (hot,) = row(db, "select private.ledger_account('fees', 'EUR')")
        db.execute(
            "select private.post_transaction('fund:' || account.id, 'bench.fund',"
            "  array[private.ledger_account('clearing', 'EUR', provider => 'bench'), account.id],"
            "  array[-1000000000000, 1000000000000])"
            " from ledger_accounts as account where account.kind = 'available'"
        )
        db.execute(
            "create table bench_accounts as select id, 0::bigint as balance from ledger_accounts"
        )
        db.execute("alter table bench_accounts add primary key (id)")
        db.execute("create table bench_entries (account_id bigint, amount bigint)")
        db.execute("create index on bench_entries (account_id)")
    _analyze(url)
    return Ground(people, str(hot))


def _pgledger(url: str, source: str) -> Side:
    other = clone(url, "pgledger", template="template0")
    with psycopg.connect(other) as db:
        db.execute(source.encode())
        found = db.execute(
            "select (pgledger_create_account('bench', 'EUR')).id"
            f" from generate_series(0, {ACCOUNTS})"
        ).fetchall()
    _analyze(other)
    hot, *people = [str(one) for (one,) in found]
    return Side("pgledger", other, theirs, Ground(people, hot))


def _analyze(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as db:
        db.execute("vacuum analyze")


@dataclass(frozen=True, slots=True)
class Change:
    """A guarantee taken away, or had in another way: SQL, and texts of the function replaced."""

    name: str
    sql: tuple[str, ...] = ()
    edits: tuple[tuple[str, str], ...] = ()

    def apply(self, url: str) -> None:
        with psycopg.connect(url) as db:
            for statement in self.sql:
                db.execute(statement.encode())
            (source,) = row(db, "select pg_get_functiondef('private.post_transaction'::regproc)")
            for old, new in self.edits:
                assert old in str(source), f"{self.name}: the function has changed"
                source = str(source).replace(old, new)
            db.execute(str(source).encode())


KEY = "ledger_transactions_idempotency_key_key"
HASH = """sha256(convert_to(concat_ws(
        '|', post_transaction.kind, post_transaction.subject_id, accounts::text, amounts::text
    ), 'UTF8'))"""
ALL_ON = Change("everything on")
CHANGES = (
    ALL_ON,
    Change(
        "without key and its index",
        (f"alter table ledger_transactions drop constraint {KEY}",),
        ((f"on conflict on constraint {KEY} do nothing", ""),),
    ),
    Change("without input hash", edits=((HASH, "''"),)),
    Change(
        "without zero-sum check",
        ("alter table ledger_entries disable trigger t50_check_balance",),
    ),
    Change(
        "without append-only guards",
        (
            "drop trigger t10_refuse_change on ledger_entries",
            "drop trigger t10_refuse_change on ledger_transactions",
            "drop trigger t10_refuse_removal on ledger_accounts",
            "drop trigger t10_refuse_other_identity on ledger_accounts",
        ),
    ),
    Change(
        "without balance and reserve checks",
        tuple(
            f"alter table ledger_accounts drop constraint ledger_accounts_{one}_check"
            for one in ("balance", "reserved_minor", "floor_minor")
        ),
        (("if v_is_short then", "if false then"),),
    ),
    Change(
        "without locks in id order",
        edits=(("for no key update of account", ""),),
    ),
    Change(
        "without queue of folded amounts",
        edits=(("if cardinality(v_exact) < cardinality(accounts) then", "if false then"),),
    ),
    Change(
        "with foreign keys on entries",
        tuple(
            f"alter table ledger_entries add foreign key ({one}_id) references ledger_{one}s"
            for one in ("account", "transaction")
        ),
    ),
    Change("with a plan per call", edits=((" SET plan_cache_mode TO 'force_generic_plan'\n", ""),)),
)


def _tell_costs(url: str, ground: Ground) -> None:
    """Variants by turns, nobody waits for the disk: the 20th percentile of the backends' CPU."""
    places = {change: clone(url, f"cost_{n}") for n, change in enumerate(CHANGES)}
    for change, place in places.items():
        change.apply(place)
    for scene in SCENES[:2]:
        spent: dict[Change, list[float]] = {change: [] for change in CHANGES}
        clients = {change: Connection(place) for change, place in places.items()}
        for db in clients.values():
            db.call("set synchronous_commit = off")
        for _ in range(60):
            for change, db in random.sample(list(clients.items()), len(clients)):
                spent[change].append(_cost(db, scene, ground))
        full = statistics.quantiles(spent[ALL_ON], n=5)[0]
        print(f"\n{scene:<36}{'CPU µs':>8}{'of it':>8}")
        for change, times in spent.items():
            cost = statistics.quantiles(times, n=5)[0]
            print(f"{change.name:<36}{cost:>8.0f}{(full - cost) / full:>+8.0%}")
        for db in clients.values():
            db.close()


def _cost(db: Connection, scene: str, ground: Ground) -> float:
    chance, used, count = random.Random(), server_cpu(db.backend), 100
    for _ in range(count):
        ours(db, ground.lines(scene, chance))
    return (server_cpu(db.backend) - used) / count


if __name__ == "__main__":
    main()
