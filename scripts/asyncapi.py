"""Writes wire/asyncapi.yaml from the contract's classes; a test keeps the two equal."""

from pathlib import Path
from typing import Any, Final

import yaml
from pydantic import TypeAdapter

from wire.codec import encode, encode_batch, parse, plain
from wire.events import (
    KINDS,
    AgentStarted,
    CashAccepted,
    DeviceChanged,
    Event,
    Fiscal,
    JournalLost,
    PaymentResult,
    ReceiptResult,
    TransactionEnded,
    TransactionStarted,
)
from wire.journal import Ack, Batch, Refusal, digest, first_mark, mark_after
from wire.limits import BATCH_EVENTS_MAX
from wire.orders import Command, Reply
from wire.pulse import DeviceNow, Presence, Pulse
from wire.topics import PREFIX, Channel

TARGET: Final = Path(__file__).parent.parent / "wire" / "asyncapi.yaml"

DESCRIPTION: Final = """\
The contract between a terminal and the service, version 1.
Its prose, docs/contract.md, is normative; the two do not disagree.

Payloads are UTF-8 JSON objects, or zlib streams (RFC 1950) of such, up to 1 MiB inflated;
a receiver accepts both. A writer leaves out fields that have no value; a reader accepts
unknown kinds of events and unknown fields.

This file is written by scripts/asyncapi.py from the classes of wire/.
"""

CHANNELS: Final[tuple[tuple[Channel, str, str, tuple[str, ...]], ...]] = (
    (Channel.JOURNAL, "send", "A batch of journal events. QoS 1 (0 is allowed).", ("Batch",)),
    (Channel.ACK, "receive", "What the service has committed. QoS 0 or 1.", ("Ack", "Refusal")),
    (Channel.PULSE, "send", "How the terminal is now. QoS 0.", ("Pulse",)),
    (Channel.PRESENCE, "send", "Online, or (last will) offline. QoS 1, retained.", ("Presence",)),
    (Channel.COMMAND, "receive", "An order, signed. QoS 1.", ("Command",)),
    (Channel.REPLY, "send", "What became of an order. QoS 1.", ("Reply",)),
)
"""Channel, what the terminal does with it, what it carries."""


EPOCH: Final = 1763860000000
DIARY: Final[tuple[Event, ...]] = (
    AgentStarted(at=1763861000000, agent="1.0.0", cause="power_on"),
    DeviceChanged(at=1763861000900, device="receipt_printer", status="online", paper="low"),
    TransactionStarted(
        at=1763861001449, tx="2511230001", service="mobile", account="+79165550142"
    ),
    CashAccepted(
        at=1763861009120, tx="2511230001", amount=50_000, currency="RUB", media="note"
    ),
    PaymentResult(
        at=1763861013870, tx="2511230001", outcome="accepted", amount=48_500, fee=1_500,
        currency="RUB", reference="88120045",
    ),
    ReceiptResult(
        at=1763861016002, tx="2511230001", outcome="printed", number="004211",
        fiscal=Fiscal(fn="9960440300012345", fd="12044", fp="1250448795"),
    ),
    TransactionEnded(at=1763861017300, tx="2511230001", cause="completed"),
)  # fmt: skip
"""The first events of a journal: what a kiosk writes about its first customer."""


