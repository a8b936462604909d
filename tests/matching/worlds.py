"""A made-up world in PostgreSQL: a fleet and its transactions, as the fold would leave them."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import psycopg

from firmware_sim.places import Place, places
from tests.matching.payments import Key, Payment, payments
from wire.accounts import account_hash, account_mask
from wire.topics import TerminalId

HASH_KEY: Final = b"a key of the evaluation set alone"

_TERMINAL_COLUMNS: Final = (
    "terminal", "name", "country", "city", "address", "metro", "place", "timezone", "region",
)  # fmt: skip
_TRANSACTION_COLUMNS: Final = (
    "terminal", "epoch", "tx", "started_at", "ended_at", "end_cause", "service", "service_name",
    "account_masked", "account_hash", "accepted", "returned", "currency", "payment",
    "payment_amount", "payment_fee", "payment_code", "payment_reference", "receipt",
    "receipt_cause", "receipt_number", "fiscal", "proof", "judged",
)  # fmt: skip
_INCIDENT_COLUMNS: Final = (
    "terminal", "rule", "epoch", "subject", "cause", "severity", "opened_at", "detected_at",
    "proof",
)  # fmt: skip
_CODES: Final = {"accepted": "0", "declined": "241", "failed": "300"}


@dataclass(frozen=True)
class World:
    """A fleet and what was paid at it."""

    places: Sequence[Place]
    payments: Sequence[Payment]

    @cached_property
    def by_key(self) -> dict[Key, Payment]:
        """Return the payments by what identifies them."""
        return {one.key: one for one in self.payments}

    @cached_property
    def twins(self) -> dict[tuple[str, str], list[Payment]]:
        """Return what was paid twice, by terminal and account."""
        found: dict[tuple[str, str], list[Payment]] = {}
        for one in self.payments:
            if one.twin:
                found.setdefault((one.place.terminal, one.account), []).append(one)
        return found


def fleet(count: int, seed: int) -> list[Place]:
    """Return so many terminals; neighbours in number are no neighbours in place."""
    numbers = range(104_001, 104_001 + 7 * count, 7)
    return places([TerminalId(str(number)) for number in numbers], seed)


def world(*, terminals: int, transactions: int, seed: int) -> World:
    """Return a world; the same seed, the same world."""
    rows = fleet(terminals, seed)
    return World(rows, list(payments(rows, transactions, seed)))


def hash_of(account: str) -> str:
    """Return the hash under which an account is stored in these worlds."""
    return account_hash(account, HASH_KEY)


def write(dsn: str, rows: Iterable[Place], paid: Iterable[Payment]) -> None:
    """Write a fleet and payments into a migrated database."""
    with psycopg.connect(dsn) as connection:
        cursor = connection.cursor()
        with cursor.copy(_copy("terminal", _TERMINAL_COLUMNS)) as copy:
            for place in rows:
                copy.write_row([getattr(place, each) or None for each in _TERMINAL_COLUMNS])
        bad = []
        with cursor.copy(_copy("transaction", _TRANSACTION_COLUMNS)) as copy:
            for one in paid:
                copy.write_row(_transaction(one))
                if one.rule:
                    bad.append(one)
        with cursor.copy(_copy("incident", _INCIDENT_COLUMNS)) as copy:
            for one in bad:
                copy.write_row(_incident(one))
    with psycopg.connect(dsn, autocommit=True) as connection:
        # The fold writes things as they happen: what is near in time lies together.
        connection.execute("cluster transaction using transaction_time")
        connection.execute("vacuum analyze")


def _copy(table: str, columns: Sequence[str]) -> bytes:
    return f"copy {table} ({', '.join(columns)}) from stdin".encode()


def _transaction(one: Payment) -> list[Any]:
    fiscal = one.fiscal and json.dumps(dict(zip(("fn", "fd", "fp"), one.fiscal, strict=True)))
    return [
        one.place.terminal, one.epoch, one.tx, one.started_at, one.ended_at, one.end,
        one.service, one.service_name, account_mask(one.account), hash_of(one.account),
        one.inserted, one.returned, "RUB" if one.notes else None, one.outcome,
        one.credited, one.fee, _CODES.get(one.outcome or ""), one.reference,
        one.receipt, one.receipt_cause, one.receipt_number, fiscal, "{}", _judged(one),
    ]  # fmt: skip


def _judged(one: Payment) -> str:
    if one.rule is None:
        return "{}"
    at = int((one.ended_at or one.started_at).timestamp() * 1000)
    return json.dumps({one.rule: [at, None, 1, one.receipt_cause or one.outcome, []]})


def _incident(one: Payment) -> list[Any]:
    at = one.ended_at or one.started_at
    cause = one.receipt_cause or one.outcome
    return [
        one.place.terminal, one.rule, one.epoch, one.tx, cause, "critical", at, at, "[]",
    ]  # fmt: skip
