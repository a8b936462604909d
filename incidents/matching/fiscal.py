"""The QR code of a Russian fiscal receipt: as text of its own, pasted in a mail, or printed."""

import re
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from incidents.matching.passage import Fact
from incidents.matching.words import Sheet

_KEYED: Final = re.compile(
    r"(?:\b(?:t|s|fn|i|fp|n) ?= ?(?:[0-9][0-9t.,:-]{0,24})[ \n]{0,2}[&;,]?[ \n]{0,2}){3,8}"
)
_PAIR: Final = re.compile(r"\b(t|s|fn|i|fp|n) ?= ?([0-9][0-9t.,:-]{0,24})")
_PRINTED: Final = re.compile(
    r"\bфн[ :№n]{0,5}([0-9]{12,16})\b.{1,40}?\bфд[ :№n]{0,5}([0-9]{1,10})\b.{1,40}?"
    r"\bфпд?[ :№n]{0,5}([0-9]{6,10})\b",
    re.DOTALL,
)
_TIME: Final = re.compile(r"([0-9]{8})t([0-9]{4})([0-9]{2})?$")
_SUM: Final = re.compile(r"([0-9]{1,9})(?:[.,]([0-9]{2}))?$")


def read_fiscal(sheet: Sheet) -> list[Fact]:
    """Take fiscal keys off the sheet; a key needs the storage, document and sign numbers."""
    facts = []
    for found in _KEYED.finditer(sheet.left):
        keys = {key: value.rstrip(".,:-t") for key, value in _PAIR.findall(found[0])}
        if not keys.keys() >= {"fn", "i", "fp"}:
            continue
        end = found.end() - (len(found[0]) - len(found[0].rstrip(" \n&;,")))
        facts.append(sheet.fact("fiscal", _value(keys), (found.start(), end), 0.98))
        sheet.take(found.start(), end)
    for found in _PRINTED.finditer(sheet.left):
        keys = {"fn": found[1], "i": found[2], "fp": found[3]}
        facts.append(sheet.fact("fiscal", _value(keys), found.span(), 0.9))
        sheet.take(*found.span())
    return facts


def _value(keys: dict[str, str]) -> dict[str, str]:
    value: dict[str, str] = {
        key: keys[key] for key in ("t", "s", "fn", "i", "fp", "n") if key in keys
    }
    for key in ("i", "fp"):
        value[key] = value[key].lstrip("0") or "0"
    if "t" in value:
        value["t"] = value["t"].upper()
    return value


def fiscal_moment(value: dict[str, str], zone: ZoneInfo) -> datetime | None:
    """Return when the receipt says it was made: the terminal's local time, ± 5 minutes."""
    found = _TIME.match(value.get("t", "").lower())
    if not found:
        return None
    try:
        return datetime.strptime(f"{found[1]}{found[2]}{found[3] or '00'}", "%Y%m%d%H%M%S").replace(
            tzinfo=zone
        )
    except ValueError:
        return None


def fiscal_minor(value: dict[str, str]) -> int | None:
    """Return the receipt's sum in kopecks."""
    found = _SUM.match(value.get("s", ""))
    return int(found[1]) * 100 + int(found[2] or 0) if found else None
