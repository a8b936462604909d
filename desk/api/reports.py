"""Reports: taken by mail, phone or form, kept sealed, and what was understood of them."""

from datetime import datetime
from email.parser import BytesHeaderParser
from email.policy import default as modern
from email.utils import parsedate_to_datetime
from typing import Annotated, Final, Literal

import orjson
from fastapi import APIRouter, Request
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter

from desk.api import API
from desk.api.asking import DeskNow, described, json_body, media_type
from desk.api.problems import Problem, not_found
from desk.metrics import REPORTS
from desk.queries.reports import Report, SealedReport, read_report, store_report
from desk.state import Desk
from desk.times import ALWAYS, FOREVER
from desk.times import read as read_time

router = APIRouter(prefix=API, tags=["reports"])


def _time(value: object) -> object:
    moment = read_time(value) if isinstance(value, str) else None
    if moment is None:
        raise ValueError("not an RFC 3339 time such as 2026-11-23T04:52:00Z")
    return moment


Time = Annotated[datetime, BeforeValidator(_time)]


_MINOR_MAX: Final = 2**53
"""Money's bound in the contract."""


class WrittenReport(BaseModel):
    """A report that somebody typed in: an operator on the phone, or the customer's form."""

    model_config = ConfigDict(frozen=True)

    channel: Literal["phone", "form"]
    text: Annotated[str, Field(max_length=100_000)]
    reported_at: Time
    email: Annotated[str, Field(max_length=320)] | None = None
    account: Annotated[str, Field(max_length=100)] | None = None
    terminal: Annotated[str, Field(max_length=64)] | None = None
    amount: Annotated[int, Field(ge=0, le=_MINOR_MAX, strict=True)] | None = None
    paid_at: Time | None = None


_WRITTEN: Final = TypeAdapter(WrittenReport)
_MAIL: Final = "message/rfc822"


@router.post(
    "/reports",
    status_code=201,
    openapi_extra=described(_WRITTEN, **{_MAIL: {"schema": {"type": "string"}}}),
)
async def take(request: Request, desk: DeskNow) -> Report:
    """Take a report, as JSON or as a raw mail, and return its row."""
    kind = media_type(request)
    if kind == _MAIL:
        report = _mail(await request.body(), desk)
    elif kind == "application/json":
        report = _written(await json_body(request, _WRITTEN), desk)
    else:
        raise Problem(415, f"A report is application/json or {_MAIL}.")
    REPORTS.labels(report.channel).inc()
    return await store_report(desk.database, report)


@router.get("/reports/{report}")
async def show(desk: DeskNow, report: str) -> Report:
    """Return what was understood of a report."""
    row = await read_report(desk.database, report)
    if row is None:
        raise not_found("report")
    return row


def _written(written: WrittenReport, desk: Desk) -> SealedReport:
    content = orjson.dumps(written.model_dump(mode="json", exclude_none=True))
    return SealedReport(written.channel, desk.now(), written.reported_at, desk.seal.seal(content))


def _mail(raw: bytes, desk: Desk) -> SealedReport:
    if not raw.strip():
        raise Problem(422, "The mail is empty.", errors=[{"loc": ["body"], "msg": "empty"}])
    return SealedReport("mail", desk.now(), _sent_at(raw), desk.seal.seal(raw))


def _sent_at(raw: bytes) -> datetime | None:
    """Return when a mail says it was written; a mail without a readable date has none."""
    header = BytesHeaderParser(policy=modern).parsebytes(raw[:_HEADER_MAX])
    try:
        # To look a date up is to parse it: already that fails for a year beyond every calendar.
        text = header.get("Date")
        moment = parsedate_to_datetime(str(text)) if text else None
    except (ValueError, TypeError, OverflowError):
        return None
    if moment is None or moment.tzinfo is None:
        return None
    return moment if ALWAYS <= moment <= FOREVER else None


_HEADER_MAX: Final = 262_144
