"""A case's page: what it is about, its incidents, its conversation, and its history."""

from fastapi import APIRouter
from starlette.datastructures import URL
from starlette.responses import RedirectResponse, Response

from desk.api.asking import DeskNow
from desk.api.problems import not_found
from desk.pages.conversation import conversation
from desk.pages.reader import Reading
from desk.queries.cases import Case, read_case
from desk.queries.incidents import incidents_of_case
from desk.queries.reports import reports_of_case
from desk.queries.terminals import read_terminal
from desk.queries.transactions import Transaction, read_transaction
from desk.registration import TIMEZONE_DEFAULT
from desk.state import Desk

router = APIRouter()


@router.get("/cases/{number}")
async def page(desk: DeskNow, reading: Reading, number: str, merged: str = "") -> Response:
    """Show a case; one that another goes on with leads there (`merged`: where it came from)."""
    case = await read_case(desk.database, number)
    if case is None:
        raise not_found("case")
    if case.merged_into is not None:
        there = URL(f"/cases/{case.merged_into}").include_query_params(merged=case.number)
        return RedirectResponse(there, 303)
    before = await read_case(desk.database, merged) if merged else None
    terminal = None if case.terminal is None else await read_terminal(desk.database, case.terminal)
    reports = await reports_of_case(desk.database, case.number)
    values = {
        "case": case,
        "terminal": terminal,
        "zone": terminal.timezone if terminal else TIMEZONE_DEFAULT,
        "transaction": await _transaction(desk, case),
        "reports": reports,
        "letters": await conversation(desk, case, reports),
        "merged": None if before is None or before.merged_into != case.number else before.number,
        "incidents": await incidents_of_case(desk.database, case.number),
    }
    return reading.view.page("case.html", values)


async def _transaction(desk: Desk, case: Case) -> Transaction | None:
    if case.terminal is None or case.epoch is None or case.tx is None:
        return None
    return await read_transaction(
        desk.database, terminal=case.terminal, epoch=case.epoch, tx=case.tx
    )
