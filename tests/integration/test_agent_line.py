"""The agent's way to the broker outlives whatever is wrong with it."""

import queue
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import pytest

from agent.mqtt import LineDown, LineUp, MqttDoor, Tidings
from agent.settings import MqttSettings
from wire.topics import TerminalId

pytestmark = pytest.mark.service

CONNACK = b"\x20\x02\x00\x00"


@contextmanager
def door(settings: MqttSettings) -> Iterator["queue.Queue[Tidings]"]:
    """Run a door; yield what it says."""
    said: queue.Queue[Tidings] = queue.Queue()
    made = MqttDoor(settings, TerminalId("T-1"), boot="b", tell=said.put, random=Random(1))
    made.start()
    try:
        yield said
    finally:
        made.stop()


def test_a_certificate_that_is_away_for_a_moment_costs_no_connection_for_ever(
    tmp_path: Path,
) -> None:
    """While its file is being replaced, connecting fails and is tried again."""
    settings = MqttSettings(
        host="127.0.0.1", port=9, tls=True, ca_file=tmp_path / "absent.pem", reconnect_s_max=1
    )
    with door(settings) as said:
        assert all(isinstance(said.get(timeout=5), LineDown) for _ in range(2))


@pytest.mark.parametrize("nonsense", [b"\x90\x01\x00", b"\x30\x03\x00\x01\xff"])
def test_nonsense_from_the_broker_ends_the_connection_and_not_the_door(nonsense: bytes) -> None:
    """A SUBACK cut short, a topic that is no text: the line goes down and comes up again."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        for _ in range(2):
            line, _ = server.accept()
            with line:
                line.recv(4096)
                line.sendall(CONNACK + nonsense)
                while line.recv(4096):
                    pass

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    settings = MqttSettings(host="127.0.0.1", port=server.getsockname()[1], reconnect_s_max=1)
    with door(settings) as said:
        heard = [type(said.get(timeout=10)) for _ in range(3)]
    server.close()
    assert heard == [LineUp, LineDown, LineUp]
