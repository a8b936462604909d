"""The model of PostgreSQL alone: locks, waits, rollback, restore, and how connections end."""

from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, cast

import asyncpg
import pytest

from collector import now, store
from incidents import store as fold_store
from tests.simulation.connection import Connection
from tests.simulation.database import Commit, Database, Fate
from tests.simulation.loop import Node, World

AT = datetime(2026, 3, 1, 9, tzinfo=UTC)


class Place:
    """A world with a server and nodes."""

    def __init__(self) -> None:
        self.world = World(AT)
        self.database = Database(self.world, random=Random(1))
        self.nodes: list[Node] = []

    def node(self) -> Node:
        """Return a fresh process."""
        one = Node(self.world, f"node{len(self.nodes) + 1}")
        self.nodes.append(one)
        return self.nodes[-1]

    def run(self, seconds: float) -> None:
        """Let time pass, and see that nothing was left unhandled."""
        self.world.run_until(self.world.now + seconds)
        for node in self.nodes:
            assert node.troubles == []

    def do(self, node: Node, work: Coroutine[Any, Any, Any]) -> Any:
        """Return what a coroutine returns within a second."""
        task = node.start(work)
        self.run(1.0)
        return task.result()

    def connection(self, node: Node | None = None) -> tuple[Node, Connection]:
        """Return a node and a connection of it."""
        node = node or self.node()
        return node, self.do(node, self.database.connect(node, node.name))

    def cursor(self) -> tuple[Any, Any]:
        """Return where the journal of these tests stands."""
        row = self.database.committed("journal")["t1", 7]
        return row["next_seq"], row["mark"]


@pytest.fixture
def place() -> Place:
    """Return a world with a server."""
    return Place()


async def _begin(connection: Connection) -> None:
    await connection.execute(store.ADD_JOURNALS, ["t1"], [7])


async def _move(
    connection: Connection, start: int, prev: str | None, *, to: int, mark: str
) -> list[Any]:
    return await connection.fetch(store.MOVE_CURSORS, ["t1"], [7], [start], [prev], [to], [mark])


async def _slow_move(
    node: Node, connection: Connection, *, mark: str, pause_s: float, keep: bool = True
) -> bool:
    """Move the cursor from its start in a commit that stays open for a while."""
    async with connection.transaction():
        moved = await _move(connection, 1, "7", to=3, mark=mark)
        future = node.create_future()
        node.call_later(pause_s, future.set_result, None)
        await future
        if not keep:
            raise ZeroDivisionError
    return bool(moved)


def test_nothing_is_seen_before_it_is_committed(place: Place) -> None:
    """Another connection sees the cursor before the commit, and the moved one after it."""
    node, first = place.connection()
    other, second = place.connection()
    place.do(node, _begin(first))
    task = node.start(_slow_move(node, first, mark="a", pause_s=5))
    place.run(1)
    asked = second.fetch(store.READ_CURSORS, ["t1"], [7])
    assert [dict(row) for row in place.do(other, asked)] == [
        {"terminal": "t1", "epoch": 7, "next_seq": 1, "mark": "7"}
    ]
    assert place.cursor() == (1, "7")
    place.run(10)
    assert task.result()
    assert place.cursor() == (3, "a")


@pytest.mark.parametrize("keep", [True, False])
def test_who_waits_for_a_row_judges_its_newest_version(place: Place, *, keep: bool) -> None:
    """Two move one cursor from one place: the second moves it only if the first gives up."""
    node, first = place.connection()
    other, second = place.connection()
    place.do(node, _begin(first))
    one = node.start(_slow_move(node, first, mark="a", pause_s=5, keep=keep))
    place.run(1)
    two = other.start(_move(second, 1, "7", to=4, mark="b"))
    place.run(2)
    assert not two.done()
    place.run(10)
    assert bool(two.result()) is not keep
    assert place.cursor() == ((3, "a") if keep else (4, "b"))
    if not keep:
        with pytest.raises(ZeroDivisionError):
            one.result()


def test_a_killed_process_commits_nothing_and_holds_nothing(place: Place) -> None:
    """What a process had open when it was killed is rolled back, and who waited goes on."""
    node, first = place.connection()
    other, second = place.connection()
    place.do(node, _begin(first))
    node.start(_slow_move(node, first, mark="a", pause_s=5))
    place.run(1)
    two = other.start(_move(second, 1, "7", to=4, mark="b"))
    place.run(1)
    node.kill()
    place.run(1)
    assert two.result()
    assert place.cursor() == (4, "b")


