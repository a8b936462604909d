"""The published contract, the prose and the code say the same."""

import re
import runpy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from pydantic import TypeAdapter

from collector.reading import Readable, read_batch
from wire import codec
from wire.events import KINDS
from wire.journal import Ack, Batch
from wire.pulse import Presence, Pulse
from wire.topics import Channel

ROOT = Path(__file__).parents[3]
PROSE = (ROOT / "docs" / "contract.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```json\n(.*?)```", PROSE, flags=re.DOTALL)


def asyncapi() -> dict[str, Any]:
    """Return the published contract."""
    loaded = yaml.safe_load((ROOT / "wire" / "asyncapi.yaml").read_text(encoding="utf-8"))
    assert isinstance(loaded, dict)
    return loaded


def test_asyncapi_file_is_what_the_classes_say() -> None:
    """wire/asyncapi.yaml equals what scripts/asyncapi.py makes of the classes."""
    made = runpy.run_path(str(ROOT / "scripts" / "asyncapi.py"))["text"]()
    assert made == (ROOT / "wire" / "asyncapi.yaml").read_text(encoding="utf-8")


def test_asyncapi_has_every_channel_and_every_event() -> None:
    """No channel and no kind of event is missing from the published contract."""
    document = asyncapi()
    assert set(document["channels"]) == {channel.value for channel in Channel}
    schemas = document["components"]["schemas"]
    kinds = {
        each["properties"]["kind"]["const"]
        for each in schemas.values()
        if "kind" in each.get("properties", {})
    }
    assert kinds == set(KINDS) | {"journal_lost"}


def test_every_kind_is_in_the_prose() -> None:
    """docs/contract.md names every kind, and every field of it that a writer must send."""
    for kind, shape in KINDS.items():
        assert f"`{kind}`" in PROSE or f'"kind": "{kind}"' in PROSE, (kind, shape)


@pytest.mark.parametrize(
    ("index", "shape", "schema"),
    [(0, Batch, "Batch"), (1, Ack, "Ack"), (2, Pulse, "Pulse")],
)
def test_examples_of_the_prose_are_read(index: int, shape: type[Any], schema: str) -> None:
    """The examples of docs/contract.md pass the real codec, the classes and the schema."""
    payload = EXAMPLES[index].strip().encode("utf-8")
    value = codec.read(payload)
    assert not isinstance(value, codec.PayloadRefused)
    value.pop("events", None)
    TypeAdapter(shape).validate_json(codec.encode(value), strict=True)
    if schema != "Batch":
        document = asyncapi()
        root = {**document["components"]["schemas"][schema], "components": document["components"]}
        jsonschema.validate(value, root)


@pytest.mark.parametrize("name", sorted(asyncapi()["components"]["messages"]))
def test_examples_of_the_document_are_read(name: str) -> None:
    """Every example of the published contract passes the real codec and its own schema."""
    components = asyncapi()["components"]
    root = {**components["schemas"][name], "components": components}
    for example in components["messages"][name]["examples"]:
        value = codec.read(codec.encode(example["payload"]))
        assert value == example["payload"]
        jsonschema.validate(value, root)


def test_batches_of_the_document_are_stored() -> None:
    """The collector reads each example batch whole and quarantines nothing of it."""
    for example in asyncapi()["components"]["messages"]["Batch"]["examples"]:
        payload = codec.encode(example["payload"])
        found = read_batch(payload, datetime(2025, 11, 23, 12, tzinfo=UTC), b"key")
        assert isinstance(found, Readable)
        assert len(found.rows) == len(example["payload"]["events"])
        assert found.quarantined == []


def test_presence_of_the_prose_is_read() -> None:
    """Both presence messages of the prose are read."""
    for text in re.findall(r'`(\{"online": .*?\})`', PROSE):
        value = TypeAdapter(Presence).validate_json(text, strict=True)
        assert isinstance(value, Presence)
