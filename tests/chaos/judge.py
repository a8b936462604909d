"""The truth against the database, to the event; and what was found against what had to be.

Compared exactly: every event of every journal (light terminals: from memory; full kiosks: from
their SQLite file as it lies there after the end), cursors and marks, the money of every
transaction and of every cassette, money incidents, and one case for each transaction that has one;
device incidents of light terminals whose clock nobody moved.

Not compared, only allowed: device incidents of terminals with a wrong clock, and of full kiosks:
their agents are frozen and two cores starved, so how long a device was bad is the machine's affair.
"""

import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final

import psycopg

from firmware_sim.fleet import Fleet
from firmware_sim.mishap import UNREADABLE_EVENTS
from firmware_sim.story import course
from firmware_sim.truth import Expected
from kvitok.verdict import MONEY_RULES, found_of, money_of
from tests.chaos.faults import Faults
from wire.events import KINDS, Event
from wire.journal import first_mark, mark_after

_ROWS: Final = """
select terminal, epoch, seq, kind, body from event order by terminal, epoch, seq, received_at
"""
_CURSORS: Final = "select terminal, epoch, next_seq, mark from journal"
_GAP: Final = "journal_gap"
_DEVICE_RULES: Final = ("printer_unavailable", "acceptor_unavailable")

Key = tuple[str, int]
Copies = Mapping[str, list[dict[str, Any]]]
"""Terminal → the bodies of its rows, in order."""


@dataclass(frozen=True, slots=True)
class Held:
    """A journal as its terminal holds it: what is left of it, and where it stands."""

    terminal: str
    epoch: int
    next: int
    mark: str
    acked: int
    events: dict[int, bytes]
    given_up: frozenset[int] = frozenset()
    """Seqs that it says it has lost."""