def examples() -> dict[str, list[Any]]:
    """Return example payloads by message; the batches continue each other and their acks fit."""
    lines = [encode(event) for event in DIARY]
    marks = [first_mark(EPOCH)]
    for line in lines:
        marks.append(mark_after(marks[-1], line))
    boot = "01JDF3Q0T0E5ZQ8RC4V9X2W7AB"

    def batch(first: int, last: int) -> Any:  # noqa: ANN401 - JSON
        head = Batch(epoch=EPOCH, first=first, prev=marks[first - 1], last=marks[last])
        return parse(encode_batch(head, lines[first - 1 : last]))

    lost = Batch(epoch=EPOCH, first=8, prev=marks[7], last=marks[7], lost_from=3)
    command = Command(
        id="01JDF3V7M1",
        at=EPOCH,
        expires=EPOCH + 300_000,
        order="report_now",
        args={},
        by="user:17",
        signature="base64 of 64 bytes",
    )
    return {
        "Batch": [batch(1, 2), batch(3, 7), parse(encode_batch(lost, []))],
        "Ack": [plain(Ack(epoch=EPOCH, next=n, mark=marks[n - 1])) for n in (1, 3, 8)],
        "Refusal": [plain(Refusal(refused="too_large", digest=digest(lines[0])))],
        "Pulse": [
            plain(Pulse(at=EPOCH + 1, epoch=EPOCH, next=8, unacked=0, boot=boot)),
            plain(
                Pulse(
                    at=EPOCH + 60_000, epoch=EPOCH, next=8, unacked=5, boot=boot, interval_s=30,
                    devices={"receipt_printer": DeviceNow(status="online", paper="low")},
                    notes=1, cash=50_000, currency="RUB", signal_dbm=-87,
                )
            ),
        ],
        "Presence": [plain(Presence(online=each, boot=boot)) for each in (True, False)],
        "Command": [plain(command)],
        "Reply": [plain(Reply(id="01JDF3V7M1", outcome="refused", text="expired"))],
    }  # fmt: skip


def document() -> dict[str, Any]:
    """Return the AsyncAPI 3.0 document of the contract."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Kvitok: terminal and service",
            "version": "1.0.0",
            "description": DESCRIPTION,
        },
        "defaultContentType": "application/json",
        "channels": {
            channel.value: _channel(channel, about, names) for channel, _, about, names in CHANNELS
        },
        "operations": {
            f"{action}_{channel.value}": {
                "action": action,
                "channel": {"$ref": f"#/channels/{channel.value}"},
            }
            for channel, action, _, _ in CHANNELS
        },
        "components": {
            "messages": {
                name: {
                    "payload": {"$ref": f"#/components/schemas/{name}"},
                    "examples": [{"payload": each} for each in payloads],
                }
                for name, payloads in examples().items()
            },
            "schemas": _schemas(),
        },
    }


def _channel(channel: Channel, about: str, names: tuple[str, ...]) -> dict[str, Any]:
    return {
        "address": f"{PREFIX}/{{terminal}}/{channel.value}",
        "description": about,
        "parameters": {
            "terminal": {"description": "1 to 32 characters of A-Z a-z 0-9 _ -, as printed on it."}
        },
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
    }


def _schemas() -> dict[str, Any]:
    schemas: dict[str, Any] = {}
    for kind in (Ack, Refusal, Pulse, Presence, Command, Reply, *KINDS.values(), JournalLost):
        _add(schemas, kind)
    schemas["Event"] = {
        "description": "One event; a kind that is not listed is stored and is no error.",
        "anyOf": [{"$ref": f"#/components/schemas/{kind.__name__}"} for kind in KINDS.values()],
    }
    _add(schemas, Batch)
    schemas["Batch"]["properties"]["events"] = {
        "type": "array",
        "maxItems": BATCH_EVENTS_MAX,
        "items": {"$ref": "#/components/schemas/Event"},
        "description": "events[i] has seq first + i; empty only beside lost_from.",
    }
    schemas["Batch"]["required"].append("events")
    return dict(sorted(schemas.items()))


def _add(schemas: dict[str, Any], kind: type[Any]) -> None:
    schema = TypeAdapter(kind).json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(schema.pop("$defs", {}))
    if kind in (*KINDS.values(), JournalLost):
        schema["required"] = ["kind", *schema["required"]]
    schemas[kind.__name__] = _without_titles(schema)


def _without_titles(schema: Any) -> Any:  # noqa: ANN401 - a JSON schema
    if isinstance(schema, dict):
        kept = {key: value for key, value in schema.items() if key != "title"}
        return {key: _without_titles(value) for key, value in kept.items()}
    return [_without_titles(each) for each in schema] if isinstance(schema, list) else schema


def text() -> str:
    """Return the document as it stands in the file."""
    return yaml.safe_dump(document(), allow_unicode=True, sort_keys=False, width=120)


if __name__ == "__main__":
    TARGET.write_text(text(), encoding="utf-8")
    print(f"written: {TARGET.name}")
