from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from incidents.matching.claims import Claims, claims_of, plain, slips
from incidents.matching.decision import DECIDING, WORTH
from incidents.matching.levels import Evidence, best_of, tempered
from incidents.matching.matcher import Match, weigh, with_ends
from incidents.matching.model import STANDARD, Scene, load, parse
from incidents.matching.passage import Fact, Origin
from incidents.matching.payment import Payment
from incidents.matching.sentences import FACTS, LEVELS, QUESTIONS, REASONS
from incidents.matching.tails import checked

NOW = datetime(2026, 11, 23, 7, 15, tzinfo=UTC)
PAID = datetime(2026, 11, 22, 11, 5, tzinfo=UTC)
SCENE = Scene(transactions=1_000_000, days=30, terminals=1000, sums={}, sampled=0)
PAYMENT = Payment(
    terminal="12345", epoch=1, tx="t1", started_at=PAID, account_masked="+7 916 ***-**-67",
    account_hash="#9161234567", accepted=100000, currency="RUB", payment="accepted",
    payment_amount=95000, payment_fee=5000, payment_reference="0088120045", receipt="printed",
    receipt_number="004512", service="mts", service_name="МТС",
    fiscal={"fn": "9960440300012345", "fd": "12044", "fp": "1250448795"},
)  # fmt: skip


def fact(kind: str, value: object, **other: Any) -> Fact:
    """Return a fact that is sure but for what is told."""
    shape: dict[str, Any] = {"text": "", "span": (0, 0), "confidence": 0.95, "origin": Origin.NEW}
    return Fact(kind=kind, value=value, **(shape | other))


def account(digits: str, *, role: str = "paid", form: str = "phone") -> Fact:
    """Return an account."""
    return fact("account", {"digits": digits, "role": role, "form": form})


def amount(minor: int, role: str = "inserted", *, confidence: float = 0.95, **other: Any) -> Fact:
    """Return a sum."""
    return fact("amount", {"minor": minor, "role": role, **other}, confidence=confidence)


def moment(text: str, minutes: float, precision: str, *alternatives: str) -> Fact:
    """Return a time around a moment, in UTC."""
    spans = [_span(each, minutes) for each in (text, *alternatives)]
    value: dict[str, Any] = {**spans[0], "precision": precision}
    return fact("paid_at", value | ({"alternatives": spans[1:]} if alternatives else {}))


def _span(text: str, minutes: float) -> dict[str, str]:
    best = datetime.fromisoformat(text).replace(tzinfo=UTC)
    room = timedelta(minutes=minutes)
    return {"from": (best - room).isoformat(), "to": (best + room).isoformat(),
            "best": best.isoformat()}  # fmt: skip


def claims(*facts: Fact) -> Claims:
    """Return what the facts claim."""
    return claims_of(facts, received_at=NOW, hash_of=lambda digits: f"#{digits}")


def weighed(*facts: Fact, payment: Payment = PAYMENT, scene: Scene = SCENE) -> Match:
    """Return the match of one payment."""
    return weigh(claims(*facts), [payment], model=STANDARD, scene=scene)


def levels(*facts: Fact, payment: Payment = PAYMENT) -> dict[str, str]:
    """Return the level of each piece of evidence."""
    found = weighed(*facts, payment=payment).candidates[0].evidence
    return {each.fact: each.level for each in found}


