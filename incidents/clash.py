"""Two journals under one number: what the collector counted, judged."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from incidents.findings import IDENTITY_CLASH, Finding
from incidents.thresholds import Thresholds
from incidents.times import ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Clash:
    """A row of `journal_clash`."""

    epoch: int
    evidence: Literal["fork", "old_epoch"]
    seq: int
    first_at: datetime
    previous_at: datetime | None
    last_at: datetime


def judge(
    clashes: Iterable[Clash], *, cleared_at: datetime | None, numbers: Thresholds
) -> Finding | None:
    """Return the clash that holds after a person last cleared one, if any.

    A fork is one at once; a smaller epoch when it has moved twice within the window.
    """
    window = timedelta(seconds=numbers.clash_window_s)
    holding = []
    for one in clashes:
        if cleared_at is not None and one.last_at <= cleared_at:
            continue
        if one.evidence == "old_epoch":
            before = one.previous_at
            if before is None or one.last_at - before > window:
                continue
            if cleared_at is not None and before <= cleared_at:
                continue
        first = one.first_at if cleared_at is None else one.last_at
        holding.append((first, one))
    if not holding:
        return None
    since, worst = min(holding, key=lambda pair: (pair[0], pair[1].evidence))
    return Finding(
        rule=IDENTITY_CLASH,
        epoch=None,
        subject=None,
        cause=worst.evidence,
        severity="critical",
        opened_at=ms(since),
        cleared_at=None,
        times=1,
        proof=tuple((one.epoch, one.seq) for _, one in holding),
        counted=True,
    )
