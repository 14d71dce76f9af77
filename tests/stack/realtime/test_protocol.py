"""Frames: what clients send is read exactly, what is no frame is refused and nothing worse."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.protocol import Protocol, Side, State

from stack.realtime import protocol
from stack.realtime.frames import Frame
from stack.realtime.protocol import (
    BinaryBroadcast,
    Broadcast,
    Malformed,
    Message,
    UserBroadcast,
    Version,
)

names = st.text(max_size=60).filter(lambda text: len(text.encode("utf-8", "replace")) < 200)
encodable = names.filter(lambda text: not any("\ud800" <= c <= "\udfff" for c in text))
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(frame=st.binary() | st.text(), version=st.sampled_from(Version))
def test_any_frame_is_a_message_or_malformed(frame, version):
    try:
        message = protocol.decode(frame, version)
    except Malformed:
        return
    assert isinstance(message, Message)


@given(data=st.binary(min_size=7))
def test_any_bytes_after_the_kind_are_a_message_or_malformed(data):
    try:
        protocol.decode(b"\x03" + data, Version.V2)
    except Malformed:
        return


@given(topic=encodable, event=encodable, payload=json_values, ref=st.text(max_size=5))
def test_text_frames_are_read(topic, event, payload, ref):
    modern = json.dumps(["1", ref, topic, event, payload])
    old = json.dumps(
        {"join_ref": "1", "ref": ref, "topic": topic, "event": event, "payload": payload}
    )
    for frame, version in ((modern, Version.V2), (old, Version.V1)):
        message = protocol.decode(frame, version)
        read = (message.topic, message.event, message.payload, message.ref, message.join_ref)
        assert read == (topic, event, payload, ref, "1")


@given(topic=encodable, event=encodable, payload=st.binary())
def test_a_binary_push_comes_out_as_a_binary_broadcast(topic, event, payload):
    texts = [text.encode() for text in ("1", "2", topic, event, "")]
    push = bytes([3, *map(len, texts), 0]) + b"".join(texts) + payload
    message = protocol.decode(push, Version.V2)
    assert (message.topic, message.event, message.ref) == (topic, "broadcast", "2")
    out = BinaryBroadcast(topic, message.payload).frame(Version.V2).event["bytes"]
    assert out[0] == 4
    assert out[4] == 0  # raw
    assert out[5:] == topic.encode() + event.encode() + payload


def test_a_json_push_reaches_both_versions():
    content = UserBroadcast("move", b'{"x": 1.50, "n": 12345678901234567890}', True, {})
    message = BinaryBroadcast("realtime:a", content)
    old = json.loads(message.frame(Version.V1).event["text"])
    assert old["payload"] == {"type": "broadcast", "event": "move",
        "payload": {"x": 1.5, "n": 12345678901234567890}}  # fmt: skip
    assert old["ref"] is None
    modern = message.frame(Version.V2).event["bytes"]
    assert modern == b"\x04\x0a\x04\x00\x01realtime:amove" + content.payload


def test_raw_bytes_have_no_old_form():
    message = BinaryBroadcast("t", UserBroadcast("e", b"\xff", False, {}))
    assert message.frame(Version.V1) is None


def test_names_too_long_for_a_binary_frame_go_as_text():
    content = UserBroadcast("e" * 300, b'{"a": 1}', True, {})
    message = BinaryBroadcast("t", content).frame(Version.V2).event
    assert json.loads(message["text"])[4]["payload"] == {"a": 1}
    assert BinaryBroadcast("t" * 256, UserBroadcast("e", b"", False, {})).frame(Version.V2) is None


def test_a_message_is_encoded_once_per_version():
    message = Broadcast.of("t", "e", {"a": 1})
    assert message.frame(Version.V2) is message.frame(Version.V2)
    assert json.loads(message.frame(Version.V2).event["text"]) == [None, None, "t", "e", {"a": 1}]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_json_cannot_say_is_not_said(value):
    with pytest.raises(Malformed):
        Broadcast.of("t", "e", {"a": value})


def test_the_end_of_a_channel_names_its_join():
    old = json.loads(protocol.close(Version.V1, "t", "7").event["text"])
    assert (old["event"], old["ref"]) == ("phx_close", "7")
    assert json.loads(protocol.close(Version.V2, "t", "7").event["text"])[:2] == ["7", "7"]


@given(content=st.text() | st.binary() | st.sampled_from(["x" * n for n in (125, 126, 65536)]))
def test_a_frame_s_bytes_are_what_a_websocket_client_reads(content):
    content = content.encode("utf-8", "replace").decode() if isinstance(content, str) else content
    client = Protocol(Side.CLIENT, state=State.OPEN, max_size=None)
    client.receive_data(Frame(content).wire)
    (frame,) = client.events_received()
    read = frame.data.decode() if isinstance(content, str) else frame.data
    assert (read, frame.fin) == (content, True)
