"""Input near to what is valid, and far from it: examples bent, cut, nested, packed, repeated."""

import contextlib
import json
import zlib
from collections.abc import Callable, Iterator
from random import Random
from typing import Any, Final

from hypothesis import strategies as st

from tests.fuzz.seeds import SEEDS
from tests.property.collector.test_collector_properties import json_values

TOKENS: Final = (
    b'"\\ud800"', b'"\\u0000"', b"\\ud800", b"\\u0000", b"\x00", b"NaN", b"-Infinity", b"1e999",
    b"9" * 400, b"9" * 5000, b"-0", b"1.0", b"true", b"null", b"{}", b"[]", b'""', b"{",
    b"[" * 3000, b'{"a":' * 200, b'"kind":"x",', b'"account":"79165550167",', b"\xed\xa0\x80",
    b"\xff\xfe",
    b"\xef\xbb\xbf", b"\n", b"\r", b'"', b",", b";", b"%00", b"%ED%A0%80", b"\xe2\x80\xa8",
    b"9007199254740993", b"18446744073709551616", b"\x02\x03\x00\xff\xff", b"99999999999999999999",
)  # fmt: skip
"""What has broken parsers before."""


def deep(levels: int) -> Any:
    """Return an account inside so many lists."""
    value: Any = {"account": "79165550167"}
    for _ in range(levels):
        value = [value]
    return value


HOSTILE: Final[tuple[Any, ...]] = (
    "\ud800", "\0", "\0" * 70, "x" * 70, float("nan"), float("inf"), 2**53, 2**53 + 1, 2**63, -1,
    10**400, True, None, [], {}, {"account": "79165550167"}, [[[[]]]], "", "\u2028", 1e308, -0.0,
    5e-324, "1", "RUB\n", "9" * 400, {"\ud800": 1}, {"\0": 1}, {"": {"": ""}}, [1.5, "a", None],
    deep(150), deep(600),
)  # fmt: skip
BOMB: Final = zlib.compress(b'{"a":"' + b"a" * 2_000_000 + b'"}', 9)
_ASCII: Final = 0x7F

Bend = Callable[[bytes, int, int], bytes]


def _at(data: bytes, place: int) -> int:
    return place % (len(data) + 1)


def _flip(data: bytes, place: int, choice: int) -> bytes:
    at = _at(data, place)
    return data[:at] + bytes(byte ^ 1 << choice % 8 for byte in data[at : at + 1]) + data[at + 1 :]


def _cut(data: bytes, place: int, _choice: int) -> bytes:
    return data[: _at(data, place)]


def _drop(data: bytes, place: int, choice: int) -> bytes:
    at = _at(data, place)
    return data[:at] + data[at + choice % 9 :]


def _insert(data: bytes, place: int, choice: int) -> bytes:
    at = _at(data, place)
    return data[:at] + TOKENS[choice % len(TOKENS)] + data[at:]


def _replace(data: bytes, place: int, choice: int) -> bytes:
    at = _at(data, place)
    token = TOKENS[choice % len(TOKENS)]
    return data[:at] + token + data[at + len(token) :]


def _repeat(data: bytes, place: int, choice: int) -> bytes:
    at = _at(data, place)
    return data[:at] + data[at : at + choice % 40] * 3 + data[at:]


def _twice(data: bytes, _place: int, _choice: int) -> bytes:
    return data + data


def _pack(data: bytes, _place: int, _choice: int) -> bytes:
    return zlib.compress(data)


_BENDS: Final[tuple[Bend, ...]] = (
    _flip, _cut, _drop, _insert, _insert, _replace, _repeat, _twice, _pack,
)  # fmt: skip


@st.composite
def bent(draw: st.DrawFn, target: str) -> bytes:
    """Return a good example, bent a few times."""
    data = draw(st.sampled_from(SEEDS[target]))
    for bend in draw(st.lists(st.sampled_from(_BENDS), min_size=1, max_size=4)):
        data = bend(data, draw(st.integers(0, 5000)), draw(st.integers(0, 255)))
    return data