@pytest.mark.parametrize(
    ("said", "kind", "level"),
    [
        (account("9161234567"), "account", "equal"),
        (account("9161234576"), "account", "near"),
        (account("9161230000"), "account", "other"),
        (account("4567", form="tail"), "tail", "equal"),
        (account("4568", form="tail"), "tail", "other"),
        (account("9161234568", role="intended"), "intended", "near"),
        (fact("contact", "9161234567"), "contact", "equal"),
        (fact("terminal", "12345"), "terminal", "equal"),
        (fact("terminal", "12354"), "terminal", "near"),
        (fact("terminal", "54321"), "terminal", "other"),
        (fact("place", {"words": "", "terminals": {"12345": 0.4}, "bits": 5}), "place", "in"),
        (fact("place", {"words": "", "terminals": {"1": 0.4}, "bits": 5}), "place", "other"),
        (fact("receipt", "4512"), "receipt", "equal"),
        (fact("receipt", "12044"), "receipt", "equal"),
        (fact("receipt", "4513"), "receipt", "other"),
        (fact("operation", "88120045"), "operation", "equal"),
        (amount(100000), "amount", "equal"),
        (amount(95000), "amount", "net"),
        (amount(90000), "amount", "other"),
        (amount(100000, currency="KZT"), "amount", "other"),
        (amount(95000, "credited"), "amount", "equal"),
        (amount(5000, "fee"), "fee", "equal"),
        (amount(5000, "returned"), "returned", "other"),
        (moment("2026-11-22 11:06", 5, "exact"), "paid_at", "exact: 3min"),
        (moment("2026-11-22 11:16", 5, "exact"), "paid_at", "exact: 15min"),
        (moment("2026-11-22 11:55", 5, "exact"), "paid_at", "exact: hour"),
        (moment("2026-11-21 11:06", 5, "exact"), "paid_at", "exact: day_off"),
        (moment("2026-11-22 17:06", 5, "exact"), "paid_at", "exact: half_day"),
        (moment("2026-11-19 17:06", 5, "exact"), "paid_at", "exact: other"),
        (moment("2026-11-22 10:15", 60, "around"), "paid_at", "around: 90min"),
        (moment("2026-11-22 09:00", 180, "around"), "paid_at", "around: 40min"),
        (moment("2026-11-22 12:00", 180, "part_of_day"), "paid_at", "part_of_day: same"),
        (moment("2026-11-22 06:00", 180, "part_of_day"), "paid_at", "part_of_day: same_day"),
        (moment("2026-11-21 09:00", 700, "day"), "paid_at", "day: day_off"),
        (moment("2026-11-18 09:00", 700, "day"), "paid_at", "day: other"),
        (moment("2026-11-20 12:00", 6000, "period"), "paid_at", "period: in"),
        (moment("2026-11-10 12:00", 6000, "period"), "paid_at", "period: other"),
        (moment("2026-11-19 11:05", 5, "exact", "2026-11-22 11:05"), "paid_at", "exact: 3min"),
        (fact("symptom", "no_receipt"), "symptom", "against"),
        (fact("symptom", "not_credited"), "symptom", "plain"),
        (fact("service", "мтс"), "service", "equal"),
        (fact("service", "билайн"), "service", "other"),
    ],
)  # fmt: skip
def test_how_a_fact_agrees(said: Fact, kind: str, level: str) -> None:
    """Each fact is compared with what of the transaction it speaks of."""
    assert levels(said)[kind] == level


def test_a_fiscal_key() -> None:
    """All three numbers are equal, zeros apart; a receipt of nobody's speaks against all."""
    value = {"fn": "9960440300012345", "i": "12044", "fp": "1250448795", "t": "20261122T1405"}
    found = weighed(fact("fiscal", value))
    assert found.decision.status == "attached"
    assert {each.fact: each.level for each in found.candidates[0].evidence}["paid_at"]
    assert levels(fact("fiscal", value | {"fp": "1250448796"}))["fiscal"] == "other"
    assert levels(fact("fiscal", value), payment=replace(PAYMENT, fiscal=None))["fiscal"] == "none"


def test_sums_told_as_notes() -> None:
    """Notes that add up to what was put in are that sum."""
    assert levels(amount(60000), amount(40000))["amount"] == "equal"


def test_a_sum_put_in_takes_nothing_from_what_arrived() -> None:
    """An odd sum that arrived weighs as much with the usual one that was put in as without."""
    paid = replace(PAYMENT, accepted=10000, payment_amount=9437, payment_fee=563)
    arrived, put_in = amount(9437, "credited"), amount(10000)

    def bits(*told: Fact) -> float:
        found = weighed(*told, payment=paid).candidates[0].evidence
        return sum(each.bits for each in found if each.fact in {"amount", "credited"})

    assert bits(arrived, put_in) >= bits(arrived) > bits(put_in)
    assert bits(arrived, amount(77700)) < 0


