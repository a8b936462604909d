from collections.abc import AsyncIterator
from datetime import timedelta
from zoneinfo import ZoneInfo

import asyncpg
import pytest

from incidents.matching.matcher import Match
from tests.integration.matching_world import World, at

pytestmark = [pytest.mark.anyio, pytest.mark.service]


@pytest.fixture
async def world(database: str) -> AsyncIterator[World]:
    """Return forty terminals with 2,400 payments of a month."""
    connection = await asyncpg.connect(database)
    made = World(connection)
    await made.fill()
    yield made
    await connection.close()


def attached(found: Match) -> str | None:
    """Return the transaction that the report was attached to."""
    return found.decision.tx if found.decision.status == "attached" else None


def evidence(found: Match) -> dict[str, str]:
    """Return the levels of the best candidate's evidence."""
    return {each.fact: each.level for each in found.candidates[0].evidence}


async def test_terminal_phone_sum_and_time(world: World) -> None:
    """What a careful customer tells is attached, with every probability adding up to one."""
    tx = await world.pay("40107", at("22 14:05"), "9161234567", 70000)
    found = await world.ask(
        "22.11.2026 в 14:07 внес 700 руб на телефон 8 916 123-45-67, терминал 40107, не пришли"
    )
    assert attached(found) == tx, found
    assert sum(each.probability for each in found.candidates) + found.none_probability <= 1 + 1e-9
    assert evidence(found) | {"paid_at": "exact: 3min"} == evidence(found)
    assert found.terminals[0][0] == "40107"


async def test_another_phone_by_one_digit(world: World) -> None:
    """A slip of the finger in the phone costs little."""
    tx = await world.pay("40107", at("22 14:05"), "9161234567", 70000)
    found = await world.ask("22.11.2026 в 14:07 внес 700 руб на 8 916 123-45-76, терминал 40107")
    assert found.candidates[0].tx == tx
    assert evidence(found)["account"] == "near"
    assert attached(found) == tx


async def test_the_terminal_by_one_digit(world: World) -> None:
    """A number that no terminal bears means one that differs by a digit."""
    tx = await world.pay("40107", at("22 14:05"), "9161234567", 70000)
    found = await world.ask("22.11.2026 в 14:07 внес 700 р., терминал № 40108, чек не вышел")
    assert found.candidates[0].tx == tx
    assert evidence(found)["terminal"] == "near"


async def test_a_place(world: World) -> None:
    """Words of an address stand for the terminals there."""
    tx = await world.pay("40100", at("22 14:05"), "9161234567", 70000)
    found = await world.ask(
        "22.11.2026 около 14 часов на улице Профсоюзная, 1 положил 700 рублей на 89161234567"
    )
    assert evidence(found)["place"] == "in"
    assert attached(found) == tx


async def test_the_receipts_number(world: World) -> None:
    """Receipt and operation numbers find their transaction without time or account."""
    tx = await world.pay(
        "40107", at("12 14:05"), "9161234567", 50000, receipt_number="004512",
        payment_reference="77120045",
    )  # fmt: skip
    found = await world.ask("Чек № 4512, операция № 77120045, терминал 40107, деньги не пришли")
    assert attached(found) == tx, found
    assert evidence(found) | {"receipt": "equal", "operation": "equal"} == evidence(found)


async def test_what_is_quoted_only_suggests(world: World) -> None:
    """Where an answer says nothing of its payment, the mail that it quotes suggests one."""
    tx = await world.pay("40107", at("22 14:05"), "9161234567", 70000)
    claim = "22.11.2026 в 14:07 внес 700 руб на 8 916 123-45-67, терминал 40107, не пришли"
    found = await world.ask("Ну и где мои деньги?", quoting=claim)
    assert (found.decision.status, found.decision.why) == ("suggested", "quoted")
    assert found.candidates[0].tx == tx
    other = await world.pay("40110", at("22 18:20"), "9161239999", 50000)
    told = "22.11.2026 в 18:20 внес 500 руб на 8 916 123-99-99, терминал 40110"
    found = await world.ask(told, quoting=claim)
    assert attached(found) == other


