import hashlib

import pytest

from desk.sealing import Seal, Sessions
from desk.tokens import Bearer, Believed, new_token, same, token_hash

KEY = b"sixteen bytes or more"


def test_a_token_has_256_random_bits() -> None:
    """43 characters of base64 after the prefix, never the same."""
    made = {new_token() for _ in range(100)}
    assert len(made) == 100
    assert {len(token) for token in made} == {len("kvt_") + 43}


def test_a_token_is_stored_as_its_sha256() -> None:
    """The hash of the text as it is sent."""
    assert token_hash("kvt_x") == hashlib.sha256(b"kvt_x").digest()
    assert same(token_hash("kvt_x"), token_hash("kvt_x"))
    assert not same(token_hash("kvt_x"), token_hash("kvt_y"))


def test_a_good_token_is_believed_for_its_time() -> None:
    """And not a moment longer."""
    believed = Believed(5.0)
    believed.put(b"1", Bearer(1, "a"), 100.0)
    assert believed.get(b"1", 104.9) == Bearer(1, "a")
    assert believed.get(b"1", 105.0) is None
    assert believed.get(b"2", 100.0) is None


def test_belief_is_bounded() -> None:
    """The oldest is forgotten first."""
    believed = Believed(5.0, size_max=2)
    for digest in (b"1", b"2", b"3"):
        believed.put(digest, Bearer(1, "a"), 0.0)
    assert believed.get(b"1", 1.0) is None
    assert believed.get(b"3", 1.0) is not None


def test_a_seal_opens_only_with_its_key_and_unchanged() -> None:
    """Every bit counts, and two seals of one text differ."""
    seal = Seal(KEY)
    sealed = seal.seal(b"words")
    assert seal.open(sealed) == b"words"
    assert seal.seal(b"words") != sealed
    assert Seal(KEY + b"!").open(sealed) is None
    for place in range(len(sealed)):
        changed = bytearray(sealed)
        changed[place] ^= 1
        assert seal.open(bytes(changed)) is None
    assert seal.open(b"") is None
    assert seal.open(sealed[:5]) is None


def test_a_short_key_is_refused() -> None:
    """A key that somebody could guess is a mistake of the configuration."""
    with pytest.raises(ValueError, match="report_key"):
        Seal(b"short")


def test_a_session_holds_for_its_hours_and_only_as_it_was_issued() -> None:
    """Neither its owner nor its end can be changed."""
    sessions = Sessions(KEY, hold_s=100)
    cookie = sessions.issue(7, 1000)
    assert sessions.bearer_id(cookie, 1099) == 7
    assert sessions.bearer_id(cookie, 1100) is None
    assert sessions.bearer_id(cookie.replace("7.", "8.", 1), 1000) is None
    assert Sessions(KEY + b"!", hold_s=100).bearer_id(cookie, 1000) is None
    for text in ("", ".", "..", "7", "7.1100", "7.1100.", "ы.ы.ы", "a.b.c"):
        assert sessions.bearer_id(text, 1000) is None
