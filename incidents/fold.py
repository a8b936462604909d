"""The fold: state, events and their transactions in; state, changed rows and findings out.

Laws:
- Findings depend on the order and the time of the events only. How they were split into batches,
  when they came and how often the service restarted changes nothing; a backlog only postpones
  telling a device's incident, and a pulse only brings forward what the next event would show.
- Rule time never goes back by itself. A step of the clock moves what waits; where the clock becomes
  untrusted or trusted again, or was set back while the agent was off, nothing is taken to have
  passed in between.
- A pulse proves the time up to it if its `next` is ours and nothing is unacknowledged.
- Only the present (largest) epoch speaks of devices and of time; older ones of their transactions.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Final

from incidents.devices import Device, Hold, device_after, forgotten, ripen
from incidents.findings import JOURNAL_GAP, PAYMENT_UNCERTAIN, Finding, Ms, Position, bounded
from incidents.rules.devices import RULE_OF
from incidents.rules.money import MONEY_RULES, MoneyRule
from incidents.state import EPOCHS_MAX, Open, PulseSeen, State, from_json, to_json
from incidents.thresholds import Thresholds
from incidents.transactions import APPLY, FINAL, Judgement, Transaction, end, lose

Row = tuple[int, int, str, Ms, Ms, dict[str, Any]]
"""Epoch, seq, kind, rule time, time received, body as stored."""
Key = tuple[int, str]
"""Epoch and tx."""

CONTINUING: Final = frozenset(
    {"cash_accepted", "payment_result", "receipt_result", "cash_returned", "transaction_ended"}
)
"""Kinds that go on with a transaction; all name their `tx`."""
TIMELESS: Final = frozenset({"quarantined", "journal_lost"})
"""Rows whose time is when we received them: it says nothing of the terminal's time."""
_UNREADABLE: Final = (AttributeError, KeyError, TypeError, ValueError)
"""What a body that the collector should have put in quarantine leads to."""
STEP_MAX: Final = 366 * 86_400_000
"""A step of the clock between two times that we both trust cannot be longer."""


@dataclass(slots=True)
class Changes:
    """What a fold leads to, beside the state: rows to write and findings, in their order."""

    transactions: dict[Key, Transaction] = field(default_factory=dict)
    devices: dict[str, Device] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    positions: dict[int, tuple[int, Ms]] = field(default_factory=dict)
    """Epoch → the next seq to fold, and when the last folded row was received."""
    events: int = 0
    unreadable: list[Position] = field(default_factory=list)
    """Rows that broke a rule's expectations: no rule reads them, the fold goes on."""


def wanted(state: State, rows: Iterable[Row]) -> set[Key]:
    """Return the keys of the transactions that a fold of these rows needs, where they exist."""
    keys = {(one.epoch, one.tx) for one in state.open}
    older = [epoch for epoch in (*state.older, state.epoch) if epoch]
    for epoch, _, kind, _, _, body in rows:
        if kind in CONTINUING or kind == "transaction_started":
            tx = body.get("tx")
            if not isinstance(tx, str):
                continue
            keys.add((epoch, tx))
            if kind != "transaction_started" and older and older[0] < epoch:
                keys.add((max(each for each in older if each < epoch), tx))
        if epoch not in older:
            older = sorted((*older, epoch))
    return keys


def fold(
    state: State,
    rows: Iterable[Row],
    transactions: dict[Key, Transaction],
    *,
    pulse: PulseSeen | None = None,
    numbers: Thresholds,
) -> tuple[State, Changes]:
    """Fold rows, ordered by epoch and seq, then what the newest pulse proves.

    `transactions` holds those of `wanted` that exist. Neither it nor `state` is changed.
    """
    folder = _Folder(from_json(to_json(state)), transactions, numbers)
    if pulse is not None:
        folder.hear(pulse)
    for row in rows:
        folder.take(row)
    if pulse is not None:
        folder.prove(pulse)
    return folder.state, folder.changes


