"""The newest transaction, as the journal tells of it."""

import json
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LastTransaction:
    """The newest transaction in the journal, and whether it was still open."""

    tx: str
    open: bool


def last_transaction(events: Iterable[bytes]) -> LastTransaction | None:
    """Return the newest transaction that journaled events tell of."""
    last: LastTransaction | None = None
    for each in events:
        event = json.loads(each)
        tx, kind = event.get("tx"), event.get("kind")
        if not isinstance(tx, str):
            continue
        if kind in {"transaction_started", "cash_accepted"} and (last is None or last.tx != tx):
            last = LastTransaction(tx, open=True)
        elif kind == "transaction_ended" and (last is None or last.tx == tx):
            last = LastTransaction(tx, open=False)
    return last
