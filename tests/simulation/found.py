"""The laws of incidents and cases at the end, of one terminal, against the naive reference.

| law | says |
| --- | --- |
| `money`, `device`, `gap` | the incidents are those of the reference, no more, no fewer |
| `device_open` | where a clock was touched: a device's incident is open just if it is bad now |
| `proof` | every proof is a stored row |
| `no_provisional` | nothing is provisional but of a terminal that is silent |
| `clash` | an identity clash stands where two journals spoke (rules 7, 8), and nowhere else |
| `silence` | silent incidents begin when the terminal was last heard, and are over |
| `case` | a firm money incident is in its transaction's case, a device's in a work order |
| `case_state` | a case that nobody touched is finished just if all its incidents are over |

Exceptions: money is not compared where more than 16 transactions are open at once, nor of hostile
terminals;
devices are compared to the millisecond only where the clock was never touched, and need not be told
while the journal that pulses is not the one of the present epoch; a device whose hold
time ends within `EDGE_MS` of the last pulse may be told already or not yet.
"""

import json
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from operator import itemgetter
from typing import Final

from incidents.times import ms
from tests.simulation import reference
from tests.simulation.copies import Line
from tests.simulation.reference_devices import is_bad, spoken_of
from tests.simulation.told import Row, Say, Told

MONEY: Final = frozenset(reference.RULES)
DEVICE: Final = frozenset({"printer_unavailable", "acceptor_unavailable"})
EDGE_MS: Final = 200_000
"""The longest between two pulses that prove time, the fold's poll, and some more."""
FOR_EVER: Final = 2**62
"""Later than every moment (Unix ms)."""
CLASH_WINDOW: Final = timedelta(days=1)
CLASH_EDGE_S: Final = 600.0
"""The collector counts from when a batch was received, the watcher from its commit."""


