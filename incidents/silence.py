"""What only the service's clock can say: that a terminal has fallen silent, and is heard again.

Laws: silence is counted only over time in which somebody listened; it opens at the time last
heard; a terminal that was never heard is unknown, not silent; a shop that is closed is not silent.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from incidents.findings import PAYMENT_UNCERTAIN, TERMINAL_SILENT, Finding, Ms, Position
from incidents.state import State, from_json, to_json
from incidents.thresholds import Thresholds
from incidents.times import ms
from incidents.transactions import FINAL, Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """When a terminal may be used, in its own zone; without both times always."""

    zone: ZoneInfo
    opens: time | None = None
    closes: time | None = None

    def opened(self, now: datetime) -> datetime | None:
        """Return when the present opening hours began; None: closed now, or never closed at all."""
        if self.opens is None or self.closes is None or self.opens == self.closes:
            return None
        local = now.astimezone(self.zone)
        start = local.replace(hour=self.opens.hour, minute=self.opens.minute, second=0)
        start = start.replace(microsecond=0)
        if start > local:
            start -= timedelta(days=1)
        return start

    def closed(self, now: datetime) -> bool:
        """Whether the terminal's place is closed at that moment."""
        if self.opens is None or self.closes is None or self.opens == self.closes:
            return False
        clock = now.astimezone(self.zone).time()
        if self.opens < self.closes:
            return not self.opens <= clock < self.closes
        return self.closes <= clock < self.opens


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """When a terminal was last heard, and since when the service has listened without a break."""

    at: datetime
    interval_s: int
    listening_since: datetime | None


def was_set(
    before: tuple[datetime, float], after: tuple[datetime, float], numbers: Thresholds
) -> bool:
    """Whether our clock was moved between two looks at it and at the one that only goes on."""
    passed = (after[0] - before[0]).total_seconds()
    return abs(passed - (after[1] - before[1])) > numbers.deaf_s


def is_silent(heard: Heard, hours: Hours, now: datetime, numbers: Thresholds) -> bool:
    """Whether a terminal has missed its pulses while it was open and somebody listened."""
    since = heard.listening_since
    if since is None or now - since < timedelta(seconds=numbers.grace_s) or hours.closed(now):
        return False
    opened = hours.opened(now)
    counted = max(heard.at, since) if opened is None else max(heard.at, since, opened)
    return now - counted > timedelta(seconds=numbers.silent_intervals * heard.interval_s)


def judge(
    state: State,
    heard: Heard,
    *,
    silent: bool,
    transactions: Iterable[Transaction],
) -> tuple[State, tuple[Finding, ...]]:
    """Return the state after, and what silence or its end leads to.

    `transactions` are the open ones; those with money inside become provisional incidents.
    """
    state = from_json(to_json(state))
    at = ms(heard.at)
    if state.silent_since is None and silent:
        state.silent_since = at
        proof = _proof(state)
        left = tuple(_left_open(one, at, proof) for one in transactions if _uncertain(one))
        state.provisional = [*state.provisional, *left]
        return state, (_silence(at, proof), *left)
    if state.silent_since is not None and at > state.silent_since:
        over = replace(_silence(state.silent_since, _proof(state)), cleared_at=at)
        state.silent_since = None
        return state, (over,)
    return state, ()


def _proof(state: State) -> tuple[Position, ...]:
    return ((state.epoch, state.next - 1),) if state.epoch and state.next > 1 else ()


def _silence(at: Ms, proof: tuple[Position, ...]) -> Finding:
    return Finding(
        rule=TERMINAL_SILENT,
        epoch=None,
        subject=None,
        cause=None,
        severity="critical",
        opened_at=at,
        cleared_at=None,
        times=1,
        proof=proof,
    )


def _uncertain(tx: Transaction) -> bool:
    return tx.ended_at is None and tx.kept > 0 and tx.payment not in FINAL


def _left_open(tx: Transaction, at: Ms, proof: tuple[Position, ...]) -> Finding:
    cash = ((epoch, seq) for epoch, seq in tx.proof.get("cash", ()))
    return Finding(
        rule=PAYMENT_UNCERTAIN,
        epoch=tx.epoch,
        subject=tx.tx,
        cause=tx.payment or "no_result",
        severity="warning",
        opened_at=at,
        cleared_at=None,
        times=1,
        proof=tuple(dict.fromkeys((*cash, *proof))),
        provisional=True,
    )