def test_an_incident_raises_its_transaction() -> None:
    """What is known to have gone wrong is likelier complained about, most of all in those words."""
    troubled = replace(PAYMENT, incidents=frozenset({"no_receipt"}), receipt="failed")
    plainly = weighed(account("9161234567")).candidates[0]
    known = weighed(account("9161234567"), payment=troubled).candidates[0]
    said = (account("9161234567"), fact("symptom", "no_receipt"))
    told = weighed(*said, payment=troubled).candidates[0]
    assert plainly.probability < known.probability < told.probability


def test_quoted_text_claims_nothing() -> None:
    """An earlier mail that is answered is no evidence."""
    assert claims(fact("terminal", "12345", origin=Origin.QUOTED)).is_empty


def test_what_no_column_takes_is_no_claim() -> None:
    """Sums beyond any column, years beyond any calendar and broken characters stop nothing."""
    far = {"from": "0001-01-01T00:00:00Z", "to": "0001-01-02T00:00:00Z", "precision": "day"}
    said = claims(amount(2**70), fact("paid_at", far), fact("terminal", " 12\x00345\ud800 "))
    assert (said.amounts, said.times) == ((), ())
    assert [name.text for name in said.terminals] == ["12345"]
    for value in ({"from": "soon", "to": "later"}, {"best": "2026-11-22T11:05:00Z"}):
        assert claims(fact("paid_at", value)).times == ()


def test_one_slip_is_at_most_ninety_accounts() -> None:
    """A phone's neighbours are digits changed and swapped, never its leading nine."""
    near = set(slips("9161234567"))
    assert len(near) <= 90
    assert all(each.startswith("9") and each != "9161234567" for each in near)
    assert {"9161234576", "9261234567"} <= near
    assert len(set(slips("12345678901234567890"))) == 90
    assert list(slips("login")) == []


def test_numbers_are_compared_without_leading_zeros() -> None:
    """Customers leave them out."""
    assert plain("004512") == plain(" 4512") == "4512"


def test_a_doubtful_fact_says_less() -> None:
    """A fact that may be misread neither proves nor contradicts much."""
    for bits in (10.0, -10.0):
        sure, doubtful = (tempered(Evidence("f", "l", bits), c).bits for c in (0.9, 0.4))
        assert abs(doubtful) < abs(sure)


def test_several_facts_of_one_kind() -> None:
    """The best counts, a bit less for one that speaks of something else."""
    good, bad = Evidence("f", "good", 10.0), Evidence("f", "bad", -5.0)
    assert best_of([bad, good, None]) == Evidence("f", "good", 9.0)
    assert best_of([bad, bad]) == bad
    assert best_of([]) is None


def test_weights_by_fleet_and_traffic() -> None:
    """A terminal says more in a large fleet, an odd sum more than a usual one."""
    small = replace(SCENE, terminals=3, days=1.0)
    assert STANDARD.terminal_bits("equal", small) < 2 < STANDARD.terminal_bits("equal", SCENE)
    usual, odd = (STANDARD.amount_bits("equal", minor, SCENE) for minor in (50000, 137100))
    assert usual < 4 < odd
    seen = replace(SCENE, sums={137100: 1000}, sampled=2000)
    assert STANDARD.amount_bits("equal", 137100, seen) < 1
    assert STANDARD.bits("day", "same", small) < 1 < STANDARD.bits("day", "same", SCENE)


def test_the_weights_have_their_version() -> None:
    """The file and the model name the same version; a file can be read as text."""
    assert load(STANDARD.version) == STANDARD
    assert load("1").version == "1"
    with pytest.raises(KeyError):
        parse("{}")


