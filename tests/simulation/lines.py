"""The two kinds of clients that a broker has: a terminal's session, a collector's line."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Final

from collector.mqtt import Message
from tests.simulation.loop import Node

if TYPE_CHECKING:
    from tests.simulation.broker import Broker

KEEP_ALIVE_S: Final = 60.0
"""A terminal's; a session that is silent for one and a half of it is over."""
SERVICE_KEEP_ALIVE_S: Final = 20.0
RETRY_FIRST_S: Final = 0.2
RETRY_MAX_S: Final = 5.0
SOCKET_MESSAGES_MAX: Final = 2_000
"""Messages that wait for a collector that does not read; more are dropped."""
READS_AT_ONCE: Final = 50


class Session:
    """A terminal's connection, as both ends see it."""

    __slots__ = (
        "_broker",
        "_down",
        "_up",
        "client_id",
        "lost",
        "on_down",
        "on_message",
        "open",
        "will",
    )

    def __init__(
        self,
        broker: "Broker",
        client_id: str,
        will: tuple[str, bytes],
        heard: tuple[Callable[[str, bytes], None], Callable[["Session", str], None]],
    ) -> None:
        self._broker, self.client_id, self.will = broker, client_id, will
        self.on_message, self.on_down = heard
        self.open = True
        """The broker holds it."""
        self.lost = False
        """No packet gets through any more, though the broker may not know."""
        self._up = broker.link(f"{client_id}>")
        self._down = broker.link(f"{client_id}<")

    def publish(self, topic: str, payload: bytes, *, qos: int = 0, retain: bool = False) -> None:
        """Send a message; whether it arrives is the weather's affair, whatever the QoS."""
        del qos  # A PUBACK of the broker promises nothing that anybody relies on.
        if self.open and not self.lost:
            self._broker.sent_up(self, self._up, (topic, payload, retain))

    def subscribe(self, topic: str) -> None:
        """Be told of what is published on one topic."""
        if self.open and not self.lost:
            self._broker.subscribed(self, topic)

    def disconnect(self) -> None:
        """Leave politely: no will."""
        if self.open and not self.lost:
            self._broker.forget(self)
            self.open = False

    def lose(self) -> None:
        """Have the line go dead: the broker learns of it by its keep-alive."""
        if self.open and not self.lost:
            self.lost = True
            self._broker.will_be_missed(self, KEEP_ALIVE_S * 1.5)

    def reset(self) -> None:
        """Have the terminal's system close the line: the process is no more."""
        if self.open and not self.lost:
            self.lost = True
            self._broker.will_be_missed(self, 0.3)

    def told(self, topic: str, payload: bytes) -> None:
        """Send a message down."""
        broker = self._broker
        if self.lost:
            return
        weather, world = broker.weather, broker.world
        for when, body in self._down.fates(weather, weather.down, payload, world.now):
            world.at(when, partial(self._arrive, topic, body))

    def _arrive(self, topic: str, payload: bytes) -> None:
        if self.open and not self.lost:
            self.on_message(topic, payload)


class ServiceLine:
    """What `collector.mqtt.Broker` is to a collector."""

    def __init__(self, broker: "Broker", node: Node, on_message: Callable[[Message], None]) -> None:
        self._broker, self.node, self._on_message = broker, node, on_message
        self.subscribed_since: float | None = None
        """The instant of the last subscription, while it stands."""
        self.shared: Sequence[str] = ()
        self.plain: Sequence[str] = ()
        self.connected = False
        """The broker holds the connection."""
        self.dropped = 0
        self.link_in = broker.link(f"{node.name}<")
        self._link_out = broker.link(f"{node.name}>")
        self._inbox: deque[Message | None] = deque()
        self._reading = False
        self._unread_since = 0.0
        self._lost: asyncio.Future[None] | None = None
        self._jitter = Random(f"{broker.seed}:{node.name}:{broker.world.now}")
        node.on_death(lambda: broker.left(self))

    def publish(self, topic: str, payload: bytes) -> None:
        """Send, or drop where there is no connection."""
        if self.connected and not self.node.dead:
            self._broker.sent_out(self._link_out, topic, payload)

    async def run(
        self, shared: list[str], plain: list[str], on_ready: Callable[[], None], *, share: bool
    ) -> None:
        """Stay connected and subscribed, for ever; `on_ready` after each subscription."""
        wait_s = RETRY_FIRST_S
        while True:
            await asyncio.sleep(self._jitter.uniform(0.002, 0.03))
            if self._broker.up:
                wait_s = RETRY_FIRST_S
                self._lost = self.node.create_future()
                self._inbox.clear()
                self.shared, self.plain = (shared, plain) if share else ((), [*shared, *plain])
                self.subscribed_since = self.node.time()
                self._broker.joined(self)
                on_ready()
                try:
                    await self._lost
                finally:
                    self.subscribed_since = None
                    self._broker.left(self)
            await asyncio.sleep(wait_s * self._jitter.uniform(0.7, 1.3))
            wait_s = min(wait_s * 2, RETRY_MAX_S)

    def arrived(self, message: Message) -> None:
        """Put a message into the socket, unless it is full or nobody has read it for too long."""
        now = self._broker.world.now
        if not self._inbox:
            self._unread_since = now
        elif self.node.frozen and now - self._unread_since > SERVICE_KEEP_ALIVE_S * 1.5:
            self._broker.left(self)
            self.hung_up()
            return
        if len(self._inbox) >= SOCKET_MESSAGES_MAX:
            self.dropped += 1
            return
        self._wake(message)

    def hung_up(self) -> None:
        """Have the process find the connection at its end, behind what is still to be read."""
        self._wake(None)

    def _wake(self, message: Message | None) -> None:
        if self.node.dead:
            return
        self._inbox.append(message)
        if not self._reading:
            self._reading = True
            self.node.within(self._read)

    def _read(self) -> None:
        inbox = self._inbox
        for _ in range(READS_AT_ONCE):
            if not inbox:
                break
            message = inbox.popleft()
            if message is None:
                if self._lost is not None and not self._lost.done():
                    self._lost.set_result(None)
            else:
                self._on_message(message)
        self._reading = bool(inbox)
        if inbox:
            self.node.within(self._read)
