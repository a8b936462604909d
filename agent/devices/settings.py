"""The `[[device]]` tables of agent.toml, and the machines they describe."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from agent.devices.ccnet.machine import NoteAcceptor
from agent.devices.ccnet.orders import ADDRESS_BILL_VALIDATOR
from agent.devices.ccnet.passage import Memory
from agent.devices.escpos.machine import ReceiptPrinter
from agent.devices.escpos.profiles import PROFILES
from agent.devices.line import Attached

BAUDS: Final = (1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200)
NAMES: Final = {"ccnet": "note_acceptor", "escpos": "receipt_printer"}
"""Kind → the name that the device's outputs and orders go under; one device of a kind."""


class DeviceSettingsWrong(Exception):  # noqa: N818 - it names what is
    """A `[[device]]` table cannot be understood; the text says which key and what would do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteAcceptorSettings:
    """A CCNET bill validator; `accept` lists amounts in minor units, empty for all."""

    port: str
    baud: int = 9600
    address: int = ADDRESS_BILL_VALIDATOR
    currency: str = "RUB"
    accept: tuple[int, ...] = ()
    kind: Literal["ccnet"] = "ccnet"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptPrinterSettings:
    """An ESC/POS printer; `codepage` and `presenter` overrule the profile."""

    port: str
    baud: int = 19200
    profile: str = "epson"
    encoding: str = "cp866"
    codepage: int | None = None
    presenter: bool | None = None
    watch_only: bool = False
    kind: Literal["escpos"] = "escpos"


DeviceSettings = NoteAcceptorSettings | ReceiptPrinterSettings

_BYTE_MAX: Final = 255
_CURRENCY: Final = re.compile("[A-Z]{3}")

_KINDS: Final[dict[str, type[DeviceSettings]]] = {
    "ccnet": NoteAcceptorSettings,
    "escpos": ReceiptPrinterSettings,
}
_TYPES: Final[dict[str, type]] = {
    "kind": str,
    "port": str,
    "baud": int,
    "address": int,
    "currency": str,
    "profile": str,
    "encoding": str,
    "codepage": int,
    "presenter": bool,
    "watch_only": bool,
}


def read_devices(tables: Sequence[Mapping[str, Any]]) -> tuple[DeviceSettings, ...]:
    """Return the devices that the tables describe.

    Raises:
        DeviceSettingsWrong: a table is wrong; its number, key and what would do are in the text.
    """
    devices = tuple(_read(number, table) for number, table in enumerate(tables, start=1))
    for kind in _KINDS:
        if sum(each.kind == kind for each in devices) > 1:
            raise DeviceSettingsWrong(f"two devices of kind {kind!r}: a terminal has one of each")
    ports = [each.port for each in devices]
    if len(set(ports)) < len(ports):
        raise DeviceSettingsWrong("two devices on one port")
    return devices


def attach(
    devices: Sequence[DeviceSettings], *, memory: Memory = "unknown"
) -> tuple[Attached, ...]:
    """Return the devices' machines on their ports; `memory` as in `agent.devices.ccnet.passage`."""
    return tuple(_attach(each, memory) for each in devices)


def _attach(device: DeviceSettings, memory: Memory) -> Attached:
    machine: NoteAcceptor | ReceiptPrinter
    if isinstance(device, NoteAcceptorSettings):
        machine = NoteAcceptor(
            currency=device.currency,
            address=device.address,
            accept=frozenset(device.accept) or None,
            memory=memory,
        )
    else:
        machine = ReceiptPrinter(
            PROFILES[device.profile],
            encoding=device.encoding,
            codepage=device.codepage,
            presenter=device.presenter,
            watch_only=device.watch_only,
            baud=device.baud,
        )
    return Attached(NAMES[device.kind], machine, device.port, device.baud)


def _read(number: int, table: Mapping[str, Any]) -> DeviceSettings:
    def wrong(key: str, want: str) -> DeviceSettingsWrong:
        return DeviceSettingsWrong(f"[[device]] {number}: {key}: {want}")

    kind = _KINDS.get(str(table.get("kind")))
    if kind is None:
        raise wrong("kind", f"one of {', '.join(_KINDS)}")
    known = kind.__dataclass_fields__
    for key, value in table.items():
        if key not in known:
            raise wrong(key, f"no such key; there are {', '.join(sorted(known))}")
        if key == "accept":
            if not isinstance(value, list) or not all(type(each) is int for each in value):
                raise wrong(key, "a list of amounts in minor units")
        elif type(value) is not _TYPES[key]:
            raise wrong(key, f"must be of type {_TYPES[key].__name__}")
    if not table.get("port"):
        raise wrong("port", "the path of the serial port, for example /dev/ttyUSB0")
    values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in table.items()}
    device = kind(**values)
    problem = _problem(device)
    if problem is not None:
        raise wrong(*problem)
    return device


def _problem(device: DeviceSettings) -> tuple[str, str] | None:
    """Return the key whose value cannot be, and what would do."""
    if device.baud not in BAUDS:
        return "baud", f"one of {', '.join(map(str, BAUDS))}"
    if isinstance(device, NoteAcceptorSettings):
        return _acceptor_problem(device)
    return _printer_problem(device)


def _acceptor_problem(device: NoteAcceptorSettings) -> tuple[str, str] | None:
    if not 1 <= device.address <= _BYTE_MAX:
        return "address", "1 to 255; a bill validator has 3"
    if not _CURRENCY.fullmatch(device.currency):
        return "currency", "three capital letters, for example RUB"
    return None


def _printer_problem(device: ReceiptPrinterSettings) -> tuple[str, str] | None:
    if device.profile not in PROFILES:
        return "profile", f"one of {', '.join(PROFILES)}"
    try:
        "я".encode(device.encoding, "replace")
    except (LookupError, ValueError):
        return "encoding", "a code page that Python knows, for example cp866"
    if device.codepage is not None and not 0 <= device.codepage <= _BYTE_MAX:
        return "codepage", "0 to 255"
    return None
