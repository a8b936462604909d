"""A case's page: what it is about, its incidents, and its history."""

from fastapi import APIRouter
from starlette.responses import Response

from desk.api.asking import DeskNow
from desk.api.problems import not_found
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
async def page(desk: DeskNow, reading: Reading, number: str) -> Response:
    """Show a case."""
    case = await read_case(desk.database, number)
    if case is None:
        raise not_found("case")
    terminal = await read_terminal(desk.database, case.terminal)
    values = {
        "case": case,
        "terminal": terminal,
        "zone": terminal.timezone if terminal else TIMEZONE_DEFAULT,
        "transaction": await _transaction(desk, case),
        "reports": await reports_of_case(desk.database, case.number),
        "more": None,
        "incidents": await incidents_of_case(desk.database, case.number),
    }
    return reading.view.page("case.html", values)


async def _transaction(desk: Desk, case: Case) -> Transaction | None:
    if case.epoch is None or case.tx is None:
        return None
    return await read_transaction(
        desk.database, terminal=case.terminal, epoch=case.epoch, tx=case.tx
    )
