"""A thousand terminals with three transactions each, all at once: all acked, all counted."""

from pathlib import Path

import pytest

from firmware_sim.burst import burst
from firmware_sim.fleet import Broker
from kvitok.verdict import MONEY_RULES
from tests.acceptance.serving import serving

pytestmark = [pytest.mark.service, pytest.mark.timeout(300)]

TERMINALS = 1_000
TRANSACTIONS = 3


def test_a_thousand_terminals_at_once(tmp_path: Path) -> None:
    """Every event is acked, every transaction listed once, and good payments open nothing."""
    with serving(tmp_path / "data") as served:
        broker = Broker(
            port=served.mqtt_port,
            user=served.ready["mqtt_user"],
            password=served.ready["mqtt_password"],
        )
        result = burst(broker, terminals=TERMINALS, transactions=TRANSACTIONS, timeout_s=120)
        assert result.complete
        assert result.terminals_acked == TERMINALS
        expected = {(course.terminal, course.tx) for course in result.courses}
        assert len(expected) == TERMINALS * TRANSACTIONS
        served.until(
            lambda: len(served.items("/transactions", limit=1000)) >= len(expected),
            within_s=60,
            what="all transactions folded",
        )
        listed = [
            (each["terminal"], each["tx"]) for each in served.items("/transactions", limit=1000)
        ]
        assert sorted(listed) == sorted(expected)
        rules = {each["rule"] for each in served.items("/incidents", limit=1000)}
        assert not rules & MONEY_RULES
