"""A stand-in for collector and incidents on a real broker: acks what the contract lets it ack.

It judges the copied journals by `firmware_sim.truth`'s own rules, so that a kiosk's truth and its
journal can be held against each other before anything of the service is involved.
"""

import queue
import threading
from collections import Counter
from collections.abc import Iterator
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from firmware_sim import story
from firmware_sim.model import ServiceModel
from firmware_sim.truth import Found, money_expectations
from wire.events import KINDS, Event
from wire.topics import Channel, every_terminal, read_topic, topic

BAD_STATUSES = {
    "offline", "power_off", "no_device", "hardware_error", "user_error", "fraud_attempt",
}  # fmt: skip
BAD_PAPER = {"out", "jammed"}
BAD_STORAGE = {"full", "missing", "inoperative"}
RULES = {"receipt_printer": "printer_unavailable", "note_acceptor": "acceptor_unavailable"}


class SimulatedService:
    """Subscribes, admits, acks; `found` is what a fold over the copies finds."""

    def __init__(self, host: str, port: int) -> None:
        self.model = ServiceModel()
        self._inbox: queue.SimpleQueue[tuple[str, bytes] | None] = queue.SimpleQueue()
        self._subscribed = threading.Event()
        self._client = paho.Client(CallbackAPIVersion.VERSION2, "simulated-service")
        self._client.max_inflight_messages_set(1000)
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.on_message = lambda _c, _u, m: self._inbox.put((m.topic, bytes(m.payload)))
        self._client.connect(host, port)
        self._client.loop_start()
        assert self._subscribed.wait(10)
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop listening."""
        self._inbox.put(None)
        self._thread.join()
        self._client.disconnect()
        self._client.loop_stop()

    def found(self, hold_s: float) -> list[Found]:
        """Return what the rules find in the copies."""
        found = [Found(rule="identity_clash", terminal=terminal) for terminal in self.model.clashes]
        for (terminal, _), copy in self.model.copies.items():
            raw = [copy.events[seq] for seq in sorted(copy.events)]
            if any(isinstance(e, dict) and e.get("through") and "at" not in e for e in raw):
                found.append(Found(rule="journal_gap", terminal=terminal))
            events = list(readable(raw))
            found += judge_money(terminal, events)
            found += judge_devices(terminal, events, hold_s)
        return found

    def accepted(self) -> dict[tuple[str, str], int]:
        """Return (terminal, tx) → minor units accepted by the copies."""
        sums: Counter[tuple[str, str]] = Counter()
        for (terminal, _), copy in self.model.copies.items():
            for event in readable(list(copy.events.values())):
                if event.kind == "cash_accepted":
                    sums[terminal, event.tx] += event.amount
        return dict(sums)

    def _on_connect(self, client: paho.Client, *_: object) -> None:
        channels = (Channel.JOURNAL, Channel.PULSE)
        client.subscribe([(every_terminal(channel), 1) for channel in channels])

    def _work(self) -> None:
        while (item := self._inbox.get()) is not None:
            read = read_topic(item[0])
            if read is None:
                continue
            terminal, channel = read
            answer = (
                self.model.journal(terminal, item[1])
                if channel is Channel.JOURNAL
                else self.model.pulse(terminal, item[1])
            )
            if answer:
                self._client.publish(topic(terminal, Channel.ACK), answer, qos=1)


def readable(raw: list[Any]) -> Iterator[Event]:
    """Yield the events that can be read as what they say they are."""
    for each in raw:
        kind = KINDS.get(each.get("kind", "")) if isinstance(each, dict) else None
        if kind is None or not isinstance(each.get("at"), int) or each.get("amount", 0) < 0:
            continue
        known = {name: each[name] for name in kind.__dataclass_fields__ if name in each}
        try:
            yield kind(**known)
        except TypeError:
            continue


def judge_money(terminal: str, events: list[Event]) -> list[Found]:
    """Return the money incidents of a journal."""
    found: list[Found] = []
    names = {tx for event in events if isinstance(tx := getattr(event, "tx", None), str)}
    for tx in sorted(names):
        begins = next(i for i, event in enumerate(events) if getattr(event, "tx", None) == tx)
        course = story.course(terminal, "?", tx, events[begins:])
        found += [
            Found(rule=each.rule, terminal=terminal, tx=tx, cause=each.cause)
            for each in (money_expectations(course) if course else ())
        ]
    return found


def judge_devices(terminal: str, events: list[Event], hold_s: float) -> list[Found]:
    """Return the device incidents of a journal: bad for the hold time, up to its last event."""
    found: dict[str, Found] = {}
    since: dict[str, tuple[int, str | None]] = {}
    for event in [*events, *events[-1:]]:
        for device, (began, cause) in since.items():
            if event.at - began >= hold_s * 1000:
                found[device] = Found(
                    rule=RULES[device], terminal=terminal, device=device, cause=cause
                )
        if event.kind != "device_changed" or event.status in {"starting", "unknown"}:
            continue
        bad = event.status in BAD_STATUSES or event.paper in BAD_PAPER
        if not (bad or event.storage in BAD_STORAGE):
            since.pop(event.device, None)
        elif event.device in RULES:
            since.setdefault(event.device, (event.at, event.cause))
    return list(found.values())
