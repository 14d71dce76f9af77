"""The parts of postgres_changes that need no database: pgoutput, filters, entries, limits."""

import struct
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stack.realtime.changes.filters import Filter, FilterError, parse
from stack.realtime.changes.pgoutput import UNCHANGED, Decoder, Kind, Unreadable
from stack.realtime.joining import JoinConfig, entry_id
from stack.realtime.limits import Allowance, Rate
from stack.realtime.presence import Roster


def _relation(identity=b"d"):
    head = b"R" + struct.pack("!I", 7) + b"public\0notes\0" + identity + struct.pack("!H", 2)
    return head + (
        b"\x01id\0" + struct.pack("!Ii", 20, -1) + b"\x00text\0" + struct.pack("!Ii", 25, -1)
    )


def _row(*values):
    row = struct.pack("!H", len(values))
    for value in values:
        if value is None or value is UNCHANGED:
            row += b"n" if value is None else b"u"
        else:
            row += b"t" + struct.pack("!I", len(value.encode())) + value.encode()
    return row


def _read(*messages):
    decoder = Decoder()
    microseconds = 1_000_000
    begin = b"B" + struct.pack("!QQI", 100, microseconds, 5)
    commit = b"C\0" + struct.pack("!QQQ", 100, 110, microseconds)
    found = [decoder.read(message) for message in (begin, *messages, commit)]
    assert found[:-1] == [None] * (len(found) - 1)
    return found[-1]


def test_a_transaction_is_read():
    oid = struct.pack("!I", 7)
    transaction = _read(
        _relation(),
        b"I" + oid + b"N" + _row("1", "ä"),
        b"U" + oid + b"N" + _row("1", UNCHANGED),
        b"U" + oid + b"K" + _row("1", None) + b"N" + _row("2", None),
        b"D" + oid + b"K" + _row("2", None),
    )
    assert transaction.end_lsn == 110
    assert transaction.committed_at == datetime(2000, 1, 1, 0, 0, 1, tzinfo=UTC)
    rows = [(change.kind, change.new, change.old) for change in transaction.changes]
    assert rows == [
        (Kind.INSERT, ("1", "ä"), None),
        (Kind.UPDATE, ("1", UNCHANGED), None),
        (Kind.UPDATE, ("2", None), ("1", None)),
        (Kind.DELETE, None, ("2", None)),
    ]
    relation = transaction.changes[0].relation
    assert (relation.schema, relation.name, relation.is_full) == ("public", "notes", False)
    assert [(c.name, c.type_oid, c.is_key) for c in relation.columns] == [
        ("id", 20, True), ("text", 25, False),
    ]  # fmt: skip


@given(data=st.binary())
def test_any_bytes_are_read_or_unreadable(data):
    decoder = Decoder()
    decoder.read(_relation())
    try:
        decoder.read(data)
    except Unreadable:
        return


@given(data=st.binary(), kind=st.sampled_from([b"I\0\0\0\7N", b"U\0\0\0\7", b"D\0\0\0\7K", b"R"]))
def test_any_row_is_read_or_unreadable(data, kind):
    decoder = Decoder()
    decoder.read(_relation())
    try:
        decoder.read(kind + data)
    except Unreadable:
        return


READ = [
    ("", ()),
    ("  ", ()),
    ("id=eq.1", (Filter("id", "eq", "1"),)),
    ("id=not.eq.1", (Filter("id", "eq", "1", True),)),
    ("a=eq.b.c", (Filter("a", "eq", "b.c"),)),
    ("a=eq.", (Filter("a", "eq", ""),)),
    ("a=in.(1,2)", (Filter("a", "in", "{1,2}"),)),
    ('a=in.("x,y",z)', (Filter("a", "in", '{"x,y",z}'),)),
    ("a=eq.1, b=lt.2", (Filter("a", "eq", "1"), Filter("b", "lt", "2"))),
    ('a=eq."1,2",b=gt.0', (Filter("a", "eq", "1,2"), Filter("b", "gt", "0"))),
    (r'a=eq."say \"hi\""', (Filter("a", "eq", 'say "hi"'),)),
    ('a=eq.5" pipe', (Filter("a", "eq", '5" pipe'),)),
    ("a=is.NULL", (Filter("a", "is", "NULL"),)),
]


@pytest.mark.parametrize(("text", "expected"), READ)
def test_filters_are_read(text, expected):
    assert parse(text) == expected


@pytest.mark.parametrize(
    "text", ["undefined", "a=b", "a=eq", "a=foo.1", "a=eq.1,", "a=in.1", "a=is.5", "a=not.1",
             "a=in.(" + ",".join("1" * 101) + ")"]
)  # fmt: skip
def test_what_is_no_filter_is_refused(text):
    with pytest.raises(FilterError):
        parse(text)


@given(text=st.text())
def test_any_text_is_a_filter_or_refused(text):
    try:
        parse(text)
    except FilterError:
        return


def test_ids_are_stable_and_within_27_bits():
    entry = {"event": "*", "schema": "public", "table": "a"}
    assert entry_id(entry) == entry_id(dict(reversed(entry.items())))
    assert entry_id(entry) != entry_id(entry | {"table": "b"})
    assert 0 < entry_id(entry) < 2**27


def test_flags_may_be_text():
    config = {"private": "true", "broadcast": {"self": "true", "ack": "no"}}
    read = JoinConfig.of({"config": config})
    assert (read.is_private, read.echoes, read.acknowledges) == (True, True, False)


def test_a_rate_is_a_mean_over_a_minute():
    now = [0.0]
    rate = Rate(10, clock=lambda: now[0])
    rate.add(600)
    assert rate.per_second == 10
    assert not rate.is_exceeded()
    assert rate.is_exceeded(1)
    now[0] = 59
    assert rate.per_second == 10
    now[0] = 61
    assert rate.per_second == 0


def test_an_allowance_comes_back_after_its_window():
    now = [1.0]
    allowance = Allowance(2, 30, clock=lambda: now[0])
    assert [allowance.take() for _ in range(3)] == [True, True, False]
    now[0] = 32
    assert allowance.take()


def test_a_roster_tells_only_what_changed():
    roster = Roster()
    assert roster.track("a", "key", {"n": 1})
    assert not roster.track("a", "key", {"n": 1})
    assert roster.track("a", "key", {"n": 2})
    diff = roster.take_diff()
    assert [meta["n"] for meta in diff["joins"]["key"]["metas"]] == [1, 2]
    assert (
        diff["joins"]["key"]["metas"][1]["phx_ref_prev"]
        == (diff["leaves"]["key"]["metas"][0]["phx_ref"])
    )
    assert roster.take_diff() is None
    assert [meta["n"] for meta in roster.state()["key"]["metas"]] == [2]
    assert roster.untrack("a")
    assert not roster.untrack("a")
    assert roster.state() == {}
