"""The small parts of a kiosk and of a fleet."""

import csv
from pathlib import Path
from random import Random

import pytest

from firmware_sim.__main__ import broker
from firmware_sim.customer_plan import PLANS, TROUBLES, deck
from firmware_sim.line import GOOD_LINE, NOISY_LINE, ROUGH_LINE
from firmware_sim.places import places, write_csv
from firmware_sim.printer_models import MODELS
from firmware_sim.processing import Processing
from firmware_sim.receipt import Paid, receipt
from firmware_sim.services import SERVICES, split, wish
from firmware_sim.session import Broker
from wire.topics import TerminalId


def test_a_plain_line_keeps_its_bytes_whatever_it_does_to_their_time() -> None:
    """Only lines of protocols with a checksum damage or lose bytes."""
    chance, data = Random(1), bytes(range(40))
    for line in (GOOD_LINE, ROUGH_LINE):
        for _ in range(200):
            assert b"".join(part for _, part in line.carry(data, chance)) == data


def test_a_noisy_line_is_noisy_by_its_seed() -> None:
    """The same seed damages the same chunks."""

    def carried(seed: int) -> list[bytes]:
        chance = Random(seed)
        chunks = (NOISY_LINE.carry(b"0123456789", chance) for _ in range(300))
        return [b"".join(part for _, part in chunk) for chunk in chunks]

    assert carried(1) == carried(1)
    assert 3 < sum(chunk != b"0123456789" for chunk in carried(1)) < 60


def test_a_fleet_s_file_has_the_contract_s_columns(tmp_path: Path) -> None:
    """`kvitok terminal import` reads it."""
    write_csv(tmp_path / "fleet.csv", places([TerminalId("1"), TerminalId("2")], seed=1))
    with (tmp_path / "fleet.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == [
        "terminal", "name", "country", "city", "address", "metro", "place", "lat", "lon",
        "timezone", "region", "technician", "opens", "closes",
    ]  # fmt: skip
    assert [row["terminal"] for row in rows] == ["1", "2"]


def test_a_receipt_says_who_where_and_how_much() -> None:
    """Agent, terminal, sums, fee and telephones, in lines that fit the paper."""
    (place,) = places([TerminalId("20100001")], seed=1)
    paid = Paid(number="77", time="23.11.2026 05:00:00", inserted=50_000, credited=48_500,
                fee=1_500, reference="r")  # fmt: skip
    text = receipt(place, wish(Random(1)), paid)
    assert max(len(line) for line in text.splitlines()) <= 48
    for part in ("агент", "20100001", "500.00", "15.00", "485.00", "8 800", "№ 77"):
        assert part in text


@pytest.mark.parametrize("service", SERVICES)
def test_amount_and_fee_are_what_was_put_in(service: object) -> None:
    """The contract's sum holds for every service."""
    for each in SERVICES:
        amount, fee = split(each, 12_345)
        assert amount + fee == 12_345
        assert (each is service) or fee >= 0


def test_processing_answers_what_was_ordered_then_accepts() -> None:
    """An order is for one payment."""
    processing = Processing(Random(1))
    processing.order("declined")
    assert [processing.pay().outcome for _ in range(2)] == ["declined", "accepted"]


@pytest.mark.parametrize("model", sorted(MODELS))
def test_a_deck_holds_every_plan_that_the_printer_can_show(model: str) -> None:
    """Together with one trouble of the validator."""
    names = deck(Random(1), 4, model)
    fitting = {name for name, plan in PLANS.items() if not plan.models or model in plan.models}
    assert set(names) - set(TROUBLES) == fitting


def test_a_broker_s_address() -> None:
    """User and password come from the URL."""
    assert broker("mqtt://u:p@127.0.0.1:1884") == Broker(port=1884, user="u", password="p")  # noqa: S106
