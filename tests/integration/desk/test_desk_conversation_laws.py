"""Whatever happens to customers' letters in whatever order: nobody is lost, nobody intrudes."""

import asyncio
import random
from dataclasses import replace
from itertools import count
from typing import Final

import pytest

from desk.queries.conversation import homes_of
from desk.reports.again import one_round
from desk.reports.masking import customer_keys
from tests.integration.desk.conversing import (
    PHONE,
    desk_of,
    failed,
    letter,
    paid,
    send,
    signed,
    steps,
    tell_customer,
)
from tests.integration.desk_story import TERMINAL
from tests.integration.desk_world import EPOCH, KEY, World

pytestmark = [pytest.mark.anyio, pytest.mark.service]

CUSTOMERS: Final = ("anna@example.com", "petr@example.com", "olga@example.com")
TEXTS: Final = (
    "Терминал съел деньги, верните",
    "Ну что там?",
    f"Сегодня в 11:20 на терминале {TERMINAL} внесла 700 рублей, номер {PHONE}, деньги не пришли",
    f"Терминал {TERMINAL}, в 11:20",
    f"Номер {PHONE}, 700 рублей",
    "300 рублей на 9035554433 вчера в 14:10 не пришли",
)
PAYMENTS: Final = ("tx-000042", "tx-000006")


class Correspondence:
    """Random letters and decisions, and what each customer was told."""

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.chance = random.Random(seed)
        self.reports: dict[str, str] = {}
        """Report → its customer."""
        self.told: set[tuple[str, str]] = set()
        """Customer, and a number that we wrote to that customer."""
        self.is_paid = False
        self.numbers = count(1000)

    async def write(self) -> None:
        """Let a customer write, in a thread of the own, of another's, or in none."""
        who = self.chance.choice(CUSTOMERS)
        numbers = sorted({number for _, number in self.told})
        answers = (
            signed(self.chance.choice(numbers)) if self.chance.random() < 0.5 and numbers else ""
        )
        raw = letter(self.chance.choice(TEXTS), who, answers=answers, n=next(self.numbers))
        row = await send(self.world, raw)
        self.reports[row["id"]] = who
        owed = await self.world.connection.fetchval(
            "select answer from report where id = $1", int(row["id"])
        )
        if owed == "owed":
            self.told.add((who, row["case"]))
            await tell_customer(self.world, row["case"], row["id"], who)

    async def pay(self) -> None:
        """Let the journal come."""
        if self.is_paid:
            return
        self.is_paid = True
        await paid(self.world)
        if self.chance.random() < 0.7:
            await failed(self.world)

    async def decide(self) -> None:
        """Let a person attach or take out."""
        if not self.reports:
            return
        address = f"/api/v1/reports/{self.chance.choice(sorted(self.reports))}"
        if self.chance.random() < 0.5:
            answer = await self.world.client.delete(f"{address}/attachment")
            assert answer.status_code in {200, 409}
            return
        wanted = {"terminal": TERMINAL, "epoch": EPOCH, "tx": self.chance.choice(PAYMENTS)}
        answer = await self.world.client.post(f"{address}/attach", json=wanted)
        assert answer.status_code in {200, 422}

    async def wait(self) -> None:
        """Let the desk match again."""
        self.world.clock.move(301)
        await one_round(desk_of(self.world))

    async def check(self) -> None:
        """Everybody has a case, nobody is in another's, and every number told leads home."""
        rows = await self.world.connection.fetch(
            """
            select r.id::text as report, c.number, c.merged_into, c.state, r.terminal,
              c.terminal as place
            from report r left join support_case c on c.number = r.case_number
            """
        )
        people: dict[str, set[str]] = {}
        for row in rows:
            assert row["number"] is not None, "a customer is without a case"
            assert row["merged_into"] is None, "a report is in a case that is no more"
            assert row["terminal"] is None or row["terminal"] == row["place"]
            people.setdefault(row["number"], set()).add(self.reports[row["report"]])
        assert all(len(each) == 1 for each in people.values()), people
        for who, number in self.told:
            keys = customer_keys(who, (), KEY)
            home = (await homes_of(desk_of(self.world).database, {number}, 0, keys)).get(number)
            assert home is not None, number
            assert home.own is not None, (who, number, home)
            assert people[home.own] == {who}


@pytest.mark.parametrize("seed", range(6))
async def test_nobody_is_lost_and_nobody_intrudes(world: World, seed: int) -> None:
    """Letters, threads, journals, decisions and rounds in a random order."""
    it = Correspondence(world, seed)
    moves = (it.write, it.write, it.write, it.decide, it.decide, it.wait, it.pay)
    done = []
    for _ in range(25):
        move = it.chance.choice(moves)
        done.append(move.__name__)
        await move()
        try:
            await it.check()
        except AssertionError as error:
            raise AssertionError(f"seed {seed} after {done}: {error}") from error
    for number in {number for _, number in it.told}:
        assert (await steps(world, number))[0] == "opened"


@pytest.mark.parametrize("seed", range(2))
async def test_it_is_so_when_all_happens_at_once(
    world: World, seed: int, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever is first: no two wait for each other for ever, and nothing is tried in vain."""
    it = Correspondence(replace(world, connection=desk_of(world).database), seed)
    moves = (it.write, it.write, it.write, it.decide, it.decide, it.decide, it.wait)
    for number in range(8):
        at_once = [it.chance.choice(moves) for _ in range(8)]
        await asyncio.gather(*(move() for move in at_once))
        assert "could not be matched" not in caplog.text, f"seed {seed}: {caplog.text}"
        await it.check()
        if number == 3:
            await it.pay()
