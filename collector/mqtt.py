"""The MQTT door: paho on the asyncio loop; a connection that comes back and subscribes again.

Journals are read at QoS 0. Nothing rests on the broker keeping a message: a terminal sends again
until the collector's own ack says that the batch is committed. QoS 1 here would add an answer per
message for a promise that nobody needs, and costs ten times as much on NATS (measured).

Laws. One thread alone touches the socket: the loop, which says when it can be read or written, so
answers leave in the order they were given and none waits. Only connecting, which blocks, is done
beside it, before the loop learns of the socket. A client serves one connection. Its callbacks note
and judge nothing: what raises inside of one would leave paho in the middle of a packet.

paho keeps a whole packet in memory before it tells of it, whatever its size. What bounds that is
the broker's largest packet (docs/operations.md); a payload over the contract's limit is refused
after.
"""

import asyncio
import contextlib
import logging
import random
import secrets
import ssl
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from collector import metrics
from collector.settings import MqttSettings

if TYPE_CHECKING:
    from paho.mqtt.client import SocketLike  # it has the name for type checkers only

log = logging.getLogger("collector.mqtt")

KEEP_ALIVE_S: Final = 20
"""A broker that does not answer is given up after twice this."""
KEEP_ALIVE_LOOK_S: Final = 1.0
CONNECT_TIMEOUT_S: Final = 5.0
ANSWER_TIMEOUT_S: Final = 10.0
PROBE_TIMEOUT_S: Final = 2.0
RETRY_FIRST_S: Final = 0.2
RETRY_MAX_S: Final = 5.0
UNSENT_MAX: Final = 20_000
"""Answers that the broker has not read; more are dropped, and their terminals ask again."""
READS_AT_ONCE: Final = 50
"""Packets read before others get the processor."""

SHARE: Final = "$share/collectors/"
PROBE: Final = "kvitok/probe/"
"""Topics of the start-up probe; the service's user may publish and subscribe there."""

Result = TypeVar("Result")


class BrokerGone(Exception):  # noqa: N818 - says what is, like every error of ours
    """The connection is no more, or could not be made; the message says why."""


class Message(NamedTuple):
    """What was published, as received."""

    topic: str
    payload: bytes
    retain: bool


