"""The MQTT door: paho in a thread of its own, one client a connection, nothing kept between them.

A new client for each connection, since paho would send again by itself what an old one left: what
is to be sent again is the uplink's to decide. Connecting blocks, so it must not be in the loop that
talks to devices.
"""

import contextlib
import logging
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any, Final

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from agent.devices.machine import Instant
from agent.patience import Patience
from agent.settings import MqttSettings
from wire.codec import encode
from wire.pulse import Presence
from wire.topics import Channel, TerminalId, topic

log: Final = logging.getLogger("agent.mqtt")

CONNECT_S_MAX: Final = 15.0
QUEUED_MAX: Final = 32
"""Messages that paho may hold for one connection; a pulse beyond it is dropped."""
_QOS: Final = {
    Channel.JOURNAL: 1,
    Channel.PULSE: 0,
    Channel.PRESENCE: 1,
    Channel.REPLY: 1,
}


@dataclass(frozen=True, slots=True)
class LineUp:
    """Connected; acks and commands are subscribed to."""


@dataclass(frozen=True, slots=True)
class LineDown:
    """Not connected (any more)."""

    why: str


@dataclass(frozen=True, slots=True)
class Arrived:
    """A message from the service."""

    channel: Channel
    payload: bytes


Tidings = LineUp | LineDown | Arrived


class _Client(paho.Client):
    """A client whose thread never ends unheard, whatever the broker sends."""

    def __init__(self, over: Callable[[str], None], *arguments: Any, **named: Any) -> None:  # noqa: ANN401 - paho's own
        super().__init__(*arguments, **named)
        self._tell_over = over

    def loop_forever(self, *arguments: Any, **named: Any) -> MQTTErrorCode:  # noqa: ANN401 - paho's own
        code = MQTTErrorCode.MQTT_ERR_UNKNOWN
        try:
            code = super().loop_forever(*arguments, **named)
        except Exception as error:
            log.exception("the broker sent what paho cannot read")
            self._tell_over(f"unreadable: {error}")
            line = self.socket()
            if line is not None:
                line.close()
        self._tell_over("the connection is over")
        return code


class MqttDoor:
    """Stays connected to the broker and says so."""

    def __init__(
        self,
        settings: MqttSettings,
        terminal: TerminalId,
        *,
        boot: str,
        tell: Callable[[Tidings], object],
        random: Random,
    ) -> None:
        """Prepare; nothing is opened before `start`. `tell` is called from the door's thread."""
        self._settings, self._terminal, self._boot = settings, terminal, boot
        self._tell = tell
        self._patience = Patience(most_s=settings.reconnect_s_max, random=random)
        self._client: paho.Client | None = None
        self._over = threading.Event()
        self._why = ""
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="mqtt", daemon=True)

    def start(self) -> None:
        """Begin to connect."""
        self._thread.start()

    def stop(self) -> None:
        """Say that the terminal goes offline and hang up; waits a few seconds at most."""
        self._stopping.set()
        client = self._client
        if client is not None and client.is_connected():
            with contextlib.suppress(ValueError, RuntimeError):
                said = self._presence(client, online=False)
                said.wait_for_publish(timeout=2)
            client.disconnect()
        self._thread.join(timeout=3)

    def publish(self, channel: Channel, payload: bytes) -> None:
        """Send if connected; otherwise the message is dropped."""
        client = self._client
        if client is not None and client.is_connected():
            client.publish(topic(self._terminal, channel), payload, qos=_QOS[channel])

    def _run(self) -> None:
        while not self._stopping.is_set():
            why = self._connection()
            self._client = None
            if self._stopping.is_set():
                return
            self._tell(LineDown(why))
            self._stopping.wait(self._patience.wait_s(Instant(time.monotonic())))

    def _connection(self) -> str:
        """Hold one connection from beginning to end; return why it ended."""
        settings = self._settings
        self._over.clear()
        try:
            # A certificate that is just being replaced is read again at the next attempt.
            client = self._made()
            client.connect(settings.host, settings.port_used, keepalive=settings.keepalive_s)
            self._client = client
            if self._stopping.is_set():
                return "stopping"
        except (OSError, ValueError) as error:  # SSLError is an OSError
            log.warning("broker %s:%s: %s", settings.host, settings.port_used, error)
            return str(error)
        # paho's own thread does all writing: run in ours, its loop would let `publish` write to
        # the socket from the main loop at the same time.
        client.loop_start()
        self._over.wait()
        client.loop_stop()
        return self._why

    def _made(self) -> paho.Client:
        settings = self._settings
        client = _Client(
            self._end,
            CallbackAPIVersion.VERSION2,
            client_id=self._terminal,
            clean_session=True,
            protocol=paho.MQTTv311,
            reconnect_on_failure=False,
        )
        client.connect_timeout = CONNECT_S_MAX
        client.max_queued_messages_set(QUEUED_MAX)
        if settings.user is not None:
            client.username_pw_set(settings.user, settings.password)
        if settings.tls:
            context = ssl.create_default_context(cafile=settings.ca_file)
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            if settings.cert_file is not None:
                context.load_cert_chain(settings.cert_file, settings.key_file)
            client.tls_set_context(context)
        will = encode(Presence(online=False, boot=self._boot))
        client.will_set(topic(self._terminal, Channel.PRESENCE), will, qos=1, retain=True)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        return client

    def _on_connect(
        self,
        client: paho.Client,
        _userdata: Any,  # noqa: ANN401 - paho's own signature
        _flags: paho.ConnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        if reason.is_failure:
            log.warning(
                "broker refuses %s: %s; check [mqtt] user, password", self._settings.user, reason
            )
            self._end(f"refused: {reason}")
            return
        self._patience.connected(Instant(time.monotonic()))
        log.info("connected to %s:%s", self._settings.host, self._settings.port_used)
        client.subscribe(
            [(topic(self._terminal, Channel.ACK), 1), (topic(self._terminal, Channel.COMMAND), 1)]
        )
        self._presence(client, online=True)
        if not self._stopping.is_set():
            self._tell(LineUp())

    def _on_disconnect(
        self,
        _client: paho.Client,
        _userdata: Any,  # noqa: ANN401 - paho's own signature
        _flags: paho.DisconnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        self._end(str(reason))

    def _end(self, why: str) -> None:
        """Let the connection's thread go on; the first reason is the one that counts."""
        if not self._over.is_set():
            self._why = why
            self._over.set()

    def _on_message(
        self,
        _client: paho.Client,
        _userdata: Any,  # noqa: ANN401 - paho's own signature
        message: paho.MQTTMessage,
    ) -> None:
        for channel in (Channel.ACK, Channel.COMMAND):
            if message.topic == topic(self._terminal, channel):
                self._tell(Arrived(channel, bytes(message.payload)))

    def _presence(self, client: paho.Client, *, online: bool) -> paho.MQTTMessageInfo:
        return client.publish(
            topic(self._terminal, Channel.PRESENCE),
            encode(Presence(online=online, boot=self._boot)),
            qos=1,
            retain=True,
        )
