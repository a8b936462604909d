"""One commit of the fold: terminals are taken, folded, judged and written together."""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from incidents import metrics, store, store_ledger
from incidents.calendar import ANNOUNCED, Calendar
from incidents.findings import Finding
from incidents.fold import Changes, Key, Row, fold, wanted
from incidents.ledger import Ledger
from incidents.silence import Heard, Hours, is_silent, judge
from incidents.store import Connection, Taken
from incidents.thresholds import Thresholds
from incidents.transactions import Transaction

log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """Why a terminal is looked at, beside its new rows."""

    hours: Hours | None = None
    """Set: judge its silence."""
    clash: Finding | None = None
    overdue: bool = False
    """A provisional incident has waited long enough for a case."""

    def joined(self, other: "Errand") -> "Errand":
        """Return one errand for both reasons."""
        return Errand(
            hours=other.hours or self.hours,
            clash=other.clash or self.clash,
            overdue=other.overdue or self.overdue,
        )


NOTHING_ELSE: Final = Errand()


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What a commit needs to know beside the database."""

    numbers: Thresholds
    now: datetime
    listening_since: datetime | None
    events_most: int
    calendar: Calendar = ANNOUNCED


@dataclass(slots=True)
class Outcome:
    """What a commit did."""

    events: int = 0
    unfinished: set[str] = field(default_factory=set)
    """More rows wait than one commit reads."""
    held: set[str] = field(default_factory=set)
    """Another worker has these under its lock."""
    failed: set[str] = field(default_factory=set)
    """A bug met their rows; nothing of theirs was written."""
    opened: list[str] = field(default_factory=list)
    cases: int = 0


async def commit(connection: Connection, errands: Mapping[str, Errand], run: Run) -> Outcome:
    """Fold these terminals, but those that another worker holds, in one commit."""
    outcome = Outcome()
    async with connection.transaction():
        taken = await store.take(connection, sorted(errands))
        names = [one.terminal for one in taken]
        outcome.held = errands.keys() - names
        unread = await store.stretches(connection, names)
        most = max(1, run.events_most // max(1, len(unread)))
        rows, outcome.unfinished = await store.events(connection, unread, most=most)
        keys = {one.terminal: wanted(one.state, rows.get(one.terminal, ())) for one in taken}
        known = await store.transactions(connection, keys)
        folded: list[tuple[Taken, Changes]] = []
        for one in taken:
            changes = _fold(one, rows.get(one.terminal, []), known[one.terminal], run)
            if changes is None:
                outcome.failed.add(one.terminal)
                continue
            _listen(one, changes, known=known[one.terminal], errand=errands[one.terminal], run=run)
            folded.append((one, changes))
        await _write(connection, folded, errands=errands, run=run, outcome=outcome)
    return outcome


def _fold(one: Taken, rows: list[Row], known: dict[Key, Transaction], run: Run) -> Changes | None:
    try:
        one.state, changes = fold(one.state, rows, known, pulse=one.pulse, numbers=run.numbers)
    except Exception:
        # One terminal's rows must not stop the others': logged, counted, tried again later.
        first = rows[0][:2] if rows else None
        log.exception("terminal %s cannot be folded from %s on", one.terminal, first)
        return None
    if changes.unreadable:
        log.warning("terminal %s: rows that no rule can read: %s", one.terminal, changes.unreadable)
        metrics.UNREADABLE.inc(len(changes.unreadable))
    return changes


def _listen(
    one: Taken, changes: Changes, *, known: Mapping[Key, Transaction], errand: Errand, run: Run
) -> None:
    """Judge the terminal's silence where the errand asks for it."""
    if errand.clash is not None:
        changes.findings.append(errand.clash)
    if one.heard_at is None or (errand.hours is None and one.state.silent_since is None):
        return
    heard = Heard(
        at=one.heard_at,
        interval_s=one.interval_s or run.numbers.pulse_interval_s,
        listening_since=run.listening_since,
    )
    silent = errand.hours is not None and is_silent(heard, errand.hours, run.now, run.numbers)
    now = {**known, **changes.transactions}
    left = [now[each.epoch, each.tx] for each in one.state.open if (each.epoch, each.tx) in now]
    one.state, findings = judge(one.state, heard, silent=silent, transactions=left)
    changes.findings.extend(findings)


async def _write(
    connection: Connection,
    folded: Iterable[tuple[Taken, Changes]],
    *,
    errands: Mapping[str, Errand],
    run: Run,
    outcome: Outcome,
) -> None:
    pairs = [(one.terminal, changes) for one, changes in folded]
    await store.write_transactions(connection, pairs)
    await store.write_devices(connection, pairs)
    await store.write_positions(connection, pairs)
    held = int(run.numbers.hold_s * 1000)
    await store.write_states(connection, [one for one, _ in folded], held_ms=held)
    findings = {
        terminal: changes.findings
        for terminal, changes in pairs
        if changes.findings or errands[terminal].overdue
    }
    if findings:
        await _keep(connection, findings, errands=errands, run=run, outcome=outcome)
    for _, changes in pairs:
        outcome.events += changes.events


async def _keep(
    connection: Connection,
    findings: Mapping[str, list[Finding]],
    *,
    errands: Mapping[str, Errand],
    run: Run,
    outcome: Outcome,
) -> None:
    ledgers = {
        terminal: Ledger(run.numbers, run.now, calendar=run.calendar) for terminal in findings
    }
    await store_ledger.load(connection, ledgers, findings)
    for terminal, ledger in ledgers.items():
        for finding in findings[terminal]:
            ledger.record(terminal, finding)
        if errands[terminal].overdue:
            ledger.open_overdue(terminal)
        outcome.opened += ledger.opened
        outcome.cases += sum(case.new for case in ledger.cases)
    await store_ledger.write(connection, ledgers.values())