class _Line:
    """One connection."""

    def __init__(self, settings: MqttSettings, on_message: Callable[[Message], None]) -> None:
        self._settings = settings
        self._on_message = on_message
        self._loop = asyncio.get_running_loop()
        self._arrived: deque[Message] = deque()
        self.connected: asyncio.Future[ReasonCode] = self._loop.create_future()
        self.subscribed: asyncio.Queue[list[ReasonCode]] = asyncio.Queue()
        self.lost: asyncio.Future[str] = self._loop.create_future()
        self.unsent = 0
        """Answers given to paho since it last had nothing to write."""
        self._client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"kvitok-{secrets.token_hex(6)}",
            clean_session=True,
            protocol=paho.MQTTv311,
            reconnect_on_failure=False,
        )
        self._client.connect_timeout = CONNECT_TIMEOUT_S
        if settings.user is not None:
            self._client.username_pw_set(settings.user, settings.password)

    async def open(self) -> None:
        """Connect, and let the loop watch the socket.

        Raises:
            OSError: there is no way to the broker, or its certificate is not trusted.
            ValueError: the address can be none.
        """
        client, settings = self._client, self._settings
        if settings.tls:
            client.tls_set_context(_tls(settings))
        await asyncio.to_thread(client.connect, settings.host, settings.port, KEEP_ALIVE_S)
        # Nothing has been read until here, so no callback comes too late, or in that thread.
        client.on_connect = self._welcomed
        client.on_subscribe = self._granted
        client.on_message = self._noted
        client.on_disconnect = self._ended
        client.on_socket_register_write = self._watch_write
        client.on_socket_unregister_write = self._unwatch_write
        client.on_socket_close = self._unwatch
        sock = client.socket()
        if sock is None:
            raise ConnectionResetError("the broker hung up")
        self._loop.add_reader(sock, self._read)
        if client.want_write():
            self._loop.add_writer(sock, self._write)

    def subscribe(self, filters: list[str]) -> None:
        """Ask for the filters; `subscribed` will bring the answer."""
        self._client.subscribe([(each, 0) for each in filters])

    def publish(self, topic: str, payload: bytes) -> None:
        """Hand a message over; it is written when the loop comes to it."""
        self._client.publish(topic, payload)
        self.unsent += 1

    def look(self) -> None:
        """Ask the broker for a sign of life when it is time, or give it up."""
        self._client.loop_misc()

    def close(self) -> None:
        """Write what is left and DISCONNECT as far as the broker takes it now, and hang up."""
        client = self._client
        client.disconnect()
        client.loop_write()
        sock = client.socket()
        if sock is not None:
            self._unwatch(client, None, sock)
            client.on_socket_close = client.on_socket_unregister_write = None
            sock.close()

    def _read(self) -> None:
        for _ in range(READS_AT_ONCE):
            self._client.loop_read()
            if not self._arrived and not self._holds_more():
                return
            while self._arrived:
                self._on_message(self._arrived.popleft())
        # The loop says what is in the socket, but not what TLS has read of it already.
        self._loop.call_soon(self._read)

    def _holds_more(self) -> bool:
        sock = self._client.socket()
        return isinstance(sock, ssl.SSLSocket) and sock.pending() > 0

    def _write(self) -> None:
        self._client.loop_write()

    # --- paho's callbacks

    def _welcomed(self, _client: paho.Client, _data: object, *rest: Any) -> None:  # noqa: ANN401 - paho's own
        self.connected.set_result(rest[1])

    def _granted(self, _client: paho.Client, _data: object, *rest: Any) -> None:  # noqa: ANN401 - paho's own
        self.subscribed.put_nowait(rest[1])

    def _noted(self, _client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = ""  # no topic of ours
        self._arrived.append(Message(topic, bytes(message.payload), message.retain))

    def _ended(self, _client: paho.Client, _data: object, *rest: Any) -> None:  # noqa: ANN401 - paho's own
        if not self.lost.done():
            self.lost.set_result(str(rest[1]))

    def _watch_write(self, _client: paho.Client, _data: object, sock: "SocketLike") -> None:
        self._loop.add_writer(sock, self._write)

    def _unwatch_write(self, _client: paho.Client, _data: object, sock: "SocketLike") -> None:
        self._loop.remove_writer(sock)
        metrics.ACKS.inc(self.unsent)
        self.unsent = 0

    def _unwatch(self, _client: paho.Client, _data: object, sock: "SocketLike") -> None:
        self._loop.remove_reader(sock)
        self._loop.remove_writer(sock)


class Broker:
    """Messages of the filters in, answers out; `run` keeps the connection."""

    def __init__(self, settings: MqttSettings, on_message: Callable[[Message], None]) -> None:
        self._settings = settings
        self._on_message = on_message
        self._line: _Line | None = None
        self._jitter = random.Random()  # noqa: S311 - so that collectors do not come back at once
        self._shares: bool | None = None
        self._probed: asyncio.Queue[str] = asyncio.Queue()
        self.subscribed_since: float | None = None
        """The instant of the last subscription, while it stands."""

    def publish(self, topic: str, payload: bytes) -> None:
        """Send at QoS 0, or drop where there is no connection or the broker does not read."""
        line = self._line
        if line is None or line.lost.done():
            metrics.DROPPED.labels("answer_disconnected").inc()
        elif line.unsent >= UNSENT_MAX:
            metrics.DROPPED.labels("answer_unsent").inc()
        else:
            line.publish(topic, payload)

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
        line = _Line(self._settings, self._message)
        try:
            await self._connect(line)
            self._line = line
            if share and self._shares is None:
                self._shares = await self._probe(line)
            prefix = SHARE if share and self._shares else ""
            filters = [f"{prefix}{each}" for each in shared] + plain
            codes = await self._subscribe(line, filters)
            denied = [each for each, code in zip(filters, codes, strict=False) if code.is_failure]
            if denied:
                raise BrokerGone(f"it denies the subscription to {', '.join(denied)}")
            self.subscribed_since = time.monotonic()
            metrics.MQTT_CONNECTED.set(1)
            log.info("subscribed to %s at %s", ", ".join(filters), self._address)
            on_ready()
            while not line.lost.done():
                await asyncio.wait({line.lost}, timeout=KEEP_ALIVE_LOOK_S)
                line.look()
            raise BrokerGone(f"{self._address}: {line.lost.result()}")
        finally:
            line.close()

    async def _connect(self, line: _Line) -> None:
        try:
            await line.open()
        except (OSError, ValueError) as error:
            raise BrokerGone(
                f"cannot connect to {self._address}: {str(error) or 'no answer'}"
            ) from None
        reason = await self._answer(line, line.connected, "CONNECT")
        if reason.is_failure:
            raise BrokerGone(f"{self._address} does not let us in: {reason}; see [mqtt]")

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
        if any(code.is_failure for code in codes) or plain not in delivered:
            why = f"the probe on {PROBE}# came back by no subscription (may our user use it?)"
        else:
            why = "it accepts a shared subscription and delivers nothing to it (as NATS does)"
        log.warning(
            "broker: %s; subscribing without $share: one collector does all the work, and a second "
            "one repeats it (nothing is stored twice)",
            why,
        )
        return False

    async def _subscribe(self, line: _Line, filters: list[str]) -> list[ReasonCode]:
        line.subscribe(filters)
        return await self._answer(line, asyncio.ensure_future(line.subscribed.get()), "SUBSCRIBE")

    async def _answer(self, line: _Line, answer: asyncio.Future[Result], asked: str) -> Result:
        waited: set[asyncio.Future[Any]] = {answer, line.lost}
        await asyncio.wait(waited, timeout=ANSWER_TIMEOUT_S, return_when=asyncio.FIRST_COMPLETED)
        if answer.done():
            return answer.result()
        answer.cancel()
        why = line.lost.result() if line.lost.done() else f"no answer to {asked}"
        raise BrokerGone(f"{self._address}: {why}")

    def _message(self, message: Message) -> None:
        if message.topic.startswith(PROBE):
            self._probed.put_nowait(message.topic)
        else:
            self._on_message(message)

    @property
    def _address(self) -> str:
        return f"{self._settings.host}:{self._settings.port}"


def _tls(settings: MqttSettings) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=settings.ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if settings.cert_file is not None:
        context.load_cert_chain(settings.cert_file, settings.key_file)
    return context