def test_what_to_ask_for() -> None:
    """What would tell most and was not told: never a receipt of one who got none."""
    found = weighed(amount(100000), fact("symptom", "no_receipt"))
    assert found.decision.ask == ("account", "terminal")
    assert weighed(account("9161230000")).decision.ask == ("receipt", "terminal")


def test_the_clock_of_another_zone() -> None:
    """A time of day is that of the terminal's clock, and the other reading is not ruled out."""
    east = replace(PAYMENT, zone=ZoneInfo("Asia/Yekaterinburg"))
    theirs = levels(moment("2026-11-22 13:05", 5, "exact"), payment=east)
    ours = levels(moment("2026-11-22 11:05", 5, "exact"), payment=east)
    assert theirs["paid_at"] == ours["paid_at"] == "exact: 3min"
    bits = [weighed(moment(f"2026-11-22 {hour}:05", 5, "exact"), payment=east).candidates[0]
            .evidence[0].bits for hour in (13, 11)]  # fmt: skip
    assert bits[0] > bits[1] > 0


def test_the_day_that_has_begun_elsewhere() -> None:
    """Who writes late in Vladivostok may mean by yesterday what in Moscow is still today."""
    east = ZoneInfo("Asia/Vladivostok")
    written = datetime(2026, 11, 21, 1, tzinfo=east)  # in Moscow it is 18:00 on the 20th

    def level(said: str, paid: str, zone: ZoneInfo) -> str:
        at = datetime.fromisoformat(f"2026-11-{paid}").replace(tzinfo=zone)
        told = claims_of([moment(f"2026-11-{said}", 5, "exact")], received_at=written, hash_of=str)
        one = replace(PAYMENT, started_at=at, ended_at=at, zone=zone)
        best = weigh(told, [one], model=STANDARD, scene=SCENE).candidates[0]
        return next(each.level for each in best.evidence if each.fact == "paid_at")

    # "Yesterday at 20:29", read on the 20th in Moscow, by its clock (three hours from UTC).
    assert level("19 17:29", "20 20:29", east) == "exact: 3min"
    assert level("19 17:29", "19 20:29", east) == "exact: 3min"
    assert level("19 17:29", "20 20:29", ZoneInfo("Europe/Moscow")) == "exact: day_off"
    assert level("17 17:29", "20 20:29", east) == "exact: other"


def test_what_a_transaction_does_not_tell_is_not_compared() -> None:
    """A masked account, a service without a name and a payment without a result say nothing."""
    bare = replace(PAYMENT, account_masked="***", service=None, service_name=None,
                   account_hash=None, payment_amount=None, payment_fee=None)  # fmt: skip
    said = (account("4567", form="tail"), fact("service", "мтс"), account("9161234567"),
            amount(95000, "credited"), amount(100000))  # fmt: skip
    assert levels(*said, payment=bare).keys() == {"amount", "age", "prior"}
    assert levels(amount(100000), payment=replace(PAYMENT, accepted=90000))["amount"] == "net"


def test_a_likely_candidate_is_suggested() -> None:
    """Too little to attach, and clearly ahead of the next; or as likely as it, and no one's."""
    said = claims(account("9161234567"), moment("2026-11-22 09:00", 700, "day"))
    found = weigh(said, [PAYMENT], model=STANDARD, scene=SCENE)
    assert (found.decision.status, found.decision.why) == ("suggested", "likely")
    assert found.candidates[0].probability < STANDARD.attach_min
    elsewhere = [replace(PAYMENT, tx=f"t{n}", terminal=f"{n}") for n in range(8)]
    found = weigh(said, elsewhere, model=STANDARD, scene=SCENE)
    assert (found.decision.status, found.decision.why) == ("needs_facts", "several")


