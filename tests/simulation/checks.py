"""The laws of a run: `Watcher` looks at every commit, every ack, and at the end at everything.

`copies` holds the laws of journals' copies in every step, `owed` those against what the disks held,
`found` those of incidents and cases. Here the three are joined with a house, and these are added:

| law | says |
| --- | --- |
| `incident_once` | an incident has one row under its key; only provisional ones go |
| `case_once` | one case for a transaction, one open work order for a terminal; none goes |
| `listened` | silence is told only while somebody listens |
| `silent` | silence is told only of who has not spoken to a collector that lives |
| `listed` | a terminal that has a journal is in the list |
| `bounded` | queues, memories and journals keep within their named bounds |
| `no_fall` | no process ends or fails by itself |
| `drains` | once faults stop, everything is acknowledged, stored and folded in a stated time |

What it needs of a house: `database.on_commit`; `broker.sent_out`, which every answer of a collector
passes; `terminals` and `twins` with `histories()`; `services.all` with `troubles` and, for the
bounds, `program` (the living `Collector`; without it the bounds of its memory are not seen).
"""

import json
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from agent.journal import Limits
from collector.app import LISTENING_SIGNS_MISSED, Collector
from collector.mqtt import Message
from incidents.times import ms
from tests.simulation.bounds import over_bounds
from tests.simulation.copies import Copies, Line, Memory, Written
from tests.simulation.found import Found, read_rows
from tests.simulation.keys import Keys
from tests.simulation.owed import Owed, by_epoch
from tests.simulation.services import ACCOUNT_KEY
from tests.simulation.told import Violation
from wire.codec import PayloadRefused, read

if TYPE_CHECKING:
    from tests.simulation.database import Backup
    from tests.simulation.house import House
    from tests.simulation.lines import ServiceLine
    from tests.simulation.loop import Node
    from tests.simulation.session import Commit
    from tests.simulation.terminal import Terminal

__all__ = ["Violation", "Watcher"]

VIOLATIONS_MAX: Final = 50
"""More of them say nothing new."""
LOOKS: Final = 200
"""How often in a run the bounds are looked at."""
AT_TERMINALS: Final = frozenset(
    {
        "terminal_crashed",
        "power_cut",
        "line_lost",
        "terminal_frozen",
        "clock_ahead",
        "clock_back",
        "flat_battery",
        "disk_full",
        "disk_replaced",
        "disk_cloned",
        "image_restored",
    }
)
"""Faults that leave service, broker and network alone: silence can then be told to the second."""
MAKES_DROP: Final = frozenset({"disk_full", "clock_ahead", "clock_back", "flat_battery"})
"""Faults after which an agent may drop what it would have kept."""
LATE_S: Final = 15.0
"""What editions, notices and commits take, and more."""
SPOKE_MAX: Final = 40
COMMIT_WAITS_S: Final = 60.0
"""Between the look at who listens and the commit that tells a silence: one command timeout."""


