"""The MQTT door: a connection to the broker that comes back and subscribes again.

Journals are read at QoS 0. Nothing rests on the broker keeping a message: a terminal sends again
until the collector's own ack says that the batch is committed. QoS 1 here would add an answer per
message for a promise that nobody needs, and costs ten times as much on NATS (measured).

paho is not used here, as it is in the agent: it reads a packet in three system calls and takes
30 µs for each, a core at 33,000 messages/s; this reads what the socket holds.
"""

import asyncio
import contextlib
import logging
import random
import secrets
import ssl
import time
from collections.abc import Callable
from typing import Any, Final, TypeVar, cast

from collector import metrics, mqtt_packets
from collector.mqtt_packets import Connected, Message, Oversized, PacketReader, Subscribed
from collector.settings import MqttSettings

log = logging.getLogger("collector.mqtt")

KEEP_ALIVE_S: Final = 30
CONNECT_TIMEOUT_S: Final = 10.0
PROBE_TIMEOUT_S: Final = 2.0
RETRY_FIRST_S: Final = 0.2
RETRY_MAX_S: Final = 5.0
UNSENT_BYTES_MAX: Final = 8 * 1024 * 1024
"""Answers that the broker has not read; more are dropped, and their terminals ask again."""

SHARE: Final = "$share/collectors/"
PROBE: Final = "kvitok/probe/"
"""Topics of the start-up probe; the service's user may publish and subscribe there."""

REFUSALS: Final = {
    1: "it does not speak MQTT 3.1.1",
    2: "it refuses the client id",
    3: "it is not available",
    4: "user or password is wrong",
    5: "the user may not connect",
}
"""CONNACK's codes (MQTT 3.1.1, 3.2.2.3)."""


Result = TypeVar("Result")


class BrokerGone(Exception):  # noqa: N818 - says what is, like every error of ours
    """The connection is no more, or could not be made; the message says why."""


class _Line(asyncio.Protocol):
    """One connection."""

    def __init__(self, on_message: Callable[[Message | Oversized], None]) -> None:
        loop = asyncio.get_running_loop()
        self.transport: asyncio.Transport | None = None
        self.lost: asyncio.Future[str] = loop.create_future()
        self.connected: asyncio.Future[int] = loop.create_future()
        self.subscribed: asyncio.Queue[bytes] = asyncio.Queue()
        self.heard_at = time.monotonic()
        self._reader = PacketReader()
        self._on_message = on_message

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are such without saying so.
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self.heard_at = time.monotonic()
        try:
            for packet in self._reader.feed(data):
                match packet:
                    case Message() | Oversized():
                        self._on_message(packet)
                    case Connected(code):
                        if not self.connected.done():
                            self.connected.set_result(code)
                    case Subscribed(codes):
                        self.subscribed.put_nowait(codes)
        except mqtt_packets.BrokerBroken as error:
            self._end(f"the broker sent {error}")

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(str(exc) if exc else "the broker closed the connection")

    def write(self, data: bytes) -> None:
        """Send, unless the connection is over: `lost` tells that."""
        # uvloop raises where asyncio is silent.
        if self.transport is not None and not self.transport.is_closing():
            self.transport.write(data)

    def _end(self, why: str) -> None:
        if not self.lost.done():
            self.lost.set_result(why)
        if self.transport is not None:
            self.transport.abort()