def test_a_time_and_a_sum_together() -> None:
    """Neither says enough alone; both do."""
    scene = Scene(transactions=3000, days=7, terminals=40, sums={100000: 400}, sampled=2000)
    failed = replace(PAYMENT, payment="failed")
    said = (account("9161234567"), moment("2026-11-22 09:00", 700, "day"), amount(100000),
            fact("symptom", "not_credited"))  # fmt: skip
    found = weighed(*said, payment=failed, scene=scene)
    assert found.decision.status == "attached"
    assert all(each.bits < 3 for each in found.candidates[0].evidence if each.fact != "account")
    assert weighed(*said[:2], payment=failed, scene=scene).decision.status != "attached"


def test_a_report_of_two_payments() -> None:
    """Where two are told and both are found, a person parts them."""
    said = claims(
        account("9161234567"), amount(100000), amount(137100),
        moment("2026-11-22 11:05", 5, "exact"), moment("2026-11-20 11:05", 5, "exact"),
    )  # fmt: skip
    second = replace(
        PAYMENT, tx="t2", started_at=PAID - timedelta(days=2), accepted=137100, payment_amount=1
    )
    found = weigh(said, [PAYMENT, second], model=STANDARD, scene=SCENE)
    assert found.decision.status == "suggested"
    alone = weigh(said, [second], model=STANDARD, scene=SCENE)
    assert (alone.decision.status, alone.decision.tx) == ("attached", "t2")


def test_an_account_and_a_usual_sum_tell_no_time() -> None:
    """A time, a number on a receipt or sticker, or an odd sum must tell it from another payment."""
    failed = replace(PAYMENT, payment="failed", started_at=NOW - timedelta(hours=5),
                     incidents=frozenset({"payment_failed"}))  # fmt: skip
    scene = replace(SCENE, transactions=60_000, terminals=400, sums={100000: 180}, sampled=2000)
    lost = (account("9161234567"), fact("symptom", "not_credited"))
    found = weighed(*lost, amount(100000), payment=failed, scene=scene).decision
    assert (found.status, found.why) == ("suggested", "no_time")
    place = fact("place", {"words": "", "terminals": {"12345": 0.4}, "bits": 5})
    for said in (fact("terminal", "12345"), fact("receipt", "4512"), place,
                 moment("2026-11-23 05:00", 300, "period")):  # fmt: skip
        found = weighed(*lost, amount(100000), said, payment=failed, scene=scene).decision
        assert found.status == "attached", said
    odd = replace(failed, accepted=137130)
    found = weighed(*lost, amount(137130), payment=odd, scene=scene).decision
    assert found.status == "attached"


@pytest.mark.parametrize(
    ("told", "status"),
    [
        ([moment("2026-11-22 12:00", 180, "part_of_day")], "suggested"),
        ([moment("2026-11-22 12:00", 180, "part_of_day"), amount(100000)], "attached"),
        ([moment("2026-11-22 12:00", 180, "part_of_day"), fact("terminal", "12345")], "attached"),
        ([moment("2026-11-22 11:10", 30, "around")], "attached"),
        ([moment("2026-11-21 11:10", 30, "around"), amount(137100)], "suggested"),
        ([moment("2026-11-21 11:10", 30, "around"), amount(137100), fact("terminal", "12345")],
         "attached"),
    ],
)  # fmt: skip
def test_a_vague_time_tells_no_payment_apart(told: list[Fact], status: str) -> None:
    """A part of a day needs a sum or a place beside the account; the clock of another day both."""
    scene = replace(SCENE, transactions=60_000, terminals=400)
    sums = [each.value["minor"] for each in told if each.kind == "amount"]  # type: ignore[index]  # a sum
    paid = replace(PAYMENT, accepted=sums[0] if sums else 100000, payment="failed",
                   incidents=frozenset({"no_receipt"}))  # fmt: skip
    found = weighed(account("9161234567"), *told, payment=paid, scene=scene)
    assert found.candidates[0].probability > STANDARD.attach_min
    assert found.decision.status == status, found


