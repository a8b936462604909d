"""Unix milliseconds and aware datetimes."""

from datetime import UTC, datetime, timedelta
from typing import Final

from incidents.findings import Ms

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MS: Final = timedelta(milliseconds=1)
_LAST: Final = 253_370_764_800_000


def instant(at: Ms) -> datetime:
    """Return the moment as an aware datetime in UTC, within the years 1970 to 9999."""
    return _EPOCH + min(max(at, 0), _LAST) * _MS


def ms(moment: datetime) -> Ms:
    """Return the moment in Unix milliseconds, cut."""
    return (moment - _EPOCH) // _MS