class Broker:
    """Messages of the filters in, answers out; `run` keeps the connection."""

    def __init__(
        self, settings: MqttSettings, on_message: Callable[[Message | Oversized], None]
    ) -> None:
        self._settings = settings
        self._on_message = on_message
        self._line: _Line | None = None
        self._unsent: list[bytes] = []
        self._jitter = random.Random()  # noqa: S311 - so that collectors do not come back at once
        self._shares: bool | None = None
        self._probed: asyncio.Queue[str] = asyncio.Queue()
        self.subscribed_since: float | None = None
        """The instant of the last subscription, while it stands."""

    def publish(self, topic: str, payload: bytes) -> None:
        """Send at QoS 0, or drop where there is no connection or the broker does not read."""
        line = self._line
        if line is None or line.transport is None or line.transport.is_closing():
            metrics.DROPPED.labels("answer_disconnected").inc()
        elif line.transport.get_write_buffer_size() > UNSENT_BYTES_MAX:
            metrics.DROPPED.labels("answer_unsent").inc()
        else:
            # One system call for all that is said in one turn of the loop.
            if not self._unsent:
                asyncio.get_running_loop().call_soon(self._write, line)
            self._unsent.append(mqtt_packets.publish(topic, payload))

    def _write(self, line: _Line) -> None:
        unsent, self._unsent = self._unsent, []
        line.write(b"".join(unsent))
        metrics.ACKS.inc(len(unsent))

    async def run(
        self, shared: list[str], plain: list[str], on_ready: Callable[[], None], *, share: bool
    ) -> None:
        """Stay connected and subscribed, for ever; `on_ready` after each subscription."""
        wait_s = RETRY_FIRST_S
        while True:
            began = time.monotonic()
            try:
                await self._session(shared, plain, on_ready, share=share)
            except BrokerGone as error:
                if time.monotonic() - began > RETRY_MAX_S:
                    wait_s = RETRY_FIRST_S
                log.warning("broker: %s; connecting again in %.1f s", error, wait_s)
            finally:
                self.subscribed_since = None
                self._line = None
                metrics.MQTT_CONNECTED.set(0)
            await asyncio.sleep(wait_s * self._jitter.uniform(0.7, 1.3))
            wait_s = min(wait_s * 2, RETRY_MAX_S)

    async def _session(
        self, shared: list[str], plain: list[str], on_ready: Callable[[], None], *, share: bool
    ) -> None:
        line = await self._connect()
        try:
            self._line = line
            if share and self._shares is None:
                self._shares = await self._probe(line)
            prefix = SHARE if share and self._shares else ""
            filters = [f"{prefix}{each}" for each in shared] + plain
            codes = await self._subscribe(line, filters)
            if mqtt_packets.DENIED in codes:
                denied = [
                    each
                    for each, code in zip(filters, codes, strict=False)
                    if code == mqtt_packets.DENIED
                ]
                raise BrokerGone(f"it denies the subscription to {', '.join(denied)}")
            self.subscribed_since = time.monotonic()
            metrics.MQTT_CONNECTED.set(1)
            log.info("subscribed to %s at %s", ", ".join(filters), self._address)
            on_ready()
            await self._keep_alive(line)
        finally:
            line.write(mqtt_packets.DISCONNECT)
            if line.transport is not None:
                line.transport.close()

    async def _connect(self) -> _Line:
        settings = self._settings
        loop = asyncio.get_running_loop()
        line = _Line(self._message)
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                await loop.create_connection(
                    lambda: line, settings.host, settings.port, ssl=self._tls()
                )
        except (OSError, TimeoutError) as error:
            raise BrokerGone(
                f"cannot connect to {self._address}: {str(error) or 'no answer'}"
            ) from None
        client_id = f"kvitok-{secrets.token_hex(6)}"
        line.write(mqtt_packets.connect(client_id, KEEP_ALIVE_S, settings.user, settings.password))
        code = await self._answer(line, line.connected, "CONNECT")
        if code:
            reason = REFUSALS.get(code, f"code {code}")
            raise BrokerGone(f"{self._address} does not let us in: {reason}; see [mqtt]")
        return line

    async def _probe(self, line: _Line) -> bool:
        """Return whether the broker delivers to a shared subscription; say what follows if not."""
        name = secrets.token_hex(6)
        plain, shared = f"{PROBE}{name}/plain", f"{PROBE}{name}/shared"
        codes = await self._subscribe(line, [plain, f"$share/probe-{name}/{shared}"])
        for topic in (shared, plain):
            self.publish(topic, b"{}")
        delivered: set[str] = set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PROBE_TIMEOUT_S):
                while len(delivered) < 2:  # noqa: PLR2004 - the two topics
                    delivered.add(await self._probed.get())
        if shared in delivered:
            return True
        if mqtt_packets.DENIED in codes or plain not in delivered:
            why = f"the probe on {PROBE}# came back by no subscription (may our user use it?)"
        else:
            why = "it accepts a shared subscription and delivers nothing to it (as NATS does)"
        log.warning(
            "broker: %s; subscribing without $share: one collector does all the work, and a second "
            "one repeats it (nothing is stored twice)",
            why,
        )
        return False

    async def _subscribe(self, line: _Line, filters: list[str]) -> bytes:
        line.write(mqtt_packets.subscribe(1, filters))
        return await self._answer(line, asyncio.ensure_future(line.subscribed.get()), "SUBSCRIBE")

    async def _answer(self, line: _Line, answer: asyncio.Future[Result], asked: str) -> Result:
        waited: set[asyncio.Future[Any]] = {answer, line.lost}
        await asyncio.wait(waited, timeout=CONNECT_TIMEOUT_S, return_when=asyncio.FIRST_COMPLETED)
        if answer.done():
            return answer.result()
        answer.cancel()
        why = line.lost.result() if line.lost.done() else f"no answer to {asked}"
        raise BrokerGone(f"{self._address}: {why}")

    async def _keep_alive(self, line: _Line) -> None:
        while not line.lost.done():
            await asyncio.wait({line.lost}, timeout=KEEP_ALIVE_S / 3)
            if time.monotonic() - line.heard_at > KEEP_ALIVE_S * 1.5:
                raise BrokerGone(f"{self._address}: silent for {KEEP_ALIVE_S * 1.5:.0f} s")
            line.write(mqtt_packets.PINGREQ)
        raise BrokerGone(f"{self._address}: {line.lost.result()}")

    def _message(self, packet: Message | Oversized) -> None:
        if packet.topic.startswith(PROBE):
            self._probed.put_nowait(packet.topic)
        else:
            self._on_message(packet)

    def _tls(self) -> ssl.SSLContext | None:
        settings = self._settings
        if not settings.tls:
            return None
        context = ssl.create_default_context(cafile=settings.ca_file)
        if settings.cert_file is not None:
            context.load_cert_chain(settings.cert_file, settings.key_file)
        return context

    @property
    def _address(self) -> str:
        return f"{self._settings.host}:{self._settings.port}"
