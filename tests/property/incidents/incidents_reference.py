"""A second opinion on the rules, slow and written the other way round.

Money: every prefix of the journal is looked at from scratch. Devices: every second is walked.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from incidents.fold import Row

Told = tuple[str, str, int, int | None, int]
"""Rule, subject (epoch/tx or device), opened, cleared, times."""

ENDS_ALL = ("agent_started", "transaction_started")


def money(rows: Sequence[Row]) -> set[Told]:
    """Return the money incidents of a journal without lost ranges and forks."""
    found = set()
    for epoch, tx in sorted({(row[0], row[5]["tx"]) for row in rows if "tx" in row[5]}):
        for rule in ("no_receipt", "payment_failed", "payment_uncertain"):
            holds = [
                (row[3], _standing(rows[: number + 1], epoch, tx) == rule)
                for number, row in enumerate(rows)
            ]
            turns = [
                (at, now) for (_, before), (at, now) in pairwise([(0, False), *holds])
                if before != now
            ]  # fmt: skip
            if turns:
                opened = [at for at, now in turns if now]
                last_at, is_open = turns[-1]
                cleared = None if is_open else last_at
                found.add((rule, f"{epoch}/{tx}", opened[0], cleared, len(opened)))
    return found


def _standing(rows: Sequence[Row], epoch: int, tx: str) -> str | None:
    own = [row for row in rows if row[0] == epoch and row[5].get("tx") == tx]
    if not own:
        return None
    first = rows.index(own[0])
    ended = any(row[2] == "transaction_ended" for row in own) or any(
        row[0] > epoch or (row[0] == epoch and row[2] in ENDS_ALL and row[5].get("tx") != tx)
        for row in rows[first + 1 :]
    )
    sums = {
        kind: sum(row[5]["amount"] for row in own if row[2] == kind)
        for kind in ("cash_accepted", "cash_returned")
    }
    if not ended or sums["cash_accepted"] <= sums["cash_returned"]:
        return None
    results = [row[5]["outcome"] for row in own if row[2] == "payment_result"]
    receipts = {row[5]["outcome"] for row in own if row[2] == "receipt_result"}
    last = results[-1] if results else "unknown"
    if last == "accepted":
        return None if receipts & {"printed", "refused"} else "no_receipt"
    return "payment_failed" if last in {"declined", "failed"} else "payment_uncertain"


def devices(rows: Sequence[Row], *, hold_s: int, window_s: int, until: int) -> set[Told]:
    """Return the printer's incidents; event times are whole seconds that never go back."""
    turns: dict[int, list[Any]] = {}
    for row in rows:
        if row[2] == "device_changed":
            turns.setdefault(row[3] // 1000, []).append(row[5])
    if not turns:
        return set()
    found: list[list[int | None]] = []
    bad = False
    since = min(turns)
    for second in range(since, until // 1000 + 1):
        is_open = bool(found) and found[-1][1] is None
        if bad != is_open and second - since >= hold_s:
            if not bad:
                found[-1][1] = since
            elif found and since - (found[-1][1] or 0) <= window_s:
                found[-1][1] = None
                found[-1][2] = (found[-1][2] or 0) + 1
            else:
                found.append([since, None, 1])
        for body in turns.get(second, []):
            now = body["status"] != "online" or body["paper"] != "full"
            if now != bad:
                bad, since = now, second
    return {
        (
            "printer_unavailable",
            "receipt_printer",
            (opened or 0) * 1000,
            None if cleared is None else cleared * 1000,
            times or 0,
        )
        for opened, cleared, times in found
    }
