"""Fleets on a real broker against a stand-in for the service, judged by their own truth."""

from collections.abc import Iterator
from pathlib import Path
from time import sleep

import pytest

from firmware_sim.burst import burst
from firmware_sim.fleet import Broker, Fleet, Pace
from tests.integration.brokers import Broker as RealBroker
from tests.integration.simulated_service import SimulatedService

pytestmark = pytest.mark.service

PACE = Pace(hold_s=3.0, silence_grace_s=1e9, pulse_interval_s=3.0, gap_s=(0.5, 2.0), speed=6.0)


@pytest.fixture
def service(nats: RealBroker) -> Iterator[SimulatedService]:
    """Return a service that acks."""
    service = SimulatedService(nats.host, nats.port)
    yield service
    service.stop()


def _live(fleet: Fleet, service: SimulatedService, seconds: float) -> None:
    fleet.start()
    try:
        sleep(seconds)
        assert fleet.drain(60)
        progress = fleet.progress()
        assert progress.unacked == progress.crashes == 0
        verdict = fleet.truth.verdict(service.found(PACE.hold_s))
        assert verdict.holds, verdict
        true = {of: kopecks for of, kopecks in fleet.truth.accepted().items() if kopecks}
        assert {of: kopecks for of, kopecks in service.accepted().items() if of in true} == true
        assert sum(service.accepted().values()) == sum(true.values())
        assert fleet.truth.courses
    finally:
        fleet.stop()


def test_light_terminals_are_found_to_be_what_they_are(
    nats: RealBroker, service: SimulatedService, tmp_path: Path
) -> None:
    """Every mishap and story of ten terminals, and nothing made up."""
    mqtt = Broker(host=nats.host, port=nats.port)
    fleet = Fleet(seed=11, full=0, light=10, mqtt=mqtt, folder=tmp_path, pace=PACE)
    _live(fleet, service, 12)


def test_full_kiosks_tell_what_their_metal_did(
    nats: RealBroker, service: SimulatedService, tmp_path: Path
) -> None:
    """Real agents on ptys: the journals say what validator, printer and processing did."""
    mqtt = Broker(host=nats.host, port=nats.port)
    fleet = Fleet(seed=12, full=3, light=0, mqtt=mqtt, folder=tmp_path, pace=PACE)
    _live(fleet, service, 15)
    for kiosk in fleet.kiosks:
        assert kiosk.program.told_cash == kiosk.hardware.cassette


def test_a_burst_is_acked(nats: RealBroker, service: SimulatedService) -> None:
    """Two hundred terminals with three transactions each on two sessions."""
    mqtt = Broker(host=nats.host, port=nats.port)
    result = burst(mqtt, terminals=200, sessions=2, seed=13, timeout_s=60)
    assert result.complete
    assert result.terminals_acked == 200
    assert len(result.courses) == 600
    copies = [copy for (name, _), copy in service.model.copies.items() if "burst-13" in name]
    assert sum(copy.next - 1 for copy in copies) == result.events
