"""Memory is bounded by us, never by the sender: bombs, depth and crowds of small values."""

import tracemalloc
import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

import pytest

from agent.commands import reply_to
from agent.effects import Client
from agent.program import _READ_BYTES, _Connection, _taken
from agent.requests import LINE_BYTES_MAX, read_line
from collector import validators
from collector.reading import Refused, read_batch, read_told
from kvitok.terminals import read_csv
from wire import codec
from wire.limits import BATCH_BYTES_MAX, PAYLOAD_BYTES_MAX

MIB: Final = 1024 * 1024
NOW: Final = datetime(2026, 11, 23, 12, tzinfo=UTC)
BOMB_MIB_MAX: Final = 4
"""For a payload that inflates to more than it may: the first MiB of it, and copies of that."""
CROWD_MIB_MAX: Final = 32
"""For 1 MiB of the smallest values there are: an empty list of 3 bytes is 64 in Python."""


def bomb(mib: int) -> bytes:
    """Return a zlib stream that announces so many MiB of spaces in an object: about 1 KiB each."""
    packer = zlib.compressobj(9)
    head = packer.compress(b'{"events":[') + packer.flush(zlib.Z_FULL_FLUSH)
    # After a full flush each block stands for itself: it may be repeated.
    block = packer.compress(b" " * MIB) + packer.flush(zlib.Z_FULL_FLUSH)
    return head + block * mib


def peak_mib(work: Callable[[], Any]) -> float:
    """Return how much memory the work had at most, beside what there was."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1] / MIB
    finally:
        tracemalloc.stop()


READERS: Final[dict[str, Callable[[bytes], object]]] = {
    "codec": codec.read,
    "batch": lambda data: read_batch(data, NOW, b"key"),
    "pulse": lambda data: read_told(data, validators.PULSE, b"key"),
    "presence": lambda data: read_told(data, validators.PRESENCE, b"key"),
    "command": reply_to,
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("mib", [2, 1000])
def test_a_bomb_costs_no_more_than_the_limit(reader: str, mib: int) -> None:
    """A payload that announces 1,000 MiB is refused with its first MiB."""
    data = bomb(mib)
    assert zlib.decompressobj().decompress(data, 100).startswith(b'{"events":[')
    found: list[object] = []
    spent = peak_mib(lambda: found.append(READERS[reader](data)))
    assert spent < BOMB_MIB_MAX
    (answer,) = found
    if isinstance(answer, codec.PayloadRefused | Refused):
        assert answer.reason == "too_large"
    else:
        assert answer is None


CROWDS: Final = (
    b'{"events":[' + b"[]," * 400_000,
    b'{"events":[' + b"{}," * 400_000,
    b'{"events":[' + b"0.5," * 300_000,
    b'{"events":[' + b'"\\ud800",' * 130_000,
    b'{"events":' + b"[" * PAYLOAD_BYTES_MAX,
    b'{"events":' + b'{"a":' * 200_000,
    b'{"a":' + b"9" * PAYLOAD_BYTES_MAX,
    b'{"a":"' + b"\\u0000" * 170_000,
    b"{" + b",".join(b'"%d":0' % number for number in range(100_000)),
)


@pytest.mark.parametrize(
    ("reader", "size"),
    [("codec", PAYLOAD_BYTES_MAX), ("batch", BATCH_BYTES_MAX), ("batch", PAYLOAD_BYTES_MAX)],
)
def test_a_crowd_of_small_values_is_bounded(reader: str, size: int) -> None:
    """The largest payload there may be, full of the smallest values, whole and cut."""
    for crowd in CROWDS:
        for end in (b"", b"0]}"):
            data = crowd[: size - len(end) - 1].rpartition(b",")[0] + b"," + end
            assert peak_mib(partial(READERS[reader], data)) < CROWD_MIB_MAX


def test_a_program_that_never_ends_its_line_fills_nothing() -> None:
    """16 MiB without a line's end: one line's worth is held, and it is told once."""
    connection = _Connection(Client(1), None)  # type: ignore[arg-type]  # the socket is not touched

    def flood() -> None:
        told = 0
        for _ in range(16 * MIB // _READ_BYTES):
            connection.input += b"x" * _READ_BYTES
            told += len(_taken(connection))
            assert len(connection.input) <= LINE_BYTES_MAX
        assert told == 1

    assert peak_mib(flood) < 1


def test_a_line_of_small_values_is_bounded() -> None:
    """The longest line there may be."""
    for crowd in (b"[],", b"{},", b'"a",', b"0.5,"):
        line = b'{"do":"hello","program":"x","y":[' + crowd * (60_000 // len(crowd)) + b"0]}"
        assert peak_mib(partial(read_line, line, at=1)) < 4


def test_a_file_of_mistakes_is_bounded_by_itself() -> None:
    """Ten thousand wrong lines cost some times the file, not its square."""
    content = b"terminal,name\n" + b"a b,c\n" * 10_000
    assert peak_mib(lambda: read_csv(content)) < 20