def test_a_known_failure_is_a_strong_fact() -> None:
    """Beside account and sum it stands for a moment that is only a day."""
    scene = replace(SCENE, transactions=60_000, terminals=400, days=2, sums={100000: 400},
                    sampled=2000)  # fmt: skip
    failed = replace(PAYMENT, payment="failed", incidents=frozenset({"payment_failed"}))
    told = (account("9161234567"), amount(100000), moment("2026-11-22 09:00", 700, "day"))
    found = weighed(*told, fact("symptom", "not_credited"), payment=failed, scene=scene)
    assert found.decision.status == "attached"
    assert weighed(*told, payment=PAYMENT, scene=scene).decision.status != "attached"


def test_a_bare_number_beside_a_sum() -> None:
    """A house's number read as a sum takes nothing from a sum with its unit."""
    bare = amount(9700, confidence=0.66)
    both = claims(amount(20000, currency="RUB"), bare).amounts
    assert [each.confidence for each in both] == [0.95, pytest.approx(0.33)]
    assert claims(bare).amounts[0].confidence == 0.66


def test_a_street_that_is_none_of_ours() -> None:
    """Whoever names it and no place of ours paid elsewhere; a receipt's number knows better."""
    said = (account("9161234567"), amount(100000), moment("2026-11-22 11:06", 5, "exact"))
    street = fact("place", {"words": "ул. Далёкая, 5", "terminals": {}, "elsewhere": True})
    found = weighed(*said, street).decision
    assert (found.status, found.why) == ("suggested", "foreign_terminal")
    ours = fact("place", {"words": "Лента", "terminals": {PAYMENT.terminal: 1.0}})
    assert weighed(*said, street, ours).decision.status == "attached"
    numbered = replace(PAYMENT, receipt_number="4512")
    receipt = fact("receipt", "4512")
    assert weighed(*said, street, receipt, payment=numbered).decision.status == "attached"


@pytest.mark.parametrize(
    ("service", "level"),
    [("МТС", "equal"), ("beeline", "other"), ("svc-17", None), (None, None), ("42", None)],
)
def test_a_service(service: str | None, level: str | None) -> None:
    """A name that nobody knows says nothing; another operator's speaks against it, a little."""
    found = weighed(fact("service", "мтс"), amount(100000),
                    payment=replace(PAYMENT, service=service, service_name=None))  # fmt: skip
    levels = {each.fact: each.level for each in found.candidates[0].evidence}
    assert levels.get("service") == level


def test_a_terminal_that_is_none_of_ours() -> None:
    """Whoever names it paid elsewhere, however well account, sum and time fit."""
    said = (account("9161234567"), amount(100000), moment("2026-11-22 11:06", 5, "exact"))
    assert weighed(*said).decision.status == "attached"
    found = weighed(*said, fact("terminal", "3710042", confidence=0.5)).decision
    assert (found.status, found.why) == ("suggested", "foreign_terminal")
    found = weighed(*said, fact("terminal", "12354")).decision
    assert found.status == "attached"
    both = (fact("terminal", "3710042", confidence=0.7), fact("terminal", "12345"))
    assert weighed(*said, *both).decision.status == "attached"


@pytest.mark.parametrize(
    ("more", "why_not"),
    [
        ((amount(20000),), "several_payments"),
        ((amount(20000, "intended"),), "several_payments"),
        ((amount(30000),), "sure"),
        ((moment("2026-11-22 16:40", 5, "exact"),), "several_payments"),
        ((moment("2026-11-22 19:40", 5, "exact"),), "sure"),
    ],
)
def test_two_sums_or_times_of_one_customer(more: tuple[Fact, ...], why_not: str) -> None:
    """A second sum or time that fits only another payment of that day speaks of that one too."""
    said = claims(
        account("9161234567"), fact("terminal", "12345"), fact("receipt", "4512"),
        amount(100000), moment("2026-11-22 11:05", 5, "exact"), *more,
    )  # fmt: skip
    second = replace(
        PAYMENT, tx="t2", terminal="777", started_at=PAID + timedelta(hours=5, minutes=35),
        accepted=20000, payment_amount=19000, payment_fee=1000, receipt_number="004600",
    )  # fmt: skip
    found = weigh(said, [PAYMENT, second], model=STANDARD, scene=SCENE)
    assert found.decision.why == why_not
    later = replace(second, started_at=PAID + timedelta(days=3))
    found = weigh(said, [PAYMENT, later], model=STANDARD, scene=SCENE)
    assert found.decision.status == "attached"
    stranger = replace(second, account_hash="#other")
    found = weigh(said, [PAYMENT, stranger], model=STANDARD, scene=SCENE)
    assert found.decision.status == "attached"


