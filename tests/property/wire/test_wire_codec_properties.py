"""The codec under anything."""

import types
import zlib
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from wire import codec
from wire.bounds import Within
from wire.events import KINDS, Event

ADAPTERS = {kind: TypeAdapter[Event](shape) for kind, shape in KINDS.items()}


def values(hint: Any) -> st.SearchStrategy[Any]:
    """Return what a field of the contract may hold, bounds respected."""
    if get_origin(hint) is Annotated:
        bounds = next(each for each in hint.__metadata__ if isinstance(each, Within))
        if bounds.pattern:
            return st.from_regex(bounds.pattern.rstrip("$") + r"\Z")
        if bounds.characters:
            least, most = bounds.characters
            return st.text(min_size=least, max_size=most)
        return st.integers(bounds.least, bounds.most)
    if isinstance(hint, types.UnionType):
        return st.one_of(*(values(each) for each in get_args(hint)))
    if get_origin(hint) is dict:
        return st.dictionaries(*(values(each) for each in get_args(hint)))
    return st.from_type(hint)


def events(kind: str) -> st.SearchStrategy[Event]:
    """Return any event of a kind."""
    hints = get_type_hints(KINDS[kind], include_extras=True)
    return st.builds(KINDS[kind], **{name: values(hint) for name, hint in hints.items()})


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(payload: bytes) -> None:
    """No payload raises."""
    assert isinstance(codec.read(payload), dict | codec.PayloadRefused)


@given(st.binary(max_size=300), st.integers(0, 310))
def test_a_cut_zlib_payload_is_refused(text: bytes, cut: int) -> None:
    """A zlib stream cut anywhere before its end is refused."""
    whole = zlib.compress(b'{"a":"' + text.hex().encode() + b'"}')
    assert isinstance(codec.read(whole[: min(cut, len(whole) - 1)]), codec.PayloadRefused)


@given(st.sampled_from(sorted(KINDS)).flatmap(events))
def test_every_event_survives_the_wire(event: Event) -> None:
    """Written and read back, an event is equal to itself, for every kind."""
    payload = codec.encode(event)
    assert isinstance(codec.read(payload), dict)
    assert ADAPTERS[event.kind].validate_json(payload, strict=True) == event
