"""Whether a broker delivers: a message published and waited for, plainly and by `$share`."""

import ssl
import threading
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from collector.settings import MqttSettings

WAIT_S: Final = 5.0
SHARE_WAIT_S: Final = 2.0
REFUSED: Final = 0x80
"""SUBACK of a subscription that is not granted (MQTT 3.1.1, 3.9.3)."""


class BrokerAway(Exception):  # noqa: N818 - says what is, like every error of ours
    """The broker does not let us in; the text says where and what to do."""


class Delivery(StrEnum):
    """What became of a probe."""

    DELIVERED = "delivered"
    NOTHING = "granted, but nothing is delivered"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Deliveries:
    """Both probes."""

    plain: Delivery
    shared: Delivery


def deliveries(mqtt: MqttSettings, name: str) -> Deliveries:
    """Publish where only probes are (the collector's too), and say what came back.

    Raises:
        BrokerAway: it does not answer, or does not know us.
    """
    topic = f"kvitok/probe/doctor-{name}"
    return Deliveries(
        _probe(mqtt, topic, topic, wait_s=WAIT_S),
        _probe(mqtt, topic, f"$share/doctor-{name}/{topic}", wait_s=SHARE_WAIT_S),
    )


def _probe(mqtt: MqttSettings, topic: str, wanted: str, *, wait_s: float) -> Delivery:
    client = paho.Client(
        CallbackAPIVersion.VERSION2, client_id=topic.split("/")[2], protocol=paho.MQTTv311
    )
    connected, granted, delivered = threading.Event(), threading.Event(), threading.Event()
    codes: list[ReasonCode] = []

    def on_connect(
        client: paho.Client, _data: object, _flags: object, code: ReasonCode, *_: object
    ) -> None:
        codes.append(code)
        connected.set()
        if not code.is_failure:
            client.subscribe(wanted, qos=0)

    def on_subscribe(
        _client: object, _data: object, _id: object, given: list[ReasonCode], *_: object
    ) -> None:
        codes[:] = given
        granted.set()

    client.on_connect = on_connect
    client.on_subscribe = on_subscribe
    client.on_message = lambda *_: delivered.set()
    client.username_pw_set(mqtt.user, mqtt.password)
    if mqtt.tls:
        client.tls_set(
            ca_certs=str(mqtt.ca_file) if mqtt.ca_file else None,
            certfile=str(mqtt.cert_file) if mqtt.cert_file else None,
            keyfile=str(mqtt.key_file) if mqtt.key_file else None,
        )
    _connect(client, mqtt)
    client.loop_start()
    try:
        if not connected.wait(WAIT_S) or codes[0].is_failure:
            why = str(codes[0]) if codes else "no answer"
            raise BrokerAway(
                f"{mqtt.host}:{mqtt.port} does not let us in ({why}): are [mqtt] user and "
                "password right?"
            )
        if not granted.wait(WAIT_S) or codes[0].is_failure:
            return Delivery.REFUSED
        client.publish(topic, b"{}", qos=0)
        return Delivery.DELIVERED if delivered.wait(wait_s) else Delivery.NOTHING
    finally:
        client.disconnect()
        client.loop_stop()


def _connect(client: paho.Client, mqtt: MqttSettings) -> None:
    try:
        client.connect(mqtt.host, mqtt.port)
    except (OSError, ssl.SSLError) as error:
        raise BrokerAway(
            f"{mqtt.host}:{mqtt.port} does not answer ({error}): is the broker running, and is "
            "[mqtt] host and port right?"
        ) from error
