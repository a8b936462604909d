"""Bytes in, values out: what the codec reads and what it refuses, by name."""

import json
import zlib

import pytest

from wire import codec
from wire.events import CashAccepted, Fiscal, ReceiptResult
from wire.journal import Batch, digest, first_mark, mark_after, mark_through
from wire.limits import PAYLOAD_BYTES_MAX
from wire.topics import Channel, read_topic, terminal_id, topic


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "empty"),
        (b"[1]", "not_json_not_zlib"),
        (b' {"a":1}', "not_json_not_zlib"),
        (b"\xef\xbb\xbf{}", "not_json_not_zlib"),
        (b'{"a":', "not_json"),
        (b'{"a":NaN}', "not_json"),
        (b'{"a":"\xff"}', "not_utf8"),
        (b'{"a":' * 100_000, "too_deep"),
        (b"{" + b" " * PAYLOAD_BYTES_MAX + b"}", "too_large"),
        (zlib.compress(b"[]"), "not_an_object"),
        (zlib.compress(b"{}")[:-1], "zlib_cut_short"),
        (zlib.compress(b"{}") + b"x", "bytes_after_zlib"),
        (zlib.compress(b"{" + b" " * 50_000_000 + b"}"), "too_large"),
    ],
    ids=lambda value: value if isinstance(value, str) else "payload",
)
def test_a_payload_is_refused_with_a_reason(payload: bytes, reason: str) -> None:
    """What cannot be read is a value with a reason, never an exception."""
    assert codec.read(payload) == codec.PayloadRefused(reason)


def test_plain_and_zlib_are_the_same_message() -> None:
    """A receiver accepts both forms of a payload."""
    payload = '{"text":"квиток"}'.encode()
    assert codec.read(payload) == codec.read(zlib.compress(payload)) == {"text": "квиток"}


def test_fields_without_value_are_left_out() -> None:
    """None is left out at every depth; kind and time come first."""
    event = ReceiptResult(at=1, tx="7", outcome="printed", fiscal=Fiscal(fn="1", fd="2", fp="3"))
    assert codec.encode(event) == (
        b'{"kind":"receipt_result","at":1,"tx":"7","outcome":"printed",'
        b'"fiscal":{"fn":"1","fd":"2","fp":"3"}}'
    )


def test_a_batch_carries_events_byte_for_byte() -> None:
    """The bytes that were journaled and marked are the bytes in the batch."""
    events = [
        codec.encode(CashAccepted(at=n, tx="x", amount=5, currency="RUB", media="note"))
        for n in range(3)
    ]
    mark = mark_through(first_mark(17), events)
    head = Batch(epoch=17, first=1, prev=first_mark(17), last=mark)
    payload = codec.encode_batch(head, events)
    assert all(event in payload for event in events)
    assert json.loads(payload)["last"] == mark
    assert "lost_from" not in json.loads(payload)


def test_a_mark_depends_on_everything_before() -> None:
    """Journals that differ anywhere differ in every later mark."""
    assert mark_after("17", b"{}") != mark_after("18", b"{}")
    assert mark_through("17", [b"a", b"b"]) != mark_through("17", [b"ab"])
    assert mark_after("0", b"") == digest(b"0") == "5feceb66ffc86f38"


def test_topics_name_terminal_and_channel() -> None:
    """A topic is read back to what it was made of; a foreign one is None."""
    terminal = terminal_id("00421_a-B")
    assert terminal is not None
    assert read_topic(topic(terminal, Channel.PULSE)) == (terminal, Channel.PULSE)
    for foreign in (
        "",
        "kvitok/v1/a/b",
        "kvitok/v2/1/ack",
        "kvitok/v1//ack",
        "kvitok/v1/я/ack",
        f"kvitok/v1/{'x' * 33}/ack",
        "kvitok/v1/1/ack/more",
    ):
        assert read_topic(foreign) is None