@dataclass(slots=True, kw_only=True)
class Found:
    """What stands in the tables of one terminal."""

    terminal: str
    rows: Sequence[Row]
    """In the order in which the fold read them."""
    incidents: Sequence[Line]
    cases: Sequence[Line]
    withdrawn: frozenset[str]
    """Cases whose history says that an incident was withdrawn."""
    clashes: Sequence[Line]
    pulsed_until: int
    """What its newest pulse proves (Unix ms); 0: nothing."""
    edge_ms: int = EDGE_MS
    honest: bool = True
    """What a hostile one's incidents should be, nobody can say."""
    say: Say

    def check(self) -> None:
        """Look at all of it but the clash and the silence, which need the truth."""
        self._money()
        self._devices()
        self._gaps()
        self._proofs()
        self._cases()
        if any(one.cleared_at is None for one in self.of({"terminal_silent"})):
            return
        for row in self.incidents:
            if row["provisional"] and self.honest:
                self._say("no_provisional", f"incident {told(row)} is still provisional")

    def _say(self, law: str, what: str) -> None:
        self.say(law, self.terminal, what)

    def of(self, rules: Iterable[str]) -> list[Told]:
        """Return the firm incidents of these rules."""
        rules = frozenset(rules)
        return [
            told(row) for row in self.incidents if row["rule"] in rules and not row["provisional"]
        ]

    def _money(self) -> None:
        try:
            expected = reference.money(self.rows)
        except reference.TooMany:
            return
        # An end before the money, an epoch that goes back: what then is the end, nobody says.
        if self.honest:
            self._compare("money", expected, self.of(MONEY))

    def _compare(self, law: str, expected: Sequence[Told], found: Sequence[Told]) -> None:
        wanted, there = Counter(expected), Counter(found)
        for one in (wanted - there).elements():
            self._say(law, f"missing: {one}")
        for one in (there - wanted).elements():
            self._say(law, f"made up or wrong: {one}")

    def _devices(self) -> None:
        found = self.of(DEVICE)
        until = self.pulsed_until
        if reference.clock_was_touched(self.rows):
            self._open_devices(found)
            return
        early = reference.devices(self.rows, until=max(0, until - self.edge_ms))
        late = reference.devices(self.rows, until=until)
        for device in sorted({one.subject or "" for one in (*late, *found)}):
            now, before, there = (
                [one for one in some if one.subject == device] for some in (late, early, found)
            )
            if not until and self._held_back(device, there):
                continue
            if Counter(there) not in (Counter(now), Counter(before)):
                self._compare("device", now, there)

    def _held_back(self, device: str, there: Sequence[Told]) -> bool:
        """Say whether that is what was to be told of a device after some of the rows.

        A backlog may hold the rest back until a pulse of the present epoch comes; and what an
        earlier pulse of it proved, nobody knows any more when another journal pulses.
        """
        return any(
            Counter(one for one in told if one.subject == device) == Counter(there)
            for count in range(len(self.rows) + 1)
            for until in (0, FOR_EVER)
            for told in [reference.devices(self.rows[:count], until=until)]
        )

    def _open_devices(self, found: Sequence[Told]) -> None:
        for device in spoken_of(self.rows):
            is_open = sum(one.subject == device and one.cleared_at is None for one in found)
            bad = is_bad(self.rows, device)
            if bad is None or is_open == bad:
                continue
            last = max(
                row[3]
                for row in self.rows
                if row[2] == "device_changed" and row[5]["device"] == device
            )
            if self.pulsed_until - last > self.edge_ms:
                state = "bad" if bad else "good"
                what = f"{device} is {state} by the journal, and {is_open} incidents are open"
                self._say("device_open", what)

    def _gaps(self) -> None:
        expected = reference.gaps(self.rows)
        found = self.of({"journal_gap"})
        times = sum(one.times for one in found)
        if times != (expected.times if expected else 0):
            lost = expected.times if expected else 0
            self._say("gap", f"{lost} ranges are lost, incidents tell of {times}")
        elif expected and expected.opened_at not in {one.opened_at for one in found}:
            self._say("gap", f"missing: {expected}; there is {[str(one) for one in found]}")

    def _proofs(self) -> None:
        stored = {(row[0], row[1]) for row in self.rows}
        for row in self.incidents:
            if row["rule"] == "identity_clash":  # its proof is where another journal spoke
                continue
            proof = [(one["epoch"], one["seq"]) for one in json.loads(row["proof"])]
            astray = [place for place in proof if place not in stored]
            # The event before a silence may lie in a range that is lost, by accident or by a lie.
            if astray and row["rule"] != "terminal_silent" and self.honest:
                self._say("proof", f"{told(row)} rests on {astray}, which are not stored")
            if not proof and row["rule"] in MONEY | DEVICE:
                self._say("proof", f"{told(row)} rests on nothing")

    # --- cases

    def _cases(self) -> None:
        cases = {case["number"]: case for case in self.cases}
        joined: dict[str, list[Line]] = {}
        for row in self.incidents:
            number = row["case_number"]
            if number is None:
                self._caseless(row)
            elif number not in cases:
                self._say("case", f"{told(row)} is in case {number}, which does not exist")
            else:
                joined.setdefault(number, []).append(row)
                self._fits(row, cases[number])
        keys = Counter((case["epoch"], case["tx"]) for case in self.cases if case["tx"] is not None)
        for key, count in keys.items():
            if count > 1:
                self._say("case", f"transaction {key} has {count} cases")
        for number, case in cases.items():
            self._state(case, joined.get(number, ()))

    def _caseless(self, row: Line) -> None:
        if row["rule"] in MONEY and not row["provisional"]:
            self._say("case", f"{told(row)} has no case")
        elif row["rule"] in DEVICE and row["cleared_at"] is None:
            self._say("case", f"{told(row)} has no work order")

    def _fits(self, row: Line, case: Line) -> None:
        if row["rule"] in MONEY:
            fits = (case["epoch"], case["tx"]) == (row["epoch"], row["subject"])
        else:
            fits = case["topic"] == "work_order" and row["rule"] in DEVICE
        if not fits:
            self._say("case", f"{told(row)} is in case {case['number']} of {case['tx']}")

    def _state(self, case: Line, members: Sequence[Line]) -> None:
        number = case["number"]
        # A device's incident that opens again may have joined a newer work order.
        if not members and number not in self.withdrawn and case["topic"] != "work_order":
            self._say("case", f"case {number} is about nothing")
        if case["touched"]:
            return
        is_open = any(row["cleared_at"] is None for row in members)
        finished = case["state"] in {"resolved", "closed"}
        if is_open is finished:
            about = ", ".join(str(told(row)) for row in members)
            self._say("case_state", f"case {number} is {case['state']}, with: {about}")

    # --- what needs the truth beside the tables

    def check_clash(self, *, two_journals: bool, moves: Iterable[Sequence[float]]) -> None:
        """Look at identity clashes.

        `two_journals`: more than one disk spoke under the number. `moves`: when (seconds) each
        smaller epoch went on after a larger one was known, as the commits showed it.
        """
        found = self.of({"identity_clash"})
        if found and not two_journals:
            evidence = [(row["epoch"], row["evidence"], row["seq"]) for row in self.clashes]
            self._say("clash", f"one disk alone was taken for two: {evidence}")
        twice = any(
            after - before < CLASH_WINDOW.total_seconds() - CLASH_EDGE_S
            for times in moves
            for before, after in pairwise(times)
        )
        if not found and (twice or any(_holds(row) for row in self.clashes)):
            self._say("clash", "two journals spoke, and there is no incident")

    def check_silence(self, heard: Sequence[int], *, alive: bool) -> None:
        """Look at silences; `heard`: when it was heard at all (Unix ms), `alive`: it speaks now."""
        moments = frozenset(heard)
        for one in self.of({"terminal_silent"}):
            if one.opened_at not in moments:
                self._say("silence", f"{one}: it was not heard then")
            if one.cleared_at is None and alive:
                self._say("silence", f"{one}: it speaks, and counts as silent")
            if one.cleared_at is not None and one.cleared_at <= one.opened_at:
                self._say("silence", f"{one}: over before it began")

    def check_lengths(self, heard: Sequence[int], *, least_ms: int, surely_ms: int) -> None:
        """Look at how long silences were, where the service itself was well all the time.

        Shorter than `least_ms` is none, longer than `surely_ms` is one.
        """
        silent = {one.opened_at: one for one in self.of({"terminal_silent"})}
        for before, after in pairwise(heard):
            if before in silent and after - before < least_ms:
                self._say("silence", f"{silent[before]}: it was heard again after so short a time")
            if before not in silent and after - before > surely_ms:
                quiet_s = (after - before) // 1000
                self._say("silence", f"nothing is said of {quiet_s} s of silence from {before} on")


