"""`[[device]]` tables: what they become, and how a wrong one is told."""

from typing import Any

import pytest

from agent.devices.ccnet.machine import NoteAcceptor
from agent.devices.escpos.machine import ReceiptPrinter
from agent.devices.settings import (
    DeviceSettingsWrong,
    NoteAcceptorSettings,
    ReceiptPrinterSettings,
    attach,
    read_devices,
)

CCNET = {"kind": "ccnet", "port": "/dev/ttyS0"}
ESCPOS = {"kind": "escpos", "port": "/dev/ttyS1"}


def test_tables_become_settings_with_defaults() -> None:
    """Kind and port are all that must be said."""
    assert read_devices([CCNET, ESCPOS]) == (
        NoteAcceptorSettings(port="/dev/ttyS0"),
        ReceiptPrinterSettings(port="/dev/ttyS1"),
    )


def test_every_key_is_taken() -> None:
    """What is said wins over the default."""
    tables: list[dict[str, Any]] = [
        CCNET | {"baud": 19200, "address": 1, "currency": "KZT", "accept": [50_000, 100_000]},
        ESCPOS
        | {"baud": 9600, "profile": "custom-kpm", "encoding": "cp437", "codepage": 0,
           "presenter": True, "watch_only": True},
    ]  # fmt: skip
    acceptor, printer = read_devices(tables)
    assert isinstance(acceptor, NoteAcceptorSettings)
    assert acceptor.accept == (50_000, 100_000)
    assert isinstance(printer, ReceiptPrinterSettings)
    assert (printer.profile, printer.presenter, printer.watch_only) == ("custom-kpm", True, True)


def test_settings_become_machines_on_their_ports() -> None:
    """Each under the name that its outputs and orders go by."""
    acceptor, printer = attach(read_devices([CCNET, ESCPOS]), memory="settled")
    assert (acceptor.name, acceptor.port, acceptor.baud) == ("note_acceptor", "/dev/ttyS0", 9600)
    assert isinstance(acceptor.machine, NoteAcceptor)
    assert (printer.name, printer.baud) == ("receipt_printer", 19200)
    assert isinstance(printer.machine, ReceiptPrinter)


WRONG = [
    ([{"port": "x"}], "kind"),
    ([{"kind": "fax", "port": "x"}], "kind"),
    ([{"kind": "ccnet"}], "port"),
    ([{"kind": "ccnet", "port": ""}], "port"),
    ([CCNET | {"speed": 9600}], "speed"),
    ([CCNET | {"baud": "9600"}], "baud"),
    ([CCNET | {"baud": True}], "baud"),
    ([CCNET | {"baud": 9601}], "baud"),
    ([CCNET | {"address": 0}], "address"),
    ([CCNET | {"currency": "rub"}], "currency"),
    ([CCNET | {"accept": 100}], "accept"),
    ([CCNET | {"accept": ["100"]}], "accept"),
    ([CCNET | {"profile": "epson"}], "profile"),
    ([ESCPOS | {"profile": "oki"}], "profile"),
    ([ESCPOS | {"encoding": "cp99999"}], "encoding"),
    ([ESCPOS | {"codepage": 256}], "codepage"),
    ([CCNET, CCNET | {"port": "y"}], "two devices of kind"),
    ([CCNET, ESCPOS | {"port": "/dev/ttyS0"}], "one port"),
]


@pytest.mark.parametrize(("tables", "word"), WRONG)
def test_a_wrong_table_is_told_by_its_key(tables: list[dict[str, Any]], word: str) -> None:
    """The text names table, key, and what would do."""
    with pytest.raises(DeviceSettingsWrong, match=word):
        read_devices(tables)
