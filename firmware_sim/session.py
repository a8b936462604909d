"""The door to MQTT: one paho session that carries many terminals, as a simulator may.

What arrives is put in an inbox that one thread of the caller empties; nothing is judged here.
"""

from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any, Final

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from firmware_sim.light import Publish
from wire.topics import Channel, TerminalId, read_topic, topic

_SUBSCRIBE_TOPICS_MAX: Final = 100
_INFLIGHT_MAX: Final = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Broker:
    """Where the broker is and who we are to it; the identity may act for every terminal."""

    host: str = "127.0.0.1"
    port: int = 1883
    user: str | None = None
    password: str | None = None


@dataclass(frozen=True, slots=True)
class Arrived:
    """A message from an ack topic."""

    terminal: TerminalId
    payload: bytes


@dataclass(frozen=True, slots=True)
class Connected:
    """The session is up (again) and its acks are subscribed to."""


@dataclass(frozen=True, slots=True)
class Disconnected:
    """The session is down; paho reconnects by itself."""


Arrival = Arrived | Connected | Disconnected


class Session:
    """An MQTT session for these terminals; acks are subscribed to with QoS 0 (contract, head)."""

    def __init__(self, broker: Broker, client_id: str, terminals: list[TerminalId]) -> None:
        self._broker = broker
        self._terminals = terminals
        self._inbox: SimpleQueue[Arrival] = SimpleQueue()
        self._last_subscribe: int | None = None
        self._client = paho.Client(CallbackAPIVersion.VERSION2, client_id, protocol=paho.MQTTv311)
        if broker.user is not None:
            self._client.username_pw_set(broker.user, broker.password)
        self._client.max_inflight_messages_set(_INFLIGHT_MAX)
        self._client.reconnect_delay_set(1, 5)
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_disconnect = self._on_disconnect
        self._client.on_message = self._on_message

    def start(self) -> None:
        """Begin to connect, and go on trying until stopped."""
        self._client.connect_async(self._broker.host, self._broker.port, keepalive=60)
        self._client.loop_start()

    def stop(self) -> None:
        """Disconnect politely."""
        self._client.disconnect()
        self._client.loop_stop()

    def publish(self, terminal: TerminalId, message: Publish) -> None:
        """Publish a terminal's message."""
        self.publish_raw(topic(terminal, message.channel), message)

    def publish_raw(self, name: str, message: Publish) -> None:
        """Publish on any topic: garbage goes where garbage goes."""
        self._client.publish(name, message.payload, message.qos, message.retain)

    def arrivals(self, wait_s: float) -> list[Arrival]:
        """Return what has arrived; waits at most so long for the first."""
        out = list[Arrival]()
        try:
            out.append(self._inbox.get(timeout=wait_s))
            while True:
                out.append(self._inbox.get_nowait())
        except Empty:
            return out

    def _on_connect(self, client: paho.Client, *rest: Any) -> None:  # noqa: ANN401 - paho's own
        if rest[2].is_failure:
            return
        names = [topic(terminal, Channel.ACK) for terminal in self._terminals]
        for start in range(0, len(names), _SUBSCRIBE_TOPICS_MAX):
            part = names[start : start + _SUBSCRIBE_TOPICS_MAX]
            _, self._last_subscribe = client.subscribe([(name, 0) for name in part])

    def _on_subscribe(self, _client: paho.Client, _data: object, mid: int, *_: object) -> None:
        if mid == self._last_subscribe:
            self._inbox.put(Connected())

    def _on_disconnect(self, *_: object) -> None:
        self._inbox.put(Disconnected())

    def _on_message(self, _client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        read = read_topic(message.topic)
        if read and read[1] is Channel.ACK:
            self._inbox.put(Arrived(read[0], bytes(message.payload)))
