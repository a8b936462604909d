"""Bugs of a collector that might have been."""

from collections.abc import Callable, Sequence
from typing import Any, Final

import collector.journals
import collector.store
from collector.admission import Answered, Cursor, ack
from collector.store import MOVE_CURSORS, Arrival, read_cursors
from tests.simulation import statements_collector
from tests.simulation.mutation import Mutation, Patch, instead


def _ack_first(right: Any) -> Any:
    async def store(self: Any, arrivals: list[Arrival]) -> None:
        for each in arrivals:
            batch, count = each.readable.batch, len(each.readable.rows)
            hoped = ack(batch.epoch, Cursor(batch.first + count, batch.last))
            self._answers.answer(each.terminal, hoped)
        await right(self, arrivals)

    return store


def _without(kind: str | None) -> Callable[[Any], Any]:
    def wrong(right: Any) -> Any:
        def rows(arrival: Arrival) -> list[Any]:
            whole: list[Any] = right(arrival)
            if kind is None:  # the last of several
                return whole[:-1] if len(whole) > 1 else whole
            return [row for row in whole if row[3] != kind]

        return rows

    return wrong


async def _move_nothing(_connection: Any, arrivals: Sequence[Arrival]) -> dict[str, bool]:
    return {each.terminal: False for each in arrivals}


def _move_again(right: Any) -> Any:
    async def move(connection: Any, arrivals: Sequence[Arrival]) -> dict[str, bool]:
        moved: dict[str, bool] = await right(connection, arrivals)
        batches: dict[str, Any] = {
            each.terminal: each.readable for each in arrivals if each.terminal not in moved
        }
        asked: Any = [(name, each.batch.epoch) for name, each in batches.items()]
        for (name, _), cursor in (await read_cursors(connection, asked)).items():
            batch = batches[name].batch
            end = Cursor(batch.first + len(batches[name].rows), batch.last)
            if cursor == end and batches[name].rows:
                moved[name] = False
        return moved

    return move


def _any_mark(right: Any) -> Any:
    def move_cursors(pending: Any, *columns: Any) -> Any:
        names, epochs, places, prevs, nexts, marks = columns
        return right(pending, names, epochs, places, [None] * len(prevs), nexts, marks)

    return move_cursors


def _any_place(right: Any) -> Any:
    def move_cursors(pending: Any, *columns: Any) -> Any:
        names, epochs, places, prevs, nexts, marks = columns
        found = [pending.row("journal", key) for key in zip(names, epochs, strict=True)]
        there = [
            place if row is None else row["next_seq"]
            for row, place in zip(found, places, strict=True)
        ]
        return right(pending, names, epochs, there, [None] * len(prevs), nexts, marks)

    return move_cursors


def _one_too_far(right: Any) -> Any:
    def outcome(arrival: Arrival, cursors: Any) -> Any:
        true = right(arrival, cursors)
        if isinstance(true, Answered):
            return Answered(Cursor(true.cursor.next + 1, true.cursor.mark), true.why)
        return true

    return outcome


async def _no_clashes(*_: Any) -> list[str]:
    return []


def _no_answer_to(why: str) -> Callable[[Any], Any]:
    """Answer what does not fit with what the terminal hopes for."""

    def wrong(right: Any) -> Any:
        def outcome(arrival: Arrival, cursors: Any) -> Any:
            true = right(arrival, cursors)
            if isinstance(true, Answered) and true.why.value == why:
                batch, count = arrival.readable.batch, len(arrival.readable.rows)
                return Answered(Cursor(batch.first + count, batch.last), true.why)
            return true

        return outcome

    return wrong


MUTATIONS: Final = {
    "ack_before_commit": Mutation(
        "The collector acknowledges a batch before it is committed.",
        (Patch(collector.journals.JournalQueue, "_store", _ack_first),),
    ),
    "last_row_missing": Mutation(
        "The cursor moves over a batch of which the last row is not written.",
        (Patch(collector.store, "_rows", _without(None)),),
    ),
    "cursor_stays": Mutation(
        "Rows are written and the cursor does not move.",
        (Patch(collector.store, "_move", instead(_move_nothing)),),
    ),
    "stored_again": Mutation(
        "A batch that is stored already, and was not heard to be, is stored once more.",
        (Patch(collector.store, "_move", _move_again),),
    ),
    "mark_not_compared": Mutation(
        "A batch at the right place is taken whatever history it continues.",
        (Patch(statements_collector.STATEMENTS, MOVE_CURSORS, _any_mark),),
    ),
    "place_not_compared": Mutation(
        "A batch is taken wherever it begins.",
        (Patch(statements_collector.STATEMENTS, MOVE_CURSORS, _any_place),),
    ),
    "answer_too_far": Mutation(
        "A batch that does not fit is answered with one seq too many.",
        (Patch(collector.store, "_outcome", _one_too_far),),
    ),
    "hole_acknowledged": Mutation(
        "A batch behind a hole is acknowledged as if it were stored.",
        (Patch(collector.store, "_outcome", _no_answer_to("hole")),),
    ),
    "quarantined_skipped": Mutation(
        "An event that cannot be read has no row.",
        (Patch(collector.store, "_rows", _without("quarantined")),),
    ),
    "loss_not_written": Mutation(
        "A loss that a terminal declares is taken and not written down.",
        (Patch(collector.store, "_rows", _without("journal_lost")),),
    ),
    "clash_forgotten": Mutation(
        "What speaks for two journals under one number is not kept.",
        (Patch(collector.store, "_add_clashes", instead(_no_clashes)),),
    ),
}
