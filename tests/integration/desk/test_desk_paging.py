from datetime import timedelta
from typing import Any

import pytest

from tests.integration.desk_world import EPOCH, NOW, World

pytestmark = [pytest.mark.anyio, pytest.mark.service]


async def pages(world: World, path: str, limit: int) -> list[list[Any]]:
    """Read a list to its end."""
    found, cursor = [], ""
    while True:
        mark = "&" if "?" in path else "?"
        body = await world.get(f"{path}{mark}limit={limit}{f'&cursor={cursor}' if cursor else ''}")
        found.append(body["items"])
        cursor = body["next"]
        if not cursor:
            return found


async def test_equal_times_lose_and_repeat_nothing(empty_world: World) -> None:
    """Rows of one instant are told apart by epoch and seq: every page size reads all, once."""
    world = empty_world
    await world.terminal("1")
    for epoch in (EPOCH, EPOCH + 1):
        for _ in range(7):
            await world.event("1", "fault", NOW, epoch=epoch, component="ups", severity="warning",
                              code="x")  # fmt: skip
    wanted = [(epoch, seq) for epoch in (EPOCH + 1, EPOCH) for seq in range(7, 0, -1)]
    for limit in (1, 2, 5, 7, 13, 14, 15):
        found = await pages(world, "/terminals/1/log", limit)
        assert [(row["epoch"], row["seq"]) for page in found for row in page] == wanted
        assert all(len(page) == limit for page in found[:-1])


async def test_rows_that_arrive_while_paging_move_nothing(empty_world: World) -> None:
    """Newer rows do not push older ones onto the next page again; late ones find their place."""
    world = empty_world
    await world.terminal("1")
    for minute in range(10):
        await world.event("1", "agent_started", NOW + timedelta(minutes=minute), cause="restart")
    first = await world.get("/terminals/1/log?limit=4")
    await world.event("1", "agent_started", NOW + timedelta(hours=1), cause="restart")
    await world.event("1", "agent_started", NOW + timedelta(seconds=90), cause="restart")
    second = await world.get(f"/terminals/1/log?limit=20&cursor={first['next']}")
    assert [row["seq"] for row in first["items"]] == [10, 9, 8, 7]
    assert [row["seq"] for row in second["items"]] == [6, 5, 4, 3, 12, 2, 1]
    assert second["next"] is None


async def test_the_last_full_page_has_no_next(empty_world: World) -> None:
    """`next` is null exactly at the end."""
    for number in range(4):
        await empty_world.terminal(f"t{number}")
    body = await empty_world.get("/terminals?limit=4")
    assert (len(body["items"]), body["next"]) == (4, None)


async def test_every_list_pages_through_all_its_rows(empty_world: World) -> None:
    """Terminals, found terminals, transactions, incidents, cases, quarantine: with equal times."""
    world = empty_world
    for number in range(9):
        await world.terminal(f"a{number}", city="Омск")
        await world.transaction(f"a{number % 2}", f"tx{number}", NOW, first_seq=number)
        await world.incident("a1", "device_fault", NOW, subject=f"s{number}")
        await world.case(f"K-2026-{number:06d}", "a1", NOW)
        await world.connection.execute(
            "insert into quarantine (terminal, epoch, seq, received_at, reason, body) "
            "values ('a1', 1, $1, $2, 'bad', '{}')", number, NOW,
        )  # fmt: skip
    names = {
        "/terminals": "terminal", "/terminals?query=омск": "terminal", "/transactions": "tx",
        "/incidents": "id", "/incidents?open=true": "id", "/incidents?terminal=a1": "id",
        "/cases": "number", "/cases?state=new": "number", "/cases?terminal=a1": "number",
        "/quarantine": "seq", "/quarantine?terminal=a1": "seq",
    }  # fmt: skip
    for path, name in names.items():
        whole = [row[name] for row in (await world.get(path))["items"]]
        assert len(set(whole)) == len(whole) == 9, path
        for limit in (2, 3, 8):
            assert [row[name] for page in await pages(world, path, limit) for row in page] == whole
    order = [row["tx"] for row in (await world.get("/transactions"))["items"]]
    assert order == [f"tx{number}" for number in range(8, -1, -1)]


async def test_a_thousand_rows_are_the_most(empty_world: World) -> None:
    """limit=1000 is taken; without a limit there are 100."""
    await empty_world.terminal("1")
    await empty_world.connection.execute(
        """
        insert into event (terminal, epoch, seq, kind, at, received_at, body)
        select '1', 1, n, 'x', $1, $1, '{"kind": "x", "at": 1}' from generate_series(1, 1200) n
        """,
        NOW,
    )
    assert len((await empty_world.get("/terminals/1/log"))["items"]) == 100
    assert len((await empty_world.get("/terminals/1/log?limit=1000"))["items"]) == 1000
