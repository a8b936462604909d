"""The way to the broker through TLS, with an authority made for the test."""

import asyncio
import contextlib
import gc
import json
import logging
from pathlib import Path

import pytest

from collector import mqtt
from collector.settings import MqttSettings
from tests.integration.authority import Authority, Guarded
from tests.integration.collecting import CollectorProcess, Journal, Terminal, rows, stored

pytestmark = pytest.mark.service


def test_journals_come_through_tls(database: str, guarded: Guarded, tmp_path: Path) -> None:
    """With our certificate the collector works as ever, with long messages and short ones."""
    tls = [guarded.authority.file, *guarded.authority.issue("collector")]
    collector = CollectorProcess(database, guarded.broker, tmp_path, port=guarded.port, tls=tls)
    terminal, journal = Terminal(guarded.broker), Journal()
    with contextlib.closing(collector), contextlib.closing(terminal):
        journal.faults(500)
        assert terminal.send(journal.batch(1, 500)) == journal.ack(501)
        # What TLS decrypted at once must not wait in it for the next bytes of the socket.
        journal.faults(60)
        for first in range(501, 561):
            batch = json.dumps(journal.batch(first, first)).encode()
            terminal.publish("journal", batch)
            assert terminal.acks.get(timeout=15) == journal.ack(first + 1)
        guarded.broker.stop()
        guarded.broker.start()
        with contextlib.closing(Terminal(guarded.broker, f"{terminal.name}b")) as other:
            other.send_until_acked(journal.batch(1, 1), 2)
    assert stored(database, terminal.name) == [(seq, "fault") for seq in range(1, 561)]
    assert rows(database, "select from refusal") == []


# paho leaves a socket whose handshake failed to the garbage collector.
@pytest.mark.filterwarnings("ignore:unclosed <ssl.SSLSocket:ResourceWarning")
@pytest.mark.parametrize(
    ("trusted", "ours", "said"),
    [
        (False, True, "certificate verify failed"),
        (True, False, "connecting again"),
    ],
)
def test_strangers_are_not_trusted(
    guarded: Guarded,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    *,
    trusted: bool,
    ours: bool,
    said: str,
) -> None:
    """A broker of another authority is not spoken to; without our certificate we stay outside."""
    authority = guarded.authority if trusted else Authority(tmp_path, "stranger")
    certificate, key = guarded.authority.issue("collector") if ours else (None, None)
    settings = MqttSettings(
        port=guarded.port, tls=True, ca_file=authority.file, cert_file=certificate, key_file=key
    )
    ready: list[int] = []

    async def try_it() -> None:
        broker = mqtt.Broker(settings, lambda _: None)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1.5):
                await broker.run(["a"], ["b"], lambda: ready.append(1), share=True)

    with caplog.at_level(logging.INFO, "collector.mqtt"):
        asyncio.run(try_it())
        gc.collect()
    assert said in caplog.text
    assert not ready
