from typing import Any

import pytest

from wire.accounts import account_hash, account_mask, stored_account

KEY = b"key"


@pytest.mark.parametrize(
    "written", ["+7 916 123-45-67", "8 (916) 123 45 67", "9161234567", "7.916.123.45.67"]
)
def test_a_phone_is_one_account_however_it_is_written(written: str) -> None:
    """Every usual way to write a phone has one mask and one hash."""
    assert account_mask(written) == "+7 916 ***-**-67"
    assert account_hash(written, KEY) == account_hash("9161234567", KEY)


@pytest.mark.parametrize(
    ("account", "mask"),
    [
        ("1234567", "***"),
        ("", "***"),
        ("12345678", "12***78"),
        ("AB-123-456-Z", "ab***6z"),
        ("ivan@mail.ru", "***"),
        ("\ud800" * 9, "***"),
    ],
)
def test_other_accounts_show_two_ends_or_nothing(account: str, mask: str) -> None:
    """A short account is masked whole; a longer one shows two characters at each end."""
    assert account_mask(account) == mask


def test_the_hash_depends_on_the_key() -> None:
    """Without the key nobody can try numbers out; the hash is 32 hex digits."""
    assert account_hash("9161234567", KEY) != account_hash("9161234567", b"other")
    assert len(account_hash("9161234567", KEY)) == 32


@pytest.mark.parametrize("value", [1.5, True, [9161234567], {"x": "9161234567"}, 10**30])
def test_any_type_is_hidden(value: Any) -> None:
    """Whatever stands in the field becomes a mask and a hash."""
    stored = stored_account(value, KEY)
    assert stored is not None
    assert set(stored) == {"masked", "hash"}
    assert "916123" not in str(stored)


def test_a_number_is_its_digits() -> None:
    """An account sent as a number is the account."""
    assert stored_account(79161234567, KEY) == stored_account("9161234567", KEY)
    assert stored_account(None, KEY) is None