async def test_a_fiscal_key(world: World) -> None:
    """A fiscal key alone is enough, and that of another receipt is not."""
    fiscal = {"fn": "9960440300012345", "fd": "0012044", "fp": "0250448795"}
    tx = await world.pay("40107", at("22 14:05"), "9161234567", 50000, fiscal=fiscal)
    found = await world.ask("t=20261122T1405&s=500.00&fn=9960440300012345&i=12044&fp=250448795&n=1")
    assert attached(found) == tx, found
    found = await world.ask("t=20261122T1405&s=500.00&fn=9960440300012345&i=12044&fp=250448796&n=1")
    assert attached(found) is None


async def test_the_last_digits(world: World) -> None:
    """The last digits of a phone are compared with all of them, not with its mask alone."""
    tx = await world.pay("40107", at("22 14:05"), "9161234567", 50000)
    other = await world.pay("40107", at("22 14:06"), "9163330067", 50000)
    found = await world.ask("22.11 в 14:05 внес 500 рублей, последние цифры 4567, не пришли")
    assert found.candidates[0].tx == tx
    assert found.candidates[0].probability > 0.8
    assert evidence(found)["tail"] == "whole"
    levels = {each.tx: {one.fact: one.level for one in each.evidence} for each in found.candidates}
    assert levels[other]["tail"] in {"other", "equal"}


async def test_an_incident_without_a_time(world: World) -> None:
    """What went wrong lately with this sum is found where nothing but the sum is told."""
    tx = await world.pay(
        "40107", at("19 14:05"), "9161234567", 137000, receipt="failed",
        judged={"no_receipt": [1, None, 1, "paper_out", []]},
    )  # fmt: skip
    found = await world.ask("Внёс 1370 рублей, чек не вышел")
    assert found.candidates[0].tx == tx
    assert attached(found) is None


async def test_money_in_parts(world: World) -> None:
    """Put in, credited and fee are compared each with its own."""
    tx = await world.pay("40107", at("22 14:05"), "9161234567", 100000)
    found = await world.ask(
        "22 ноября днем внес 1000 рублей на 9161234567, зачислили 950, комиссия 50 рублей"
    )
    assert found.candidates[0].tx == tx
    levels = evidence(found)
    assert (levels["amount"], levels["credited"], levels["fee"]) == ("equal",) * 3


async def test_either_of_twins(world: World) -> None:
    """Of one payment made twice nobody knows which is meant: the last stands for both."""
    txs = [await world.pay("40107", at(f"22 14:0{n}"), "9161234567", 50000) for n in (4, 6)]
    found = await world.ask(
        "22.11.2026 в 14:05 внес 500 руб на телефон 8 916 123-45-67, терминал 40107, не пришли"
    )
    assert [round(each.probability, 1) for each in found.candidates[:2]] == [0.5, 0.5]
    assert (attached(found), found.decision.why) == (txs[1], "one_of_twins")
    assert found.terminals[0][0] == "40107"
    assert found.terminals[0][1] > 0.98


async def test_likely_twins(world: World) -> None:
    """Too little to attach: the terminal alone is clear."""
    for minute in (4, 6):
        await world.pay("40107", at(f"22 14:0{minute}"), "9161234567", 50000)
    found = await world.ask("22.11.2026 внес 500 руб на телефон 8 916 123-45-67, не пришли")
    assert (found.decision.status, found.decision.why) == ("suggested", "twins")
    assert (found.decision.terminal, found.decision.tx) == ("40107", None)


async def test_a_payment_that_is_not_ours(world: World) -> None:
    """A known customer's payment elsewhere is not attached to another of theirs."""
    await world.pay("40107", at("12 18:05"), "9161234567", 30000)
    found = await world.ask("22.11.2026 в 14:05 внес 1000 руб на 8 916 123-45-67, не пришли деньги")
    assert found.decision.status == "needs_facts"
    assert found.none_probability > 0.7
    assert len(found.decision.ask) == 2
    await world.pay("40107", at("10 18:05"), "9161234567", 50000)
    found = await world.ask("Внес 500 руб на 8 916 123-45-67 в терминале 40107, не пришли деньги")
    assert attached(found) is None


async def test_the_wrong_day(world: World) -> None:
    """A contradiction is for a person to see, however likely the candidate."""
    tx = await world.pay("40107", at("19 14:05"), "9161234567", 70000)
    found = await world.ask(
        "22.11.2026 в 14:07 внес 700 руб на телефон 8 916 123-45-67, терминал 40107, не пришли"
    )
    assert found.candidates[0].tx == tx
    assert found.decision.status == "suggested"