def test_a_frozen_process_loses_its_locks_after_a_while(place: Place) -> None:
    """A zombie with an open commit is rolled back by the server, and told so when it wakes."""
    node, first = place.connection()
    other, second = place.connection()
    place.do(node, _begin(first))
    one = node.start(_slow_move(node, first, mark="a", pause_s=5))
    place.run(1)
    node.freeze()
    two = other.start(_move(second, 1, "7", to=4, mark="b"))
    place.run(20)
    assert not two.done()
    place.run(20)
    assert two.result()
    node.thaw()
    place.run(1)
    assert isinstance(one.exception(), asyncpg.InterfaceError)
    assert first.is_closed()
    assert place.cursor() == (4, "b")


def test_who_is_at_work_is_not_idle(place: Place) -> None:
    """A commit with a statement now and then is left alone, however long it takes."""
    node, connection = place.connection()

    async def work() -> None:
        async with connection.transaction():
            await _begin(connection)
            for _ in range(10):
                await place_sleep(node, 20)
                await connection.fetch(store.READ_CURSORS, ["t1"], [7])

    task = node.start(work())
    place.run(300)
    task.result()
    assert place.cursor() == (1, "7")


async def place_sleep(node: Node, seconds: float) -> None:
    """Sleep as a process does."""
    future = node.create_future()
    node.call_later(seconds, future.set_result, None)
    await future


def test_two_that_wait_for_each_other_are_parted(place: Place) -> None:
    """Of two that insert the same keys in opposite orders one is told of the deadlock."""
    node, first = place.connection()
    other, second = place.connection()

    async def insert(process: Node, connection: Connection, names: list[str]) -> None:
        async with connection.transaction():
            for name in names:
                await connection.execute(store.ADD_JOURNALS, [name], [7])
                await place_sleep(process, 0.5)

    tasks = [
        node.start(insert(node, first, ["a", "b"])),
        other.start(insert(other, second, ["b", "a"])),
    ]
    place.run(10)
    errors = [type(task.exception()) for task in tasks]
    assert set(errors) == {asyncpg.DeadlockDetectedError, type(None)}
    assert [key for key, _ in place.database.committed("journal")] in (["a", "b"], ["b", "a"])


def test_a_statement_waits_a_minute_at_most(place: Place) -> None:
    """A client gives a statement up after its timeout; its commit has failed."""
    place.database.idle_s_max = 1000.0
    node, first = place.connection()
    other, second = place.connection()
    place.do(node, _begin(first))
    node.start(_slow_move(node, first, mark="a", pause_s=100))
    place.run(1)
    two = other.start(_move(second, 1, "7", to=4, mark="b"))
    place.run(65)
    assert isinstance(two.exception(), TimeoutError)
    assert place.do(other, second.fetch(store.READ_CURSORS, ["t1"], [7]))[0]["mark"] == "7"


def test_skip_locked_leaves_out_what_another_holds(place: Place) -> None:
    """The fold takes the terminals that no other worker has."""
    node, first = place.connection()
    other, second = place.connection()
    place.do(node, first.execute(fold_store.BEGIN, ["a", "b"]))

    async def hold() -> None:
        async with first.transaction():
            await fold_store.take(cast("fold_store.Connection", first), ["a"])
            await place_sleep(node, 5)

    node.start(hold())
    place.run(1)

    def taken() -> list[str]:
        rows = place.do(other, second.fetch(fold_store.TAKE, ["a", "b"]))
        return [row["terminal"] for row in rows]

    assert taken() == ["b"]
    place.run(5)
    assert taken() == ["a", "b"]


@pytest.mark.parametrize(
    ("fate", "is_committed", "error"),
    [
        (Fate.FAIL, False, asyncpg.ConnectionDoesNotExistError),
        (Fate.LOSE_ANSWER, True, asyncpg.ConnectionDoesNotExistError),
        (Fate.DISK_FULL, False, asyncpg.DiskFullError),
        (Fate.HANG, True, TimeoutError),
        (Fate.DIE_BEFORE, False, None),
        (Fate.DIE_AFTER, True, None),
    ],
)
def test_a_commit_has_its_fate(
    place: Place, fate: Fate, *, is_committed: bool, error: type[Exception] | None
) -> None:
    """What a bad fate does to a commit, and what the process hears of it."""
    node, connection = place.connection()
    place.do(node, _begin(connection))
    place.database.on_statement = lambda _node, name: fate if name == "COMMIT" else Fate.GO
    task = node.start(_slow_move(node, connection, mark="a", pause_s=0.1))
    place.run(100)
    assert place.cursor() == ((3, "a") if is_committed else (1, "7"))
    if error is None:
        assert node.dead
        assert task.cancelled()
    else:
        assert isinstance(task.exception(), error)
    assert not place.database.heap.locks