def _change(value: Any, path: list[int], new: Any, *, twice: bool) -> Any:
    """Return the value with what the path leads to replaced, or with a second one of its key."""
    if not path or not isinstance(value, dict | list) or not value:
        return new
    step, rest = path[0] % len(value), path[1:]
    if isinstance(value, list):
        return [
            _change(each, rest, new, twice=twice) if at == step else each
            for at, each in enumerate(value)
        ]
    name = list(value)[step]
    changed = {**value, name: _change(value[name], rest, new, twice=twice)}
    return _Twice({**changed, _Key(name): value[name]}) if twice and not rest else changed


def mutated(data: bytes, chance: Random) -> bytes:
    """Return bytes with a hostile value in a place of their JSON message, or else bent."""
    head, brace, text = data.partition(b"{")
    try:
        value = json.loads(brace + text)
    except (ValueError, RecursionError):
        bend = chance.choice(_BENDS)
        return bend(data, chance.randrange(5000), chance.randrange(256))
    path = [chance.randrange(30) for _ in range(chance.randrange(6))]
    changed = _change(value, path, chance.choice(HOSTILE), twice=chance.random() < 0.2)
    text = json.dumps(changed, ensure_ascii=chance.random() < 0.5).encode("utf-8", "replace")
    return head + text


class _Key(str):
    """A key that equals no other, so that an object may have it twice."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)


class _Twice(dict[str, Any]):
    """An object with a key that is there twice."""


def _examples(target: str) -> list[tuple[bytes, Any]]:
    """Return the JSON messages among the good examples, each with what stands before it."""
    found = {}
    for seed in SEEDS[target]:
        start = seed.find(b"{")
        head = seed[: max(0, start)]
        for line in seed[max(0, start) :].split(b"\n"):
            with contextlib.suppress(ValueError):
                found[line] = (head, json.loads(line))
    return list(found.values())


def paths(value: Any) -> Iterator[list[int]]:
    """Yield the path to every value inside a value, itself first."""
    yield []
    if isinstance(value, dict | list):
        inner = list(value.values()) if isinstance(value, dict) else value
        for step, each in enumerate(inner):
            yield from ([step, *rest] for rest in paths(each))


def with_value(value: Any, new: object) -> Iterator[Any]:
    """Yield the value with another in each of its places."""
    for path in paths(value):
        yield _change(value, path, new, twice=False)


def everywhere(target: str) -> Iterator[bytes]:
    """Yield each good JSON message with each hostile value in each of its places."""
    for head, value in _examples(target):
        for new in HOSTILE:
            for changed in with_value(value, new):
                yield head + json.dumps(changed).encode() + b"\n"


@st.composite
def changed(draw: st.DrawFn, target: str) -> bytes:
    """Return a good JSON message with one value, at any depth, replaced by a hostile one."""
    head, value = draw(st.sampled_from(_examples(target)))
    path = draw(st.lists(st.integers(0, 30), max_size=5))
    new = draw(st.sampled_from(HOSTILE) | json_values)
    value = _change(value, path, new, twice=draw(st.booleans()))
    text = json.dumps(value, ensure_ascii=draw(st.booleans()))
    data = head + text.encode("utf-8", "surrogatepass")
    return zlib.compress(data) if draw(st.integers(0, 9)) == 0 else data


def _bombs() -> st.SearchStrategy[bytes]:
    return st.sampled_from(
        [BOMB, BOMB + BOMB, BOMB[:-5], zlib.compress(b"[" * 100_000),
         zlib.compress(b'{"a":' * 50_000), zlib.compress(b"{}") * 2, b"\x78\xbb" + bytes(9)]
    )  # fmt: skip


JSON_TARGETS: Final = ("payload", "batch", "pulse", "presence", "ack_topic", "command")
"""Whose input may be packed."""


def inputs(target: str) -> st.SearchStrategy[bytes]:
    """Return anything for a target: raw bytes, bent examples, hostile values, bombs."""
    anything = [st.binary(max_size=300), bent(target), bent(target)]
    if target in JSON_TARGETS:
        return st.one_of(*anything, changed(target), changed(target), changed(target), _bombs())
    if target in {"program", "api"}:
        return st.one_of(*anything, changed(target))
    return st.one_of(*anything)
