"""What staff see in a browser: one module a page, over the same queries as the API."""

from typing import Final

from fastapi import APIRouter

from desk.pages import case, cases, customer, login, report, report_file, reports, search, terminal
from desk.pages.reader import LoginNeeded, know_reader, to_login
from desk.pages.view import error_page

ROUTERS: Final[tuple[APIRouter, ...]] = (
    customer.router,
    login.router,
    search.router,
    terminal.router,
    cases.router,
    case.router,
    reports.router,
    report.router,
    report_file.router,
)

__all__ = ["ROUTERS", "LoginNeeded", "error_page", "know_reader", "to_login"]