def test_a_dead_process_waits_for_nothing(place: Place) -> None:
    """At the doors of a dead process nothing suspends."""
    node, connection = place.connection()
    seen: list[type[BaseException]] = []

    async def stubborn() -> None:
        for work in (connection.fetch, connection.execute):
            try:
                async with connection.transaction():
                    await place_sleep(node, 100)
                    await work(store.READ_CURSORS, [], [])
            except BaseException as error:  # noqa: BLE001 - as stubborn as can be
                seen.append(type(error))
        await connection.close()
        try:
            await place.database.connect(node, "x")
        except OSError as error:
            seen.append(type(error))

    node.start(stubborn())
    place.run(1)
    node.kill()
    assert [each.__name__ for each in seen] == [
        "CancelledError",
        "ConnectionDoesNotExistError",
        "ConnectionRefusedError",
    ]


def test_a_stopped_server_refuses_and_forgets_what_was_open(place: Place) -> None:
    """Open commits are gone, their processes hear of it, and nobody connects until the start."""
    node, connection = place.connection()
    place.do(node, _begin(connection))
    task = node.start(_slow_move(node, connection, mark="a", pause_s=1))
    place.run(0.5)
    place.database.stop()
    with pytest.raises(OSError, match="does not run"):
        place.do(node, place.database.connect(node, "x"))
    place.run(5)
    assert isinstance(task.exception(), asyncpg.InterfaceError)
    place.database.start()
    node, connection = place.connection()
    assert place.do(node, _move(connection, 1, "7", to=2, mark="b"))


def test_a_restored_server_is_as_at_the_backup(place: Place) -> None:
    """Rows and sequences go back; the backup stays as it was, however often it is restored."""
    node, connection = place.connection()
    place.do(node, _begin(connection))
    rows = [("t1", 7, seq, "x", AT, AT, "{}") for seq in (1, 2)]
    copy = connection.copy_records_to_table("event", records=rows, columns=store.EVENT_COLUMNS)
    place.do(node, copy)
    backup = place.database.backup()
    for _ in range(2):
        node, connection = place.connection()
        assert place.do(node, _move(connection, 1, "7", to=3, mark="a"))
        more = [("t1", 7, 3, "x", AT, AT, "{}")]
        copy = connection.copy_records_to_table("event", records=more, columns=store.EVENT_COLUMNS)
        place.do(node, copy)
        assert [row["seq"] for row in place.database.events("t1", 7)] == [1, 2, 3]
        place.database.restore(backup)
        assert connection.is_closed()
        assert place.cursor() == (1, "7")
        assert [row["seq"] for row in place.database.events("t1", 7)] == [1, 2]


def test_notices_come_after_the_commit_to_those_who_still_listen(place: Place) -> None:
    """A notice is told once, at the commit; a lost connection hears nothing."""
    node, first = place.connection()
    _, second = place.connection(node)
    heard: list[tuple[str, object]] = []

    async def listen() -> None:
        for connection in (first, second):
            await connection.add_listener(
                "kvitok_journal", lambda _c, _pid, channel, words: heard.append((channel, words))
            )

    place.do(node, listen())
    other, third = place.connection()
    place.do(other, _begin(third))
    first.terminate()
    other.start(_slow_move(other, third, mark="a", pause_s=3))
    place.run(1)
    assert heard == []
    place.run(5)
    assert heard == [("kvitok_journal", "t1")]
    place.do(other, third.execute(now.NOTIFY))
    assert heard == [("kvitok_journal", "t1")]


def test_checkers_see_each_commit(place: Place) -> None:
    """A checker is told who has changed what, with what was there before."""
    node, connection = place.connection()
    place.do(node, _begin(connection))
    seen: list[Commit] = []
    place.database.on_commit.append(seen.append)
    place.do(node, _move(connection, 1, "7", to=3, mark="a"))
    (commit,) = seen
    assert (commit.node, commit.connection) == (node.name, node.name)
    row = commit.rows["journal"]["t1", 7]
    before = commit.before["journal"]["t1", 7]
    assert row is not None
    assert before is not None
    assert (before["next_seq"], row["next_seq"]) == (1, 3)
    assert commit.at - AT < timedelta(seconds=5)


def test_unknown_sql_is_named(place: Place) -> None:
    """Nobody adds SQL without telling the model what it means."""
    node, connection = place.connection()
    with pytest.raises(AssertionError, match="select 42"):
        place.do(node, connection.fetch("select 42"))


def test_every_statement_of_the_product_is_known() -> None:
    """Each SQL constant of the collector and the fold has its meaning here."""
    from collector import journals
    from incidents import store_ledger, watch

    del journals
    known = Database(World(AT), random=Random(1)).statements
    for module in (store, now, fold_store, store_ledger, watch):
        for name, value in vars(module).items():
            if name.isupper() and isinstance(value, str) and not name.startswith("_"):
                assert value in known, f"{module.__name__}.{name}"
