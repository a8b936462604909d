"""What staff see in a browser: one module a page, over the same queries as the API."""

from typing import Final

from fastapi import APIRouter

from desk.pages import case, login, search, terminal
from desk.pages.reader import LoginNeeded, to_login
from desk.pages.view import error_page

ROUTERS: Final[tuple[APIRouter, ...]] = (login.router, search.router, terminal.router, case.router)

__all__ = ["ROUTERS", "LoginNeeded", "error_page", "to_login"]
