"""A terminal written from docs/contract.md alone: it shares no code with the project."""

import contextlib
import hashlib
import json
import queue
import time
import zlib
from collections.abc import Sequence
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

JsonObject = dict[str, Any]


def now_ms() -> int:
    """Return the terminal's clock."""
    return time.time_ns() // 1_000_000


class ForeignTerminal:
    """Journals in memory, one MQTT session, and nothing hidden: tests send what they like."""

    def __init__(
        self, served: Any, number: str, *, epoch: int | None = None, session: str = ""
    ) -> None:
        """Connect, subscribe to `ack`, and wait until both are done."""
        self.number = number
        self.epoch = epoch or now_ms()
        self.lines: list[bytes] = []
        self.marks = [str(self.epoch)]
        self.acks: queue.Queue[JsonObject] = queue.Queue()
        self.client = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id=session or number, protocol=mqtt.MQTTv311
        )
        self.client.username_pw_set(served.ready["mqtt_user"], served.ready["mqtt_password"])
        subscribed: queue.Queue[bool] = queue.Queue()
        self.client.on_subscribe = lambda *_: subscribed.put(True)
        self.client.on_message = self._heard
        self.client.connect("127.0.0.1", served.mqtt_port)
        self.client.loop_start()
        self.client.subscribe(f"kvitok/v1/{number}/ack", qos=1)
        subscribed.get(timeout=10)

    def _heard(self, _client: object, _data: object, message: mqtt.MQTTMessage) -> None:
        with contextlib.suppress(ValueError):  # a test may publish garbage on `ack` too
            self.acks.put(json.loads(message.payload))

    def close(self) -> None:
        """Leave politely."""
        self.client.disconnect()
        self.client.loop_stop()

    def write(self, *events: JsonObject) -> None:
        """Append to the journal."""
        for event in events:
            line = json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()
            self.lines.append(line)
            mark = hashlib.sha256(self.marks[-1].encode() + line).hexdigest()[:16]
            self.marks.append(mark)

    def batch(self, first: int, last: int, **changes: Any) -> bytes:
        """Return the JSON of the batch of seqs first … last, with fields changed at will."""
        head = {
            "epoch": self.epoch,
            "first": first,
            "prev": self.marks[first - 1],
            "last": self.marks[last],
            **changes,
        }
        text = json.dumps(head).encode()
        return text[:-1] + b', "events": [' + b",".join(self.lines[first - 1 : last]) + b"]}"

    def publish(self, channel: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> None:
        """Publish anything under the terminal's own prefix."""
        self.client.publish(
            f"kvitok/v1/{self.number}/{channel}", payload, qos, retain
        ).wait_for_publish(10)

    def ask(self, payload: bytes, *, within_s: float = 10.0) -> JsonObject:
        """Publish on `journal` and return the next ack of this epoch, or the refusal (rule 3)."""
        while not self.acks.empty():
            self.acks.get_nowait()
        self.publish("journal", payload)
        while True:
            ack = self.acks.get(timeout=within_s)
            if ack.get("epoch", self.epoch) == self.epoch:
                return ack

    def send(self, *events: JsonObject, compress: bool = False) -> JsonObject:
        """Write events and send them as one batch; the ack must take all of them."""
        first = len(self.lines) + 1
        self.write(*events)
        payload = self.batch(first, len(self.lines))
        ack = self.ask(zlib.compress(payload) if compress else payload)
        assert ack == self.expected_ack(len(self.lines) + 1), ack
        return ack

    def expected_ack(self, following: int) -> JsonObject:
        """Return the ack that says that everything before `following` is stored."""
        return {"epoch": self.epoch, "next": following, "mark": self.marks[following - 1]}

    def pulse(self, **more: Any) -> None:
        """Publish a pulse that tells the truth, with fields changed at will."""
        body = {
            "at": now_ms(),
            "epoch": self.epoch,
            "next": len(self.lines) + 1,
            "unacked": 0,
            "boot": "boot-1",
            **more,
        }
        self.publish("pulse", json.dumps(body).encode(), qos=0)


def payment(  # noqa: PLR0913 - each is one fact of a payment
    tx: str, at: int, *, outcome: str | None = "accepted", receipt: str | None = "printed",
    account: str = "+79165550142", ended: bool = True, cash: Sequence[int] = (50_000,),
) -> list[JsonObject]:  # fmt: skip
    """Return the events of one payment, six seconds apart, in the contract's words."""
    events: list[JsonObject] = [
        {"kind": "transaction_started", "tx": tx, "service": "mobile", "account": account}
    ]
    events += [
        {"kind": "cash_accepted", "tx": tx, "amount": each, "currency": "RUB", "media": "note"}
        for each in cash
    ]
    if outcome:
        events.append(
            {
                "kind": "payment_result",
                "tx": tx,
                "outcome": outcome,
                "amount": sum(cash),
                "fee": 0,
                "currency": "RUB",
            }
        )
    if receipt:
        events.append({"kind": "receipt_result", "tx": tx, "outcome": receipt})
    if ended:
        events.append({"kind": "transaction_ended", "tx": tx, "cause": "completed"})
    return [{**event, "at": at + 6000 * n} for n, event in enumerate(events)]
