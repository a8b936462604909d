"""How a terminal is, in one word, for people."""

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

from incidents.findings import ACCEPTOR_UNAVAILABLE, PRINTER_UNAVAILABLE, TERMINAL_SILENT
from incidents.rules.devices import RULE_OF, badness

Health = Literal["ok", "attention", "down", "silent", "unknown"]
DeviceNow = tuple[str, str | None, str | None, str | None]
"""Device, status, paper, storage."""


def health(
    open_rules: Iterable[str],
    *,
    heard_at: datetime | None,
    devices: Iterable[DeviceNow] = (),
) -> Health:
    """Return the health of a terminal from its open incidents, last hearing and devices now.

    `devices`: by the journal, or by the pulse where that is newer. A device that is bad but not
    yet for its hold time needs attention.
    """
    rules = set(open_rules)
    if heard_at is None:
        return "unknown"
    if TERMINAL_SILENT in rules:
        return "silent"
    if rules & {PRINTER_UNAVAILABLE, ACCEPTOR_UNAVAILABLE}:
        return "down"
    bad = any(
        device in RULE_OF and badness(status, paper, storage)
        for device, status, paper, storage in devices
    )
    return "attention" if rules or bad else "ok"
