"""Printer models as data: what to ask, which bit means what, how to cut and present.

Adding a model is adding a `Profile` here, its row in docs/devices.md and its examples in the tests.
Sources: the manuals of Epson TM-T88III and TM-L60II, Citizen PPU-231II and PPU-700II, Custom
KPM-210, KPM150H, KPM300, VKP80II.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from agent.devices.escpos.status import Bit, Query, Sign


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A model: what it is asked, what its answers mean, and how a receipt is sent to it.

    `presenter`: every ticket is shown at its slot, so one that is not seen there is no receipt.
    `before` and `after` stand around the text; `release` frees the slot of a ticket nobody took;
    `cancel` makes it forget what it has not printed; `fence` is a request that is answered only
    when everything sent before it has been worked off.
    """

    name: str
    queries: Sequence[Query]
    presenter: bool
    codepages: Mapping[str, int]
    before: bytes = b"\x1b@"
    after: bytes
    release: bytes = b""
    cancel: bytes = b""
    fence: bytes = b""


def _dle_eot(n: int) -> bytes:
    return bytes((0x10, 0x04, n))


_PRINTER: Final = Query(_dle_eot(1), (Bit(0x08, Sign.OFFLINE),))
_OFFLINE_CAUSE: Final = Query(
    _dle_eot(2),
    (
        Bit(0x04, Sign.COVER_OPEN),
        Bit(0x20, Sign.PAPER_END),
        Bit(0x40, Sign.ERROR),
    ),
)
_ERROR_CAUSE: Final = Query(
    _dle_eot(3),
    (
        Bit(0x08, Sign.CUTTER),
        Bit(0x20, Sign.UNRECOVERABLE),
        Bit(0x40, Sign.OVERHEATED),  # "recovers by itself": the head's temperature
    ),
)
_ERROR_CAUSE_CITIZEN: Final = Query(
    _dle_eot(3),
    (*_ERROR_CAUSE.bits, Bit(0x04, Sign.ERROR)),  # black mark not found
)
_NEAR_END: Final = Bit(0x0C, Sign.NEAR_END)

_EPSON_CODEPAGES: Final = {"cp437": 0, "cp850": 2, "cp866": 17, "cp852": 18, "cp1252": 16}
_CITIZEN_CODEPAGES: Final = {"cp437": 0, "cp850": 2, "cp866": 7, "cp852": 18, "cp1252": 16}
_FEED_AND_CUT: Final = b"\x1dVB\x00"
_RECOVER: Final = b"\x10\x05\x02"
"""DLE ENQ 2: leave a recoverable error and drop what is in the buffers."""
_GS_R: Final = b"\x1dr\x01"
"""GS r 1: paper sensor status, answered in its turn, so after everything before it."""

_CUT_AND_PRESENT: Final = b"\x1bi\x1de\x03\x0c"
"""ESC i: total cut; GS e 3 n: show the ticket, 12 steps of it (VKP80II, KPM-210)."""
_EJECT: Final = b"\x1de\x05"
"""GS e 5: push the ticket out."""

_CUSTOM_STATUS: Final = Query(
    _dle_eot(0x14),
    (
        Bit(0x01, Sign.PAPER_END, byte=0),
        Bit(0x04, Sign.NEAR_END, byte=0),
        Bit(0x20, Sign.TICKET, byte=0),
        Bit(0x40, Sign.NEAR_END, byte=0),  # "virtual paper end": a counted length, paper is left
        Bit(0x03, Sign.COVER_OPEN, byte=1),  # head up, cover open
        Bit(0x01, Sign.OVERHEATED, byte=2),
        Bit(0x08, Sign.UNRECOVERABLE, byte=2),  # supply voltage
        Bit(0x40, Sign.PAPER_JAM, byte=2),
        Bit(0x80, Sign.ERROR, byte=2),  # notch not found
        Bit(0x03, Sign.CUTTER, byte=3),  # cutter, cutter cover
        Bit(0x0C, Sign.UNRECOVERABLE, byte=3),  # RAM, EEPROM
    ),
    head=b"\x10\x0f",
    answer_bytes=6,
)

_EPSON: Final = Profile(
    name="epson",
    queries=(
        _PRINTER,
        _OFFLINE_CAUSE,
        _ERROR_CAUSE,
        Query(_dle_eot(4), (_NEAR_END, Bit(0x60, Sign.PAPER_END))),
    ),
    presenter=False,
    codepages=_EPSON_CODEPAGES,
    after=_FEED_AND_CUT,
    cancel=_RECOVER,
    fence=_GS_R,
)

_CITIZEN_231: Final = Profile(
    name="citizen-ppu231",
    queries=(
        _PRINTER,
        _OFFLINE_CAUSE,
        _ERROR_CAUSE_CITIZEN,
        # Bit 6 set: *no* ticket at the presenter. On the PPU-700 it is the opposite.
        Query(
            _dle_eot(4),
            (_NEAR_END, Bit(0x20, Sign.PAPER_END), Bit(0x40, Sign.TICKET, clear=True)),
        ),
    ),
    presenter=True,
    codepages=_CITIZEN_CODEPAGES,
    after=_FEED_AND_CUT,
    cancel=_RECOVER,
    fence=_GS_R,
)

_CITIZEN_700: Final = Profile(
    name="citizen-ppu700",
    queries=(
        _PRINTER,
        _OFFLINE_CAUSE,
        _ERROR_CAUSE_CITIZEN,
        Query(_dle_eot(4), (_NEAR_END, Bit(0x20, Sign.PAPER_END), Bit(0x40, Sign.TICKET))),
        # The manual names what the two answers tell, in this order, and not the bits: they are
        # taken as the free bits 2, 3, 5 in turn.
        Query(
            _dle_eot(5),
            (
                Bit(0x04, Sign.COVER_OPEN),
                Bit(0x08, Sign.OVERHEATED),
                Bit(0x20, Sign.UNRECOVERABLE),
            ),
            optional=True,
        ),
        Query(
            _dle_eot(6),
            (
                Bit(0x04, Sign.UNRECOVERABLE),
                Bit(0x08, Sign.PAPER_JAM),
                Bit(0x20, Sign.UNRECOVERABLE),
            ),
            optional=True,
        ),
    ),
    presenter=True,
    codepages=_CITIZEN_CODEPAGES,
    after=_FEED_AND_CUT,
    cancel=_RECOVER,
    fence=_GS_R,
)

_CUSTOM_VKP80: Final = Profile(
    name="custom-vkp80",
    queries=(_CUSTOM_STATUS,),
    presenter=True,
    codepages=_EPSON_CODEPAGES,
    after=_CUT_AND_PRESENT,
    release=_EJECT,
)

_CUSTOM_KPM: Final = Profile(
    name="custom-kpm",
    queries=(_CUSTOM_STATUS,),
    presenter=False,  # the KPM-210 has one, the KPM150H has not: the settings say so
    codepages=_EPSON_CODEPAGES,
    after=_CUT_AND_PRESENT,
    release=_EJECT,
)

PROFILES: Final[dict[str, Profile]] = {
    profile.name: profile
    for profile in (_EPSON, _CITIZEN_231, _CITIZEN_700, _CUSTOM_VKP80, _CUSTOM_KPM)
}
"""Every model by its name in the settings."""
