"""A transaction as a report is weighed against it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Final
from zoneinfo import ZoneInfo

from incidents.matching.claims import READ_IN, plain

LASTS_MAX: Final = timedelta(minutes=15)
LASTS_USUALLY: Final = timedelta(minutes=3)


@dataclass(frozen=True, kw_only=True)
class Payment:
    """A transaction that a report may be about."""

    terminal: str
    epoch: int
    tx: str
    started_at: datetime
    ended_at: datetime | None = None
    service: str | None = None
    service_name: str | None = None
    account_masked: str | None = None
    account_hash: str | None = None
    accepted: int = 0
    returned: int = 0
    currency: str | None = None
    payment: str | None = None
    payment_amount: int | None = None
    payment_fee: int | None = None
    payment_reference: str | None = None
    receipt: str | None = None
    receipt_number: str | None = None
    fiscal: Mapping[str, str] | None = None
    incidents: frozenset[str] = frozenset()
    """Money rules that have found something in it."""
    zone: ZoneInfo = READ_IN

    @property
    def key(self) -> tuple[str, int, str]:
        """Return what names it."""
        return self.terminal, self.epoch, self.tx

    @property
    def over_at(self) -> datetime:
        """Return when the customer left it, as far as is known."""
        end = self.ended_at or self.started_at + LASTS_USUALLY
        return max(self.started_at, min(end, self.started_at + LASTS_MAX))

    @cached_property
    def numbers(self) -> Mapping[str, frozenset[str]]:
        """Return the numbers on its receipt, by who gave them."""
        fiscal = self.fiscal or {}
        ours = {plain(self.receipt_number), plain(fiscal.get("fd")), plain(self.tx)}
        theirs = {plain(self.payment_reference), plain(self.tx), plain(self.receipt_number)}
        return {"receipt": frozenset(ours - {""}), "operation": frozenset(theirs - {""})}