TWICE = (account("9161234567"), amount(100000), moment("2026-11-22 11:05", 15, "around"))
"""What fits a payment and another of the same customer three minutes later."""


def twin(**other: Any) -> Payment:
    """Return the payment made again at once."""
    values: dict[str, Any] = {"tx": "t2", "started_at": PAID + timedelta(minutes=3)}
    return replace(PAYMENT, receipt_number="004513", fiscal=None, **(values | other))


@pytest.mark.parametrize(
    ("first", "second", "said", "tx"),
    [
        ({}, {}, "wrong_number", "t2"),
        ({"incidents": frozenset({"no_receipt"})}, {}, "not_credited", "t1"),
        ({"payment": "failed", "incidents": frozenset({"payment_failed"})}, {},
         "not_credited", "t1"),
        ({"receipt": "failed", "incidents": frozenset({"no_receipt"})}, {}, "no_receipt", "t1"),
    ],
)  # fmt: skip
def test_of_twins_either_is_right(
    first: dict[str, Any], second: dict[str, Any], said: str, tx: str
) -> None:
    """The symptom decides; else the one with an incident, else the last."""
    pair = [replace(PAYMENT, **first), twin(**second)]
    told = claims(*TWICE, fact("terminal", "12345"), fact("symptom", said))
    found = weigh(told, pair, model=STANDARD, scene=SCENE)
    assert (found.decision.status, found.decision.tx) == ("attached", tx), found


@pytest.mark.parametrize(
    "other",
    [
        {"account_hash": "#other"},
        {"terminal": "12346"},
        {"accepted": 137100},
        {"started_at": PAID + timedelta(hours=3)},
    ],
)
def test_who_is_no_twin(other: dict[str, Any]) -> None:
    """Another customer's, terminal's or sum's payment, or one much later, may not stand for it."""
    told = claims(fact("terminal", "12345"), moment("2026-11-22 12:00", 500, "day"),
                  account("9161234567"), account("other"))  # fmt: skip
    found = weigh(told, [PAYMENT, twin(**other)], model=STANDARD, scene=SCENE)
    assert found.decision.status != "attached"


def test_twins_that_contradict_are_only_suggested() -> None:
    """A day off, or a terminal of nobody's: a person looks, twins or not."""
    pair = [PAYMENT, twin()]
    for more in (moment("2026-11-15 11:05", 5, "exact"), fact("terminal", "99")):
        told = claims(account("9161234567"), amount(100000), more)
        found = weigh(told, pair, model=STANDARD, scene=replace(SCENE, transactions=2000))
        assert found.decision.status != "attached"


def test_sure_twins_that_contradict_are_shown_as_twins() -> None:
    """A sum that neither has: the terminal is clear, and which of both a person sees."""
    told = claims(account("9161234567"), amount(137100), fact("terminal", "12345"),
                  moment("2026-11-22 11:06", 5, "exact"))  # fmt: skip
    found = weigh(told, [PAYMENT, twin()], model=STANDARD, scene=SCENE)
    assert sum(each.probability for each in found.candidates) > STANDARD.attach_min
    assert (found.decision.status, found.decision.why) == ("suggested", "twins")
    assert (found.decision.terminal, found.decision.tx) == ("12345", None)