@dataclass(slots=True)
class Judgement:
    """What came of a run; it holds if nothing stands in `wrong`."""

    events: int = 0
    stored: int = 0
    duplicates: int = 0
    lost: int = 0
    different: int = 0
    unknown: int = 0
    """Rows in the database that no terminal ever wrote."""
    given_up: int = 0
    """Events that their terminal lost, or had to drop, and declared: `journal_lost`."""
    gaps: int = 0
    """The rows that declare it."""
    expected: int = 0
    found: int = 0
    cases: int = 0
    interrupted: int = 0
    money: tuple[int, int] = (0, 0)
    wrong: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Say that nothing speaks against the run."""
        return not self.wrong


@dataclass(frozen=True, slots=True)
class Found:
    """What the API said when all had arrived."""

    incidents: list[dict[str, Any]]
    cases: list[dict[str, Any]]
    transactions: list[dict[str, Any]]


def judge(fleet: Fleet, faults: Faults, dsn: str, found: Found) -> Judgement:
    """Compare everything; the fleet has been stopped."""
    result = Judgement()
    journals = [*_light(fleet), *_full(fleet)]
    with psycopg.connect(dsn, autocommit=True) as connection:
        copies = _judge_events(journals, connection, faults, result)
    _judge_cassettes(fleet, copies, result)
    doubtful = _tell_interrupted(fleet, copies, result)
    _judge_incidents(fleet, faults, found, result)
    _judge_gaps(copies, found, result)
    _judge_money(fleet, doubtful, found, result)
    _judge_cases(found, result)
    return result


def _light(fleet: Fleet) -> Iterator[Held]:
    for resident in fleet.residents:
        journal = resident.terminal.journal
        yield Held(
            resident.number,
            journal.epoch,
            journal.next,
            journal.marks[-1],
            resident.terminal.acked,
            dict(enumerate(journal.events, 1)),
            frozenset(seq for first, through in journal.lost for seq in range(first, through + 1)),
        )


def _full(fleet: Fleet) -> Iterator[Held]:
    for kiosk in fleet.kiosks:
        yield from _of_file(kiosk.terminal, kiosk.folder / "journal.db")


def _of_file(terminal: str, path: Path) -> Iterator[Held]:
    with sqlite3.connect(path) as file:
        epoch, following, mark, acked = file.execute(
            "select epoch, next, mark, acked from head"
        ).fetchone()
        held: defaultdict[int, dict[int, bytes]] = defaultdict(dict)
        before: dict[int, str] = {}
        for each, seq, prev, own, body in file.execute(
            "select epoch, seq, prev, mark, body from event where epoch > 0 order by epoch, seq"
        ):
            held[each][seq] = bytes(body)
            assert mark_after(prev, bytes(body)) == own, (terminal, each, seq)
            if seq == 1:
                assert prev == first_mark(each)
            before[each] = own
    file.close()
    for each in sorted({*held, epoch}):
        if each == epoch:
            yield Held(terminal, epoch, following, mark, acked, held[each])
        else:
            last = max(held[each])
            yield Held(terminal, each, last + 1, before[each], last + 1, held[each])


def _judge_events(
    journals: Sequence[Held],
    connection: psycopg.Connection[Any],
    faults: Faults,
    result: Judgement,
) -> Copies:
    rows: defaultdict[Key, list[tuple[int, str, Any]]] = defaultdict(list)
    copies: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for terminal, epoch, seq, kind, body in connection.execute(_ROWS):
        copies[terminal].append(body)
        rows[terminal, epoch].append((seq, kind, body))
        result.stored += 1
    cursors = {(row[0], row[1]): (row[2], row[3]) for row in connection.execute(_CURSORS)}
    for held in journals:
        key = (held.terminal, held.epoch)
        result.events += held.next - 1
        if cursors.get(key) != (held.next, held.mark):
            result.wrong.append(
                f"cursor of {key}: {cursors.get(key)}, the terminal's {(held.next, held.mark)}"
            )
        if held.acked != held.next:
            result.wrong.append(f"{key}: acked {held.acked}, next {held.next}")
        judge_journal(held, rows.pop(key, []), faults.starved, result)
    for key, left in rows.items():
        result.unknown += len(left)
        result.wrong.append(f"{len(left)} rows of {key}, which no terminal has")
    return copies


def judge_journal(
    held: Held, rows: Sequence[tuple[int, str, Any]], starved: AbstractSet[str], result: Judgement
) -> None:
    """Hold the rows of one journal against it; only a starved kiosk may give something up."""
    name = f"{held.terminal}/{held.epoch}"
    times = Counter(seq for seq, _, _ in rows)
    twice = sorted(seq for seq, count in times.items() if count > 1)
    result.duplicates += sum(times[seq] - 1 for seq in twice)
    covered = set[int]()
    for seq, kind, body in rows:
        if kind == "journal_lost":
            result.gaps += 1
            covered |= set(range(seq, body["through"] + 1))
        elif seq >= held.next:
            result.unknown += 1
            result.wrong.append(f"{name}/{seq}: the terminal never wrote it")
        elif seq in held.events and not same(held.events[seq], kind, body):
            result.different += 1
            result.wrong.append(f"{name}/{seq}: stored {body}, written {held.events[seq]!r}")
    missing = [seq for seq in range(1, held.next) if seq not in times and seq not in covered]
    result.lost += len(missing)
    if twice:
        result.wrong.append(f"{name}: stored more than once: {twice[:10]}")
    if missing:
        result.wrong.append(f"{name}: not stored: {missing[:10]} ({len(missing)} in all)")
    result.given_up += len(covered)
    unasked = covered - held.given_up
    if unasked and held.terminal not in starved:
        result.lost += len(unasked)
        result.wrong.append(f"{name}: declared lost, and nothing was: {sorted(unasked)}")


def same(written: bytes, kind: str, body: Any) -> bool:
    """Say if a row is what the terminal wrote, but for accounts and what the service adds."""
    if written in UNREADABLE_EVENTS or kind == "quarantined":
        return written in UNREADABLE_EVENTS and kind == "quarantined"
    event = json.loads(written)
    stored = {name: value for name, value in body.items() if name != "clock"}
    if kind != event["kind"]:
        return False
    return bool(_masked(event, written=True) == _masked(stored, written=False))


def _masked(value: Any, *, written: bool) -> Any:
    """Return the value with every account as what it must be: an object of mask and hash."""
    if isinstance(value, dict):
        return {
            name: _account(each, written=written)
            if name == "account"
            else _masked(each, written=written)
            for name, each in value.items()
        }
    return [_masked(each, written=written) for each in value] if isinstance(value, list) else value


def _account(value: Any, *, written: bool) -> str:
    hidden = isinstance(value, dict) and set(value) == {"masked", "hash"}
    return "an account" if written or hidden else f"not masked: {type(value).__name__}"


def _judge_cassettes(fleet: Fleet, copies: Copies, result: Judgement) -> None:
    """Hold the cash of each full kiosk's copy against the metal's own count."""
    for kiosk in fleet.kiosks:
        told = sum(
            body["amount"]
            for body in copies.get(kiosk.terminal, [])
            if body["kind"] == "cash_accepted"
        )
        if told != kiosk.hardware.cassette:
            result.wrong.append(
                f"{kiosk.terminal}: {kiosk.hardware.cassette} kopecks in the cassette, "
                f"{told} in the journal"
            )


def _tell_interrupted(
    fleet: Fleet, copies: Copies, result: Judgement
) -> dict[tuple[str, str], int]:
    """Let the journal say how transactions went that a fault on the kiosk interrupted.

    The copies stand for the journals: they have just been found equal. Returned is the money of
    those whose rules may speak or not.
    """
    doubtful = dict[tuple[str, str], int]()
    for kiosk in fleet.kiosks:
        bodies = copies.get(kiosk.terminal, [])
        lost = any(body["kind"] == "journal_lost" for body in bodies)
        journal = [_event(body) for body in bodies if body["kind"] in KINDS]
        for tx in sorted(kiosk.interrupted):
            result.interrupted += 1
            starts = next(
                (at for at, each in enumerate(journal) if getattr(each, "tx", None) == tx), None
            )
            if starts is None:
                continue
            told = course(kiosk.terminal, "interrupted", tx, journal[starts:])
            if told is None:
                result.wrong.append(f"{kiosk.terminal} {tx}: never ended")
            elif not lost:
                fleet.truth.transaction(told)
            else:
                # What is lost proves nothing: its rules may speak or not (contract, section 7).
                fleet.truth.device_expectations += [
                    Expected(rule=rule, terminal=told.terminal, tx=tx, why="lost", must=False)
                    for rule in sorted(MONEY_RULES)
                ]
                doubtful[told.terminal, tx] = told.standings[-1].accepted
    return doubtful


def _event(body: Mapping[str, Any]) -> Event:
    kind = KINDS[body["kind"]]
    names = {each.name for each in fields(kind)}
    return kind(**{name: each for name, each in body.items() if name in names})


def _judge_incidents(fleet: Fleet, faults: Faults, found: Found, result: Judgement) -> None:
    truth = fleet.truth
    free = faults.skewed | {kiosk.terminal for kiosk in fleet.kiosks}
    truth.device_expectations = [
        each
        for each in truth.device_expectations
        if each.rule != _GAP and (each.rule not in _DEVICE_RULES or each.terminal not in free)
    ]
    truth.device_expectations += [
        Expected(rule=rule, terminal=terminal, why="not compared", must=False)
        for rule in _DEVICE_RULES
        for terminal in sorted(free)
    ]
    others = [each for each in found_of(found.incidents) if each.rule != _GAP]
    verdict = truth.verdict(others)
    result.expected = sum(1 for each in truth.expected if each.must)
    result.found = len(found.incidents)
    for name, listed in (
        ("missed", verdict.missed),
        ("made up", verdict.made_up),
        ("found twice", verdict.duplicated),
    ):
        result.wrong += [f"{name}: {each}" for each in listed]
    result.wrong += [f"ended by itself: {each}" for kiosk in fleet.kiosks for each in kiosk.crashes]


def _judge_gaps(copies: Copies, found: Found, result: Judgement) -> None:
    """See that each declared loss has its incident, and that no other has.

    The rows say where a loss was declared: what was lost may have been stored all the same.
    """
    gaps = {
        terminal
        for terminal, bodies in copies.items()
        if any(body["kind"] == "journal_lost" for body in bodies)
    }
    told = Counter(each["terminal"] for each in found.incidents if each["rule"] == _GAP)
    result.expected += len(gaps)
    result.wrong += [f"missed: journal_gap {each}" for each in sorted(gaps - set(told))]
    result.wrong += [f"made up: journal_gap {each}" for each in sorted(set(told) - gaps)]
    result.wrong += [f"found twice: journal_gap {each}" for each, n in told.items() if n > 1]


def _judge_money(
    fleet: Fleet, doubtful: dict[tuple[str, str], int], found: Found, result: Judgement
) -> None:
    money = money_of(fleet.truth.accepted() | doubtful, found.transactions)
    result.money = (money.injected, money.found)
    result.wrong += [f"other money: {each}" for each in money.differs]


def _judge_cases(found: Found, result: Judgement) -> None:
    cases = Counter((each["terminal"], each["tx"]) for each in found.cases if each["tx"])
    money = {
        (each["terminal"], each["subject"]) for each in found.incidents
        if each["rule"] in MONEY_RULES
    }  # fmt: skip
    result.cases = sum(cases.values())
    result.wrong += [f"no case: {each}" for each in sorted(money - set(cases))]
    result.wrong += [f"a case without an incident: {each}" for each in sorted(set(cases) - money)]
    result.wrong += [f"{n} cases: {each}" for each, n in sorted(cases.items()) if n > 1]