def _holds(clash: Line) -> bool:
    """Say whether what the collector counted is a clash by rules 7 and 8."""
    if clash["evidence"] == "fork":
        return True
    before = clash["previous_at"]
    return before is not None and clash["last_at"] - before <= CLASH_WINDOW


def told(row: Line) -> Told:
    """Return a row of `incident` in the reference's words."""
    cleared = row["cleared_at"]
    return Told(
        rule=row["rule"],
        epoch=row["epoch"],
        subject=row["subject"],
        cause=row["cause"],
        severity=row["severity"],
        opened_at=ms(row["opened_at"]),
        cleared_at=None if cleared is None else ms(cleared),
        times=row["times"],
    )


def read_rows(
    order: Iterable[tuple[int, int, int]], copies: Mapping[int, Sequence[Line]]
) -> list[Row]:
    """Return the rows of a terminal in the order in which the fold read them."""
    rows: list[Row] = []
    for epoch, first, until in order:
        copy = copies.get(epoch, ())
        start, end = (bisect_left(copy, seq, key=itemgetter("seq")) for seq in (first, until))
        rows += [
            (
                epoch,
                row["seq"],
                row["kind"],
                rounded(row["at"]),
                rounded(row["received_at"]),
                json.loads(row["body"]),
            )
            for row in copy[start:end]
        ]
    return rows


def rounded(moment: datetime) -> int:
    """Return a moment in Unix milliseconds as the fold reads it: what is received is finer."""
    return round(moment.timestamp() * 1000)
