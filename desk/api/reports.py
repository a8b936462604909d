"""Reports: taken by mail, phone or form, kept sealed, and what was understood of them."""

from typing import Annotated, Final, Self

import orjson
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator

from desk.api import API
from desk.api.asking import Asker, DeskNow, described, json_body, media_type
from desk.api.problems import Problem, not_found, unprocessable
from desk.queries.database import INTEGER_MAX, storable
from desk.queries.reports import Report, read_report, report_number, topic_of
from desk.reports.deciding import none_by_person, release_by_person
from desk.reports.taking import (
    NewReport,
    attach_by_person,
    detach_by_person,
    mailed,
    take,
    try_to_match,
)
from desk.reports.written import WRITTEN, WrittenReport
from desk.state import Desk
from incidents.actions import Refused
from incidents.matching.link import Link

router = APIRouter(prefix=API, tags=["reports"])

_MAIL: Final = "message/rfc822"


class WantedTransaction(BaseModel):
    """The transaction that a person says a report is about; without it: only its terminal."""

    model_config = ConfigDict(frozen=True)

    terminal: Annotated[str, Field(max_length=64)]
    epoch: Annotated[int, Field(ge=0, le=INTEGER_MAX, strict=True)] | None = None
    tx: Annotated[str, Field(max_length=200)] | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.epoch is None) != (self.tx is None):
            raise ValueError("epoch and tx belong together")
        return self


_WANTED: Final = TypeAdapter(WantedTransaction)
_NO_TERMINAL: Final = ("terminal", "there is no such terminal")
_NO_TRANSACTION: Final = ("tx", "there is no such transaction")


@router.post(
    "/reports",
    status_code=201,
    responses={200: {"model": Report, "description": "This mail came before; its report."}},
    openapi_extra=described(WRITTEN, **{_MAIL: {"schema": {"type": "string"}}}),
)
async def receive(request: Request, response: Response, desk: DeskNow) -> Report:
    """Take a report, as JSON or as a raw mail, and return its row; a mail is taken once."""
    kind = media_type(request)
    if kind == _MAIL:
        report = _mail(await request.body(), desk)
    elif kind == "application/json":
        report = _written(await json_body(request, WRITTEN), desk)
    else:
        raise Problem(415, f"A report is application/json or {_MAIL}.")
    kept = await take(desk, report)
    response.status_code = 201 if kept.is_new else 200
    return await _row(desk, kept.report)


@router.get("/reports/{report}")
async def show(desk: DeskNow, report: str) -> Report:
    """Return what was understood of a report."""
    return await _row(desk, _number(report))


@router.post("/reports/{report}/match")
async def match_again(desk: DeskNow, report: str) -> Report:
    """Read and match a report anew; what a person has decided stays."""
    number = _number(report)
    await _row(desk, number)
    if not await try_to_match(desk, number):
        raise Problem(500, "The report could not be matched; the desk's log says where.")
    return await _row(desk, number)


@router.post("/reports/{report}/attach", responses={409: {}}, openapi_extra=described(_WANTED))
async def attach(request: Request, desk: DeskNow, asker: Asker, report: str) -> Report:
    """Join a report to the case of a transaction, by a person's word.

    With `terminal` alone: money went in there, and no transaction is known.
    """
    wanted = await json_body(request, _WANTED)
    number = _number(report)
    row = await _row(desk, number)
    missing = unprocessable(*_NO_TERMINAL if wanted.tx is None else _NO_TRANSACTION)
    if not storable(wanted.terminal, wanted.tx):
        raise missing
    link = Link(
        report=number,
        terminal=wanted.terminal,
        epoch=wanted.epoch,
        tx=wanted.tx,
        by="person",
        topic=topic_of(row),
    )
    answer = await attach_by_person(desk, link, asker.name)
    if isinstance(answer, Refused) and answer.reason == "no_transaction":
        raise missing
    _allow(answer)
    return await _row(desk, number)


@router.delete("/reports/{report}/attachment", responses={409: {}})
async def detach(desk: DeskNow, asker: Asker, report: str) -> Report:
    """Part a report from its case; it is never attached by itself again."""
    number = _number(report)
    _allow(await detach_by_person(desk, number, asker.name))
    return await _row(desk, number)


@router.post("/reports/{report}/none", responses={409: {}})
async def none(desk: DeskNow, asker: Asker, report: str) -> Report:
    """Say that a report is about none of its candidates; later matches only suggest.

    To attach it takes that back. One that is attached has to be parted from its case first.
    """
    number = _number(report)
    _allow(await none_by_person(desk, number, asker.name))
    return await _row(desk, number)


@router.post("/reports/{report}/release", responses={409: {}})
async def release(desk: DeskNow, asker: Asker, report: str) -> Report:
    """Say that a customer wrote a suspended report: it is matched, and never suspended again."""
    number = _number(report)
    _allow(await release_by_person(desk, number, asker.name))
    return await _row(desk, number)


def _allow(answer: object) -> None:
    if not isinstance(answer, Refused):
        return
    if answer.reason == "unknown":
        raise not_found("report")
    raise Problem(409, f"{answer.text[:1].upper()}{answer.text[1:]}.")


def _number(report: str) -> int:
    number = report_number(report)
    if number is None:
        raise not_found("report")
    return number


async def _row(desk: Desk, report: int) -> Report:
    row = await read_report(desk.database, report)
    if row is None:
        raise not_found("report")
    return row


def _written(written: WrittenReport, desk: Desk) -> NewReport:
    content = orjson.dumps(written.model_dump(mode="json", exclude_none=True))
    return NewReport(
        channel=written.channel,
        content=content,
        received_at=desk.now(),
        reported_at=written.reported_at,
    )


def _mail(raw: bytes, desk: Desk) -> NewReport:
    if not raw.strip():
        raise Problem(422, "The mail is empty.", errors=[{"loc": ["body"], "msg": "empty"}])
    return mailed(raw, desk.now())
