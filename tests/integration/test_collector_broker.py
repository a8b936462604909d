"""The collector's MQTT door against a broker by hand, which does what a good one does not."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable

import pytest
from prometheus_client import REGISTRY

from collector import mqtt
from collector.settings import MqttSettings

pytestmark = pytest.mark.service

CONNACK = b"\x20\x02\x00\x00"
NOT_AUTHORIZED = b"\x20\x02\x00\x05"
SUBACK = b"\x90\x04\x00\x01\x00\x00"
DENIED = b"\x90\x04\x00\x01\x00\x80"

Streams = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def _dropped(why: str) -> float:
    labels = {"why": why}
    return REGISTRY.get_sample_value("kvitok_collector_dropped_total", labels) or 0.0


async def _with_broker(serve: Streams, seconds: float, go: Callable[[mqtt.Broker], None]) -> None:
    """Run the door against a broker for a time; `go` is called when it is subscribed."""
    over = asyncio.Event()

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await serve(reader, writer)
        await over.wait()
        writer.transport.abort()

    server = await asyncio.start_server(one, "127.0.0.1", 0)
    settings = MqttSettings(port=server.sockets[0].getsockname()[1])
    broker = mqtt.Broker(settings, lambda _: None)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await broker.run(["a"], ["b"], lambda: go(broker), share=False)
    over.set()
    await asyncio.sleep(0.01)
    server.close()


def test_a_broker_that_does_not_read_holds_nobody_up() -> None:
    """Answers that it does not take wait up to a bound, more are dropped, and the end comes."""

    async def stuck(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(CONNACK)
        await reader.read(100)
        writer.write(SUBACK)
        writer.transport.pause_reading()  # type: ignore[attr-defined]  # a transport that reads, too

    took: list[float] = []

    def flood(broker: mqtt.Broker) -> None:
        began = time.monotonic()
        for _ in range(mqtt.UNSENT_MAX + 500):
            broker.publish("kvitok/v1/T-1/ack", b"x" * 1000)
        took.append(time.monotonic() - began)

    before, began = _dropped("answer_unsent"), time.monotonic()
    asyncio.run(_with_broker(stuck, 2.0, flood))
    assert _dropped("answer_unsent") - before == 500
    assert took[0] < 5
    assert time.monotonic() - began < 10


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ([NOT_AUTHORIZED], "does not let us in: Not authorized"),
        ([CONNACK, DENIED], "it denies the subscription to b"),
        ([CONNACK, b"\x30\xff\xff\xff\xff\x01"], "connecting again"),
        ([CONNACK, SUBACK + b"\x30\x02\x00\x05"], "connecting again"),
        ([b""], "connecting again"),
    ],
)
def test_why_a_broker_is_left_is_said(
    answers: list[bytes], said: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A refusal and a broken packet end the connection with the reason in the log; it goes on."""
    connections: list[int] = []

    async def answering(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(1)
        for answer in answers:
            await reader.read(100)
            writer.write(answer)
        if answers == [b""]:
            writer.close()

    with caplog.at_level(logging.INFO, "collector.mqtt"):
        asyncio.run(_with_broker(answering, 2.0, lambda _: None))
    assert said in caplog.text
    assert len(connections) > 1
    assert "Traceback" not in caplog.text