class Watcher:
    """Everything that is looked at in one run."""

    def __init__(self, house: "House") -> None:
        self._house = house
        self.violations: list[Violation] = []
        self.copies = Copies(self.say)
        self._keys = Keys(self.say)
        self._heard: dict[str, list[int]] = {}
        self._listening: dict[str, list[tuple[Any, Any]]] = {}
        self.counts: dict[str, int] = {}
        """Exceptions that were made use of."""
        self._memories: list[tuple[Backup, Memory]] = []
        house.database.on_commit.append(self._committed)
        self._backup = house.database.backup
        self._restore = house.database.restore
        house.database.backup = self._backed_up  # type: ignore[method-assign]  # to look on
        house.database.restore = self._put_back  # type: ignore[method-assign]  # the same
        self._sent_out: Callable[[Any, str, bytes], None] = house.broker.sent_out
        house.broker.sent_out = self._answered  # type: ignore[method-assign]  # the one way out
        self._sent_up: Callable[[Any, Any, tuple[str, bytes, bool]], None] = house.broker.sent_up
        house.broker.sent_up = self._sent  # type: ignore[method-assign]  # the one way in
        self._restored_at: list[float] = []
        self._spoke: dict[str, deque[tuple[float, Node]]] = {}
        self._deliver = house.broker._deliver  # noqa: SLF001 - the one way to a collector
        house.broker._deliver = self._delivered  # type: ignore[method-assign]  # noqa: SLF001 - the same
        self._look_again()

    def say(self, law: str, place: str, what: str) -> None:
        """Take note of a violation."""
        if len(self.violations) < VIOLATIONS_MAX:
            at = f"{self._house.world.now:.3f} s, {place}"
            self.violations.append(Violation(law, at, what))

    # --- while it runs

    def _answered(self, link: Any, topic: str, payload: bytes) -> None:
        _, _, terminal, channel = topic.split("/")
        if channel == "ack":
            self.copies.acked(terminal, payload)
        self._sent_out(link, topic, payload)

    def _sent(self, session: Any, link: Any, packet: tuple[str, bytes, bool]) -> None:
        # What is said on another's topic gets nowhere.
        if packet[0] == f"kvitok/v1/{session.client_id}/journal":
            self.copies.sent(session.client_id, packet[1])
        self._sent_up(session, link, packet)

    def _committed(self, commit: "Commit") -> None:
        written: Written = commit.rows
        self.copies.committed(written, self._house.world.now)
        self._heard_at(written.get("terminal_now", {}))
        self._listened(written.get("listening", {}))
        for key, row in written.get("incident", {}).items():
            before = commit.before["incident"].get(key)
            self._keys.incident(key, before, row)
            if before is None and row is not None and row["rule"] == "terminal_silent":
                self._was_listened(row)
                self._was_silent(row)
        for key, row in written.get("support_case", {}).items():
            self._keys.case(key, commit.before["support_case"].get(key), row)

    def _heard_at(self, rows: Mapping[Any, Line | None]) -> None:
        for row in rows.values():
            if row is not None:
                heard = self._heard.setdefault(row["terminal"], [])
                at = ms(row["heard_at"])
                if not heard or heard[-1] != at:
                    heard.append(at)

    def _listened(self, rows: Mapping[Any, Line | None]) -> None:
        for row in rows.values():
            if row is not None:
                times = self._listening.setdefault(row["collector"], [])
                if times and times[-1][0] == row["since"]:
                    times.pop()
                times.append((row["since"], row["until"]))

    def _delivered(self, line: "ServiceLine", message: Message) -> None:
        _, _, terminal, channel = message.topic.split("/")
        if channel in {"pulse", "journal"} and not line.node.frozen and _is_whole(message.payload):
            spoke = self._spoke.setdefault(terminal, deque(maxlen=SPOKE_MAX))
            spoke.append((self._house.world.now, line.node))
        self._deliver(line, message)

    def _was_silent(self, row: Line) -> None:
        """See that nobody heard the terminal within the time that silence takes."""
        if row["terminal"] not in {each.number for each in self._house.terminals}:
            return  # A hostile one names intervals of its own.
        known = self._house.database.committed("terminal_now").get(row["terminal"])
        if known is None or known["pulse"] is None:
            return  # Without a pulse nobody knows its interval: the default counts.
        scenario, now = self._house.scenario, self._house.world.now
        # A database restored to less than a gap in listening ago has forgotten so much unnoticed.
        gap_s = LISTENING_SIGNS_MISSED * scenario.listening_s
        least = now - scenario.thresholds.silent_intervals * scenario.pulse_interval_s + gap_s
        forgotten = [(at - gap_s, at) for at in self._restored_at]
        most = now - 2 * COMMIT_WAITS_S  # A commit may wait more than once.
        for at, node in self._spoke.get(row["terminal"], ()):
            if any(since <= at <= until for since, until in forgotten):
                continue
            if least < at < most and not node.dead and not node.frozen:
                what = f"silence from {row['opened_at']} on is told, and it spoke at {at:.3f} s"
                self.say("silent", row["terminal"], what)
                return

    def _was_listened(self, row: Line) -> None:
        """See that a collector was subscribed, for long enough, when silence was told."""
        at = row["detected_at"]
        scenario = self._house.scenario
        numbers = scenario.thresholds
        wait_s = numbers.deaf_s + scenario.poll_s + COMMIT_WAITS_S
        fresh, long = at - timedelta(seconds=wait_s), at - timedelta(seconds=numbers.grace_s)
        heard = any(
            until >= fresh and since <= long
            for times in self._listening.values()
            for since, until in times
        )
        if not heard:
            what = f"silence from {row['opened_at']} on is told, and nobody listened"
            self.say("listened", row["terminal"], what)

    def _backed_up(self) -> "Backup":
        backup = self._backup()
        self._memories.append((backup, self.copies.memory()))
        return backup

    def _put_back(self, backup: "Backup") -> None:
        self._restored_at.append(self._house.world.now)
        self._restore(backup)
        database = self._house.database
        memory = next(known for each, known in self._memories if each is backup)
        names = ("journal", "event", "fold_position")
        self.copies.restored({name: database.committed(name).values() for name in names}, memory)
        incidents, cases = database.committed("incident"), database.committed("support_case")
        self._keys.restored(incidents.values(), cases.values())

    # --- bounds

    def _look_again(self) -> None:
        world, horizon_s = self._house.world, self._house.scenario.horizon_s
        world.after(horizon_s / LOOKS, self._look)

    def _look(self) -> None:
        for process in self._house.services.all:
            program = getattr(process, "program", None)
            if isinstance(program, Collector):
                for what in over_bounds(program):
                    self.say("bounded", process.name, what)
        for terminal in self._terminals():
            if terminal.run is not None:
                self._journal_bounded(terminal.name, terminal.run.journal.size, terminal.limits)
        self._look_again()

    def _journal_bounded(self, name: str, size: int, limits: Limits) -> None:
        most = limits.most_bytes + limits.reserve_bytes
        if size > most:
            self.say("bounded", name, f"its journal holds {size} bytes of {most}")

    # --- at the end

    def folded(self) -> bool:
        """Say if everything that is stored is folded."""
        return not list(self._unfolded())

    def _unfolded(self) -> Iterable[tuple[Any, int, int]]:
        positions = self._house.database.committed("fold_position")
        for key, row in self._house.database.committed("journal").items():
            position = positions.get(key)
            folded = 1 if position is None else position["next_seq"]
            if folded != row["next_seq"]:
                yield key, folded, row["next_seq"]

    def stuck(self, waited_s: float) -> list[Violation]:
        """Say what has not drained in so many seconds without faults."""
        for terminal in self._terminals():
            run = terminal.run
            if run is None:
                self.say("drains", terminal.name, f"does not run after {waited_s:.0f} s")
            elif not terminal.drained:
                journal = run.journal
                what = (
                    f"after {waited_s:.0f} s: epoch {journal.epoch}, next {journal.next}, "
                    f"acknowledged before {journal.acked}, "
                    f"{'' if run.online else 'not '}online"
                )
                self.say("drains", terminal.name, what)
        for key, folded, stored in self._unfolded():
            self.say("drains", str(key), f"stored before {stored}, folded before {folded}")
        if not self.violations:
            self.say("drains", "house", f"not drained after {waited_s:.0f} s")
        return self.violations

    def final(self) -> list[Violation]:
        """Look at everything, now that it is at rest, and return all violations."""
        for process in self._house.services.all:
            for trouble in (*process.troubles, *map(_words, process.node.troubles)):
                self.say("no_fall", process.name, trouble)
        honest = {each.number: each for each in self._house.terminals}
        for number in sorted(honest):
            self._owed(number)
        journals = self._house.database.committed("journal")
        listed = self._house.database.committed("terminal")
        for name in sorted({row["terminal"] for row in journals.values()}):
            if name not in listed:
                self.say("listed", name, "it has a journal, and is not in the list of terminals")
            self._found(name, honest.get(name))
        self.counts["stale_acks"] = self.copies.stale_acks
        return self.violations

    def _terminals(self) -> "list[Terminal]":
        return [*self._house.terminals, *self._house.twins]

    def _copies_of(self, terminal: str) -> dict[int, list[Line]]:
        database = self._house.database
        epochs = [
            row["epoch"]
            for row in database.committed("journal").values()
            if row["terminal"] == terminal
        ]
        return by_epoch(row for epoch in epochs for row in database.events(terminal, epoch))

    def _owed(self, number: str) -> None:
        own = [each for each in self._terminals() if each.number == number]
        owed = Owed(
            number=number,
            histories=[history for each in own for history in each.histories()],
            copies=self._copies_of(number),
            cursors={
                epoch: cursor
                for (name, epoch), cursor in self.copies.cursors.items()
                if name == number
            },
            key=ACCOUNT_KEY,
            say=self.say,
            restored=self.copies.restores > 0,
            roomy=not any(fault.kind in MAKES_DROP for fault in self._house.scenario.plan),
        )
        owed.check()
        for name in ("gone_for_good", "overtaken", "spliced", "with_disks"):
            self.counts[name] = self.counts.get(name, 0) + int(getattr(owed, name))

    def _found(self, name: str, terminal: "Terminal | None") -> None:
        found = self._tables_of(name)
        found.check()
        heard = self._heard.get(name, [])
        found.check_silence(heard, alive=terminal is not None)
        if terminal is None:  # a hostile one may well claim to be two
            return
        own = [each for each in self._terminals() if each.number == name]
        disks = [history for each in own for history in each.histories()]
        forked = any(history.chronicle.forks for history in disks)
        # A restore may bring back a moment in which the older epoch was still the present one.
        two = len(disks) > 1 or (forked and self.copies.restores > 0)
        moves = [times for (who, _), times in self.copies.old_moves.items() if who == name]
        found.check_clash(two_journals=two, moves=moves)
        scenario = self._house.scenario
        if all(fault.kind in AT_TERMINALS for fault in scenario.plan) and not self._house.twins:
            least_ms = 3000 * scenario.pulse_interval_s
            surely_ms = least_ms + int(1000 * (scenario.poll_s + LATE_S))
            # At the very beginning nobody has listened for long enough.
            began = self._house.world.utc() - timedelta(seconds=self._house.world.now)
            since = ms(began) + int(1000 * scenario.thresholds.grace_s) + least_ms
            heard = [at for at in heard if at >= since]
            found.check_lengths(heard, least_ms=least_ms, surely_ms=surely_ms)

    def _tables_of(self, name: str) -> Found:
        database = self._house.database

        def rows(table: str) -> list[Line]:
            return [row for row in database.committed(table).values() if row["terminal"] == name]

        numbers = {row["number"] for row in rows("support_case")}
        scenario = self._house.scenario
        return Found(
            terminal=name,
            rows=read_rows(self.copies.order.get(name, ()), self._copies_of(name)),
            incidents=rows("incident"),
            cases=rows("support_case"),
            withdrawn=frozenset(
                row["number"]
                for row in database.committed("case_history").values()
                if row["number"] in numbers and row["action"] == "incident_withdrawn"
            ),
            clashes=rows("journal_clash"),
            pulsed_until=self._pulsed_until(name),
            edge_ms=int(1000 * (scenario.pulse_interval_s + scenario.poll_s + LATE_S)),
            honest=name in {each.number for each in self._house.terminals},
            say=self.say,
        )

    def _pulsed_until(self, name: str) -> int:
        """Return what the newest pulse proves: it must name all that is stored."""
        row = self._house.database.committed("terminal_now").get(name)
        if row is None or row["pulse"] is None:
            return 0
        pulse = json.loads(row["pulse"])
        newest = max(epoch for terminal, epoch in self.copies.cursors if terminal == name)
        stands = (pulse["epoch"], pulse["next"]) == (newest, self.copies.cursors[name, newest][0])
        return ms(row["pulse_at"]) if stands and pulse["unacked"] == 0 else 0


def _is_whole(payload: bytes) -> bool:
    return not isinstance(read(payload), PayloadRefused)


def _words(trouble: Mapping[str, Any]) -> str:
    return f"{trouble.get('message')}: {trouble.get('exception')!r}"