async def test_a_contact_is_not_the_account(world: World) -> None:
    """The phone to call is not the phone that was paid."""
    tx = await world.pay("40107", at("22 14:05"), "9161234567", 50000)
    await world.pay("40107", at("22 14:25"), "9035554433", 50000)
    found = await world.ask(
        "22.11.2026 в 14:05 внес 500 руб на телефон 8 916 123-45-67 в терминале 40107. "
        "Для связи: 8 903 555-44-33"
    )
    assert attached(found) == tx


async def test_two_payments_in_one_report(world: World) -> None:
    """A report about two payments is attached to neither by itself, and shows both."""
    txs = {
        await world.pay("40107", at("20 10:00"), "9161234567", 50000),
        await world.pay("40107", at("21 11:00"), "9161234567", 70000),
    }
    found = await world.ask(
        "20.11.2026 в 10:00 внес 500 и 21.11.2026 в 11:00 внес 700 на 9161234567, не пришло"
    )
    assert {each.tx for each in found.candidates[:2]} == txs
    assert attached(found) is None


async def test_an_automaton_is_never_attached(world: World) -> None:
    """However sure, an automaton's message is only suggested."""
    tx = await world.pay("40107", at("22 14:05"), "9161234567", 70000)
    text = "22.11.2026 в 14:07 внес 700 руб на телефон 8 916 123-45-67, терминал 40107, не пришли"
    found = await world.ask(text, suspended=True)
    assert (found.decision.status, found.decision.tx) == ("suggested", tx)
    assert found.decision.why == "automaton"


async def test_a_swallowed_note_without_a_payment(world: World) -> None:
    """Money taken without a payment is a candidate, and an incident about it raises it."""
    tx = await world.pay(
        "40107", at("22 14:05"), None, 100000, payment=None, payment_amount=None,
        payment_fee=None, payment_reference=None, receipt=None, receipt_number=None,
        judged={"payment_uncertain": [1, None, 1, "no_result", []]},
    )  # fmt: skip
    found = await world.ask("22.11.2026 в 14:05 терминал 40107 съел купюру 1000 рублей и завис")
    assert found.candidates[0].tx == tx
    assert evidence(found)["symptom"] == "incident"
    assert attached(found) == tx


async def test_the_terminals_own_clock(world: World) -> None:
    """A time of day is the terminal's, wherever it stands."""
    await world.terminal("50001", 77, "Asia/Yekaterinburg")
    tx = await world.pay(
        "50001", at("22 14:05", ZoneInfo("Asia/Yekaterinburg")), "9161234567", 70000
    )
    found = await world.ask("22.11.2026 в 14:07 внес 700 руб на телефон 8 916 123-45-67, не пришли")
    assert evidence(found)["paid_at"] == "exact: 3min"
    assert attached(found) == tx


async def test_a_wrong_number(world: World) -> None:
    """The mistyped account is the one that was paid."""
    tx = await world.pay("40107", at("22 14:05"), "9161234567", 50000)
    found = await world.ask(
        "22.11.2026 в 14:05 положил 500 рублей по ошибке на 9161234567 вместо 9161234568"
    )
    assert attached(found) == tx


async def test_thanks_are_about_no_payment(world: World) -> None:
    """A message without a fact of a payment asks nobody anything."""
    found = await world.ask("Спасибо вам большое!")
    assert (found.decision.status, found.decision.ask) == ("other", ())


async def test_an_empty_service(database: str) -> None:
    """Without a transaction it is none of them."""
    connection = await asyncpg.connect(database)
    found = await World(connection).ask("22.11.2026 в 14:05 внес 500 р на 89161234567")
    await connection.close()
    assert found.none_probability == 1
    assert found.decision.status == "needs_facts"


async def test_what_is_later_than_the_report_is_no_candidate(world: World) -> None:
    """Nobody complains before paying."""
    tx = await world.pay("40107", at("22 14:05"), "9161234567", 50000)
    found = await world.ask(
        "внес 500 на 9161234567 в 14:05", written_at=at("22 14:05") - timedelta(hours=2)
    )
    assert tx not in {each.tx for each in found.candidates}