def test_the_other_payment_is_the_one_that_failed() -> None:
    """Two sums of one customer on different days: the one told first may have gone well."""
    failed = replace(PAYMENT, tx="t2", started_at=PAID + timedelta(days=3), accepted=5000,
                     receipt=None, incidents=frozenset({"no_receipt"}))  # fmt: skip
    told = claims(
        account("9161234567"), amount(100000), amount(5000), fact("symptom", "no_receipt"),
        moment("2026-11-22 11:05", 5, "exact"),
    )  # fmt: skip
    found = weigh(told, [PAYMENT, failed], model=STANDARD, scene=SCENE)
    assert (found.candidates[0].tx, found.decision.why) == ("t1", "several_payments")
    good = replace(failed, incidents=frozenset())
    found = weigh(told, [PAYMENT, good], model=STANDARD, scene=SCENE)
    assert found.decision.status == "attached"


def test_a_terminal_without_a_transaction() -> None:
    """Where no transaction fits, the terminal that is named is still likely."""
    said = claims(fact("terminal", "12399"), fact("symptom", "out_of_order"))
    found = weigh(said, [], model=STANDARD, scene=SCENE, existing=frozenset({"12399"}))
    assert found.decision.terminal == "12399"
    assert (found.decision.status, found.decision.tx) == ("suggested", None)


def test_one_strong_fact_is_not_enough() -> None:
    """Two independent facts are needed, and one that tells this time from another."""
    scene = replace(SCENE, transactions=30)
    found = weighed(account("9161234567"), scene=scene, payment=PAYMENT).decision
    assert found.status != "attached"
    found = weighed(account("9161234567"), fact("terminal", "12345")).decision
    assert (found.status, found.why) in {("suggested", "no_time"), ("suggested", "likely")}


def test_last_digits_are_checked_whole() -> None:
    """Four digits of a phone are tried against its hash; fewer are not, nor are other accounts."""
    other = replace(PAYMENT, tx="t2", account_hash="#9169990067")
    masked = replace(PAYMENT, tx="t3", account_masked="41***67", account_hash="#4100000067")
    none = replace(PAYMENT, tx="t4", account_masked=None)
    every = [other, masked, none, PAYMENT]

    def hash_of(digits: str) -> str:
        return f"#{digits}"

    assert checked("4567", every, hash_of) == {"#9169990067": False, "#9161234567": True}
    assert checked("4567", [PAYMENT, other], hash_of) == {"#9161234567": True}
    assert checked("1234567", every, hash_of)["#9161234567"]
    assert checked("67", every, hash_of) == checked("4568", every, hash_of) == {}
    assert checked("12345678", [PAYMENT], hash_of) == {}


def test_last_digits_that_are_checked_are_strong() -> None:
    """With a time and a sum they attach; those of the mask alone do not, and another's never."""
    told = claims(account("4567", form="tail"), amount(100000),
                  moment("2026-11-22 11:06", 5, "exact"))  # fmt: skip
    scene = replace(SCENE, transactions=60_000)
    alone = weigh(told, [PAYMENT], model=STANDARD, scene=scene)
    assert alone.decision.status != "attached"
    for payment, is_theirs in ((PAYMENT, True), (replace(PAYMENT, account_hash="#0"), False)):
        whole = with_ends(
            told, [payment], hash_of=lambda each: f"#{each}", model=STANDARD, scene=scene
        )
        found = weigh(whole, [payment], model=STANDARD, scene=scene)
        assert (found.decision.status == "attached") is is_theirs, found
    first = load("1")
    assert with_ends(told, [PAYMENT], hash_of=str, model=first, scene=scene) is told


def test_everything_can_be_said() -> None:
    """Every fact, level, reason and question has its words in both languages."""
    named = {level for some in STANDARD.levels.values() for level in some} | {"one of all"}
    facts = set(STANDARD.levels) - {"exact", "around", "part_of_day", "day", "period"}
    for language in ("ru", "en"):
        assert named <= LEVELS[language].keys()
        assert facts | {"prior", "paid_at"} <= FACTS[language].keys()
        assert QUESTIONS[language].keys() == WORTH.keys()
    assert REASONS["ru"].keys() == REASONS["en"].keys()
    assert facts >= DECIDING - {"paid_at"}
