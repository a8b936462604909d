"""The agent's way to the broker through TLS."""

import queue
from pathlib import Path
from random import Random

import pytest

from agent.mqtt import LineDown, LineUp, MqttDoor, Tidings
from agent.settings import MqttSettings
from tests.integration.authority import Authority, Guarded
from wire.topics import TerminalId

# paho leaves a socket whose handshake failed to the garbage collector.
pytestmark = [
    pytest.mark.service,
    pytest.mark.filterwarnings("ignore:unclosed <ssl.SSLSocket:ResourceWarning"),
]


def first_word(settings: MqttSettings) -> Tidings:
    """Return what a door says first of its connection."""
    said: queue.Queue[Tidings] = queue.Queue()
    door = MqttDoor(settings, TerminalId("T-1"), boot="b", tell=said.put, random=Random(1))
    door.start()
    try:
        return said.get(timeout=15)
    finally:
        door.stop()


def settings(guarded: Guarded, ca_file: Path) -> MqttSettings:
    """Return the settings of a kiosk with a certificate of its own."""
    certificate, key = guarded.authority.issue("T-1")
    return MqttSettings(
        host="127.0.0.1",
        port=guarded.port,
        tls=True,
        ca_file=ca_file,
        cert_file=certificate,
        key_file=key,
    )


def test_the_agent_connects_through_tls(guarded: Guarded) -> None:
    """With the broker's authority and its own certificate the agent is connected."""
    assert isinstance(first_word(settings(guarded, guarded.authority.file)), LineUp)


def test_a_broker_of_another_authority_is_not_believed(guarded: Guarded, tmp_path: Path) -> None:
    """A certificate that the agent's authority did not sign ends the connection, with a reason."""
    other = Authority(tmp_path, "other")
    said = first_word(settings(guarded, other.file))
    assert isinstance(said, LineDown)
    assert "certificate" in said.why.lower()