class _Folder:
    """One run of the fold over its own copy of the state."""

    def __init__(self, state: State, known: dict[Key, Transaction], numbers: Thresholds) -> None:
        # One whose row somebody has deleted is over.
        state.open = [one for one in state.open if (one.epoch, one.tx) in known]
        self.state = state
        self.changes = Changes()
        self._known = known
        self._numbers = numbers
        self._received: Ms = 0
        self._held_back = int(numbers.backlog_age_s * 1000)

    def take(self, row: Row) -> None:
        """Fold one row."""
        epoch, seq, kind, at, received, body = row
        state = self.state
        following = seq + 1
        if epoch != state.epoch:
            self._meet(epoch)
        try:
            if state.open and any(one.home < epoch for one in state.open):
                self._end_older(row)
            if epoch == state.epoch and kind not in TIMELESS:
                state.late = received - state.lag - at > self._held_back
                self._pass(kind, at, body)
            following = self._dispatch(row)
        except _UNREADABLE:
            self.changes.unreadable.append((epoch, seq))
        self.changes.positions[epoch] = (following, received)
        self.changes.events += 1
        if epoch == state.epoch:
            state.next = following

    def _dispatch(self, row: Row) -> int:
        """Hand a row to what its kind concerns; return the seq that follows it."""
        epoch, seq, kind, at, _, body = row
        if kind in APPLY or kind == "transaction_ended":
            self._transaction(row)
        elif kind == "device_changed":
            if epoch == self.state.epoch:
                self._device(body, at, (epoch, seq))
        elif kind == "agent_started":
            self._end_open(epoch, at=at, cause="restart", position=[epoch, seq])
        elif kind == "journal_lost":
            self._lost(row)
            return int(body["through"]) + 1
        return seq + 1

    # --- time

    def hear(self, pulse: PulseSeen) -> None:
        """Take from a pulse whether the terminal holds more, and how far its clock is behind."""
        if pulse.epoch >= self.state.epoch:
            self.state.unacked = pulse.unacked > 0
            self.state.lag = pulse.received_at - pulse.at

    def prove(self, pulse: PulseSeen) -> None:
        """Let time pass up to a pulse that shows that nothing has happened before it."""
        state = self.state
        if pulse.unacked or pulse.epoch != state.epoch or pulse.next != state.next:
            return
        state.late = False
        if state.holds:
            self._ripen(pulse.at)
        if state.provisional and state.silent_since is None:
            for finding in state.provisional:
                self.changes.findings.append(replace(finding, withdrawn=True))
            state.provisional = []

    def _pass(self, kind: str, at: Ms, body: dict[str, Any]) -> None:
        state = self.state
        trusted = body.get("clock") != "untrusted"
        if trusted != state.trusted:
            if state.now:
                self._shift(at - state.now)
            state.trusted, state.now = trusted, at
        elif kind == "clock_stepped" and trusted:
            # What an unseen step took back is part of this one: rule time is never ahead of it.
            step = min(max(-STEP_MAX, body["step_ms"]), at - state.now)
            self._shift(step)
            state.now += step
        elif kind == "agent_started" and at < state.now:
            self._shift(at - state.now)
            state.now = at
        elif at > state.now:
            state.now = at
        if state.holds:
            self._ripen(state.now)

    def _shift(self, step: Ms) -> None:
        for hold in self.state.holds.values():
            hold.shift(step)

    def _ripen(self, now: Ms) -> None:
        for subject, hold in list(self.state.holds.items()):
            ripen(hold, subject, now, self._numbers)
            if not hold.told:
                self._tell(hold)
            if forgotten(hold, now, self._numbers):
                del self.state.holds[subject]

    def _tell(self, hold: Hold) -> None:
        if hold.incident is not None and not (hold.is_open and self.state.backlog):
            self.changes.findings.append(hold.incident)
            hold.told = True

    # --- devices and journals

    def _device(self, body: dict[str, Any], at: Ms, position: Position) -> None:
        state, name = self.state, body["device"]
        before = state.devices.get(name)
        after = device_after(before, body, at)
        state.devices[name] = after
        if before is None or after.since != before.since:
            self.changes.devices[name] = after
        if name not in RULE_OF:
            return
        hold = state.holds.get(name)
        if hold is None:
            if after.bad is None:
                return
            hold = state.holds[name] = Hold()
        hold.turn(after, at=state.now, position=position)

    def _meet(self, epoch: int) -> None:
        """Take an epoch that is not the present one: a larger one becomes it."""
        state = self.state
        before = min(epoch, state.epoch)
        if before and before not in state.older:
            state.older = sorted([*state.older, before])[-EPOCHS_MAX:]
        state.epoch = max(state.epoch, epoch)

    def _lost(self, row: Row) -> None:
        epoch, seq, _, at, _, _ = row
        for one in self.state.open:
            if one.home == epoch:
                lose(self._changing((one.epoch, one.tx)), [epoch, seq])
        self.changes.findings.append(
            Finding(
                rule=JOURNAL_GAP,
                epoch=None,
                subject=None,
                cause=None,
                severity="warning",
                opened_at=at,
                cleared_at=None,
                times=1,
                proof=((epoch, seq),),
                counted=True,
            )
        )

    # --- transactions

    def _find(self, key: Key) -> Transaction | None:
        return self.changes.transactions.get(key) or self._known.get(key)

    def _changing(self, key: Key) -> Transaction:
        tx = self.changes.transactions.get(key)
        if tx is None:
            tx = self.changes.transactions[key] = self._known[key].copied()
        return tx

    def _transaction(self, row: Row) -> None:
        epoch, seq, kind, at, _, body = row
        position = [epoch, seq]
        key = self._key_of(epoch, body["tx"], kind)
        if kind == "transaction_started":
            self._end_open(epoch, at=at, cause="next_transaction", position=position, but=key)
        if self._find(key) is None:
            self.changes.transactions[key] = Transaction(key[0], key[1], at)
            self._open(Open(epoch, key[0], key[1]), at, position)
        tx = self._changing(key)
        if kind == "transaction_ended":
            self.state.open = [o for o in self.state.open if (o.epoch, o.tx) != key]
            end(tx, at=at, cause=body["cause"], position=position)
        else:
            APPLY[kind](tx, body, position)
        self._judge(tx, at)

    def _key_of(self, epoch: int, tx: str, kind: str) -> Key:
        """A fork moves what was not acknowledged: it belongs to the transaction it went on with."""
        if kind in CONTINUING and self._find((epoch, tx)) is None:
            state = self.state
            for one in state.open:
                if one.tx == tx and one.home <= epoch:
                    return one.epoch, tx
            smaller = [e for e in (*state.older, state.epoch) if e < epoch]
            before = self._find((max(smaller), tx)) if smaller else None
            # Cash opens what its own epoch does not know, but for the very customer of the fork.
            expected = kind != "cash_accepted" or (before is not None and before.ended_at is None)
            if before is not None and expected and not before.settled:
                return before.epoch, tx
        return epoch, tx

    def _open(self, one: Open, at: Ms, position: list[int]) -> None:
        self.state.open.append(one)
        if len(self.state.open) > self._numbers.open_transactions_max:
            self._end_one(self.state.open.pop(0), at, cause="too_many", position=position)

    def _end_older(self, row: Row) -> None:
        epoch, seq, kind, at, _, body = row
        going_on = body["tx"] if kind in CONTINUING else None
        stay: list[Open] = []
        for one in self.state.open:
            if one.home >= epoch:
                stay.append(one)
            elif one.tx == going_on and self._key_of(epoch, one.tx, kind)[0] == one.epoch:
                stay.append(Open(epoch, one.epoch, one.tx))
            else:
                self._end_one(one, at, cause="new_epoch", position=[epoch, seq])
        self.state.open = stay

    def _end_open(
        self, epoch: int, *, at: Ms, cause: str, position: list[int], but: Key | None = None
    ) -> None:
        stay: list[Open] = []
        for one in self.state.open:
            if one.home > epoch or (one.epoch, one.tx) == but:
                stay.append(one)
            else:
                self._end_one(one, at, cause=cause, position=position)
        self.state.open = stay

    def _end_one(self, one: Open, at: Ms, *, cause: str, position: list[int]) -> None:
        tx = self._changing((one.epoch, one.tx))
        end(tx, at=at, cause=cause, position=position)
        self._judge(tx, at)

    def _judge(self, tx: Transaction, at: Ms) -> None:
        """Say what the money rules now say, where it differs from what they said last."""
        if tx.ended_at is not None:
            changed = [rule for rule in MONEY_RULES if rule.holds(tx) != tx.is_open(rule.name)]
            # What opens first: the case that they share does not end in between.
            for rule in sorted(changed, key=lambda rule: tx.is_open(rule.name)):
                self._say(rule, tx, at)
        if self.state.provisional:
            self._withdraw(tx)

    def _say(self, rule: MoneyRule, tx: Transaction, at: Ms) -> None:
        said = tx.judged.get(rule.name)
        if said is not None and said.cleared_at is None:
            said.cleared_at = at
        else:
            device = self.state.devices.get("receipt_printer")
            cause = rule.cause(tx, device.bad if device else None)
            shown = {(e, s) for name in rule.proof for e, s in tx.proof.get(name, ())}
            proof = bounded(tuple(sorted(shown)), self._numbers.proof_max)
            if said is None:
                said = tx.judged[rule.name] = Judgement(at, None, 1, cause, proof)
            else:
                said.cleared_at, said.cause, said.proof = None, cause, proof
                said.times += 1
        self.changes.findings.append(
            Finding(
                rule=rule.name,
                epoch=tx.epoch,
                subject=tx.tx,
                cause=said.cause,
                severity=rule.severity,
                opened_at=said.opened_at,
                cleared_at=said.cleared_at,
                times=said.times,
                proof=said.proof,
            )
        )

    def _withdraw(self, tx: Transaction) -> None:
        """Drop what silence said of a transaction that has ended or has its answer."""
        said = tx.judged.get(PAYMENT_UNCERTAIN)
        for finding in self.state.provisional:
            if (finding.epoch, finding.subject) != (tx.epoch, tx.tx):
                continue
            if tx.ended_at is None and tx.payment not in FINAL and tx.kept > 0:
                continue
            if said is None:
                self.changes.findings.append(replace(finding, withdrawn=True))
            self.state.provisional = [each for each in self.state.provisional if each != finding]
