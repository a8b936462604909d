"""Bugs of a fold that might have been.

That two workers fold one terminal at once is none: what both write, they write in one order, and
the second finds what the first has written (a lock less was not found, and did no harm).
"""

from typing import Any, Final

import incidents.commit
import incidents.fold
import incidents.store
import incidents.transactions
import incidents.watch
from incidents.ledger import Ledger
from tests.simulation.mutation import Mutation, Patch, instead

_Folder: Final[Any] = incidents.fold._Folder  # noqa: SLF001 - broken from inside


async def _written_nowhere(*_: Any, **__: Any) -> None:
    return None


def _nothing(*_: Any, **__: Any) -> None:
    return None


def _never_heard_again(right: Any) -> Any:
    def judge(state: Any, heard: Any, **rest: Any) -> Any:
        if state.silent_since is not None:
            return state, ()
        return right(state, heard, **rest)

    return judge


def _first_result(right: Any) -> Any:
    def settle(tx: Any, body: Any, position: Any) -> None:
        if tx.payment is None:
            right(tx, body, position)

    return settle


def _judged_once(right: Any) -> Any:
    def judge(self: Any, tx: Any, at: int) -> None:
        if not tx.judged:
            right(self, tx, at)

    return judge


def _own_epoch_only(_right: Any) -> Any:
    def key_of(_self: Any, epoch: int, tx: str, _kind: str) -> Any:
        return epoch, tx

    return key_of


def _take_noting(right: Any) -> Any:
    def take(self: Any, row: Any) -> None:
        _RECEIVED[id(self)] = row[4]
        try:
            right(self, row)
        finally:
            _RECEIVED.clear()

    return take


def _pass_as_received(right: Any) -> Any:
    def passed(self: Any, kind: str, at: int, body: Any) -> None:
        right(self, kind, _RECEIVED.get(id(self), at), body)

    return passed


_RECEIVED: Final[dict[int, int]] = {}


def _never_found(right: Any) -> Any:
    def under(self: Any, terminal: str, finding: Any) -> Any:
        found = right(self, terminal, finding)
        return None if found is not None and not found.is_open else found

    return under


def _since_the_start(_right: Any) -> Any:
    async def listening_since(_connection: Any, _now: Any, *, started_at: Any, numbers: Any) -> Any:
        del numbers
        return started_at

    return listening_since


def _another_case(_right: Any) -> Any:
    def money_case(self: Any, incident: Any) -> Any:
        case = self._new_case(incident, incident.finding.rule)
        case.opened_by = "form"  # and so it is not seen by the index that forbids two
        return case

    return money_case


def _ends_skipped(right: Any) -> Any:
    def end_open(self: Any, epoch: int, *, cause: str, **rest: Any) -> None:
        if cause != "restart":
            right(self, epoch, cause=cause, **rest)

    return end_open


MUTATIONS: Final = {
    "state_not_kept": Mutation(
        "The fold's position moves and its state does not.",
        (Patch(incidents.store, "write_states", instead(_written_nowhere)),),
    ),
    "position_not_kept": Mutation(
        "The fold's findings are written and its position is not.",
        (Patch(incidents.store, "write_positions", instead(_written_nowhere)),),
    ),
    "epoch_ends_nothing": Mutation(
        "A larger epoch does not end what was open in the one before.",
        (Patch(_Folder, "_end_older", instead(_nothing)),),
    ),
    "restart_ends_nothing": Mutation(
        "A new run of the agent does not end the open transaction.",
        (Patch(_Folder, "_end_open", _ends_skipped),),
    ),
    "fork_opens_anew": Mutation(
        "What a fork moved does not go on with the transaction that it belongs to.",
        (Patch(_Folder, "_key_of", _own_epoch_only),),
    ),
    "first_result_counts": Mutation(
        "The first payment result counts, not the last.",
        (Patch(incidents.transactions.APPLY, "payment_result", _first_result),),
    ),
    "judged_once": Mutation(
        "What comes after a transaction was judged changes nothing.",
        (Patch(_Folder, "_judge", _judged_once),),
    ),
    "hold_by_our_clock": Mutation(
        "Hold times pass by the time received, not by the terminal's.",
        (Patch(_Folder, "take", _take_noting), Patch(_Folder, "_pass", _pass_as_received)),
    ),
    "incident_not_found": Mutation(
        "What opens again becomes another incident.",
        (Patch(Ledger, "_under", _never_found),),
    ),
    "case_twice": Mutation(
        "Each incident of a transaction opens a case of its own.",
        (Patch(Ledger, "_money_case", _another_case),),
    ),
    "case_never_resolved": Mutation(
        "A case stays open when all its incidents are over.",
        (Patch(Ledger, "_resolve", instead(_nothing)),),
    ),
    "provisional_stays": Mutation(
        "What silence said of a payment is never withdrawn.",
        (Patch(Ledger, "_withdraw", instead(_nothing)),),
    ),
    "gap_forgotten": Mutation(
        "A lost range is folded like an event that says nothing.",
        (Patch(_Folder, "_lost", instead(_nothing)),),
    ),
    "silence_never_over": Mutation(
        "A silent terminal that is heard again stays silent.",
        (Patch(incidents.commit, "judge", _never_heard_again),),
    ),
    "deaf_counts_as_silent": Mutation(
        "Silence is told while no collector listens.",
        (Patch(incidents.watch, "listening_since", _since_the_start),),
    ),
}
