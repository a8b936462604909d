"""The evaluation set in small, end to end, and the figures that it is judged by."""

import asyncio
import os
from itertools import pairwise

import asyncpg
import pytest

from tests.integration.postgres import _template, database, postgres_server
from tests.matching.hand import SETS, hand_mails, hand_world
from tests.matching.judging import Judged, judge
from tests.matching.mails import Mail, digest, mails
from tests.matching.tally import HELD, KINDS, Tally, failures, precision_floor, report
from tests.matching.worlds import World, world, write

__all__ = ["_template", "database", "postgres_server"]

SEED = 2026
BY_HAND = ("by_hand", "by_hand_2", "by_hand_3")
MAILS = int(os.environ.get("MATCHING_MAILS", "400"))


@pytest.fixture(scope="module")
def small() -> World:
    """Return a world small enough for a test."""
    return world(terminals=300, transactions=20_000, seed=SEED)


def run(dsn: str, made: World, letters: list[Mail]) -> list[Judged]:
    """Write the world and judge the mails."""
    write(dsn, made.places, made.payments)

    async def judged() -> list[Judged]:
        connection = await asyncpg.connect(dsn)
        try:
            return await judge(connection, letters)
        finally:
            await connection.close()

    return asyncio.run(judged())


@pytest.mark.service
@pytest.mark.timeout(300)
def test_held_mails_are_attached_rightly_and_found(database: str, small: World) -> None:
    """Precision and recall@3 hold on the held families; nothing of a robot or phantom attaches."""
    judged = run(database, small, list(mails(small, MAILS, SEED)))
    told = "\n".join(report(judged))
    assert not failures(judged), told
    nobody = [each for each in judged if not each.mail.right]
    assert nobody
    assert not [each.mail.name for each in nobody if each.attached is not None], told
    robots = [each for each in judged if each.mail.robot]
    assert all(each.suspicion for each in robots), told


@pytest.mark.service
@pytest.mark.parametrize("name", BY_HAND)
def test_mails_written_by_hand(database: str, name: str) -> None:
    """Their payment is among the first three; none of a robot or phantom attaches."""
    judged = run(database, hand_world(name, others=8_000, seed=SEED), list(hand_mails(name)))
    tally = Tally(judged)
    told = "\n".join(report(judged))
    assert tally.recall(3) >= 0.95, told
    assert tally.precision >= 0.99, told
    assert not [each.mail.name for each in tally.false if not each.mail.right], told


def test_the_same_seed_makes_the_same_set(small: World) -> None:
    """A set is named by the digest of its mails."""
    first, second = (list(mails(small, 120, SEED)) for _ in range(2))
    assert digest(first) == digest(second)
    assert digest(first) != digest(list(mails(small, 120, SEED + 1)))


def test_the_set_holds_what_tempts(small: World) -> None:
    """Of each held split, a tenth is phantoms and a twentieth twins, about."""
    made = list(mails(small, 4000, SEED))
    for split in HELD:
        inside = [mail for mail in made if mail.split == split]
        phantoms = sum(mail.kind.startswith("phantom") for mail in inside)
        twins = sum(mail.kind == "twin" for mail in inside)
        assert phantoms >= 0.09 * len(inside)
        assert twins >= 0.04 * len(inside)
        assert all(len(mail.right) == 2 for mail in inside if mail.kind == "twin")
    assert {kind for mail in made for kind, _ in mail.said} == set(KINDS)


def test_the_reserve_is_made_apart(small: World) -> None:
    """Its families are in no other split."""
    made = list(mails(small, 200, SEED, reserved=True))
    assert {mail.split for mail in made} == {"reserve"}
    assert sum(bool(mail.right) for mail in made) > 150


@pytest.mark.parametrize("name", BY_HAND)
def test_sixty_are_written_by_hand(name: str) -> None:
    """Each names payments of its world that were made before it was written."""
    made = list(hand_mails(name))
    known = hand_world(name, others=10, seed=1).by_key
    assert len(made) >= 60
    assert all(known[key].started_at < mail.received_at for mail in made for key in mail.right)


def test_sets_by_hand_are_folders_of_one_shape() -> None:
    """Each folder with payments is a set that is tested here."""
    assert sorted(path.parent.name for path in SETS.glob("*/payments.txt")) == sorted(BY_HAND)


def test_the_bound_of_clopper_and_pearson() -> None:
    """As tables give it: 299 of 299 prove 0.99; more errors prove less."""
    assert precision_floor(299, 299) >= 0.99 > precision_floor(298, 298)
    assert precision_floor(8, 10) == pytest.approx(0.4931, abs=1e-4)
    bounds = [precision_floor(right, 100) for right in (0, 50, 90, 99, 100)]
    assert all(low < high for low, high in pairwise(bounds))
