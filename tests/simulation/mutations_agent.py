"""Bugs of an agent that might have been."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import agent.uplink
from agent.journal import Journal
from agent.store import Key, StoreFull
from agent.uplink import Uplink
from tests.simulation.mutation import Mutation, Patch, instead
from wire.codec import read


def _fork_without_the_rest(right: Any) -> Any:
    def fork(self: Any, at: int) -> None:
        self._head = replace(self._head, acked=self._head.next)
        right(self, at)

    return fork


def _any_money(self: Any) -> Any:
    since = Key(self.epoch, self.acked)
    return self._store.oldest(since=since, money=None, most=512)


def _drop_at_once(right: Any) -> Any:
    def acknowledged(self: Any, following: int) -> None:
        right(self, following)
        try:
            self._drop(self._acknowledged(), excess=1 << 40)
        except StoreFull:
            return

    return acknowledged


def _no_marks(right: Any) -> Any:
    def received(self: Any, payload: bytes, *, now: Any, at: int) -> Any:
        ack = agent.uplink._read_ack(_message(payload))  # noqa: SLF001 - broken from inside
        if ack is not None and ack.epoch == self._log.epoch:
            return self._placed(min(ack.next, self._log.next), now)
        return right(self, payload, now=now, at=at)

    return received


def _message(payload: bytes) -> dict[str, object]:
    message = read(payload)
    return message if isinstance(message, dict) else {}


def _only_forward(right: Any) -> Any:
    def placed(self: Any, following: int, now: Any) -> Sequence[Any]:
        if following < self._log.acked:
            return ()
        outcome: Sequence[Any] = right(self, following, now)
        return outcome

    return placed


def _one_more(right: Any) -> Any:
    def placed(self: Any, following: int, now: Any) -> Any:
        return right(self, min(following + 1, self._log.next), now)

    return placed


def _without_loss(right: Any) -> Any:
    def batch(**fields: Any) -> Any:
        return right(**{**fields, "lost_from": None})

    return batch


def _no_older(self: Any) -> None:
    self._older = self._older_next = None


def _begins_later(right: Any) -> Any:
    """Send what was wanted again from one seq later, and declare the one between as lost."""

    def connected(self: Any, now: Any) -> Any:
        log = self._log
        if 1 < log.acked < log.next - 1:
            self._skip = log.acked
        return right(self, now)

    return connected


def _read_skipping(right: Any) -> Any:
    def read_one_later(self: Any, epoch: Any, first: int, *, events_most: int) -> Any:
        skip = getattr(self, "_skip", None)
        self._skip = None
        if skip == first and epoch == self._log.epoch:
            return right(self, epoch, first + 1, events_most=events_most)
        return right(self, epoch, first, events_most=events_most)

    return read_one_later


MUTATIONS: Final = {
    "fork_forgets": Mutation(
        "A fork begins a new epoch without the events that were not acknowledged.",
        (Patch(Journal, "fork", _fork_without_the_rest),),
    ),
    "money_dropped": Mutation(
        "A full disk costs the oldest unacknowledged events, money or not.",
        (Patch(Journal, "_unacknowledged_plain", instead(_any_money)),),
    ),
    "dropped_at_once": Mutation(
        "What is acknowledged is dropped at once, and a restored service asks for it in vain.",
        (Patch(Journal, "acknowledged", _drop_at_once),),
    ),
    "marks_not_compared": Mutation(
        "The terminal does not compare the mark of an ack with its own.",
        (Patch(Uplink, "received", _no_marks),),
    ),
    "never_back": Mutation(
        "The terminal does not go back when the service asks for older events.",
        (Patch(Uplink, "_placed", _only_forward),),
    ),
    "one_more_acknowledged": Mutation(
        "The terminal takes `next` for the last seq that is stored.",
        (Patch(Uplink, "_placed", _one_more),),
    ),
    "loss_not_declared": Mutation(
        "A batch behind dropped events does not say `lost_from`.",
        (Patch(agent.uplink, "Batch", _without_loss),),
    ),
    "resent_from_the_wrong_place": Mutation(
        "After a reconnection the terminal goes on one event later than it should, and declares a "
        "loss that is none.",
        (Patch(Uplink, "connected", _begins_later), Patch(Uplink, "_read", _read_skipping)),
    ),
    "older_epochs_forgotten": Mutation(
        "A service that was restored to before a fork is not offered the older epoch.",
        (Patch(Uplink, "_next_older", instead(_no_older)),),
    ),
}
