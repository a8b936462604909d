"""Who reads a page: a session in a cookie, and the way to the login when there is none."""

from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Depends, Request
from starlette.datastructures import URL
from starlette.responses import RedirectResponse, Response

from desk.api.asking import DeskNow
from desk.api.problems import Problem
from desk.pages.view import View, view_of
from desk.state import Desk

SESSION_COOKIE: Final = "kvitok_session"


class LoginNeeded(Exception):  # noqa: N818 - says what is
    """Nobody is logged in."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody logged in, and how they see pages."""

    name: str
    view: View


async def reader(request: Request, desk: DeskNow) -> Reader:
    """Return who reads.

    Raises:
        LoginNeeded: nobody is logged in, or no longer.
    """
    name = await know_reader(request, desk)
    if name is None:
        raise LoginNeeded
    return Reader(name, view_of(request, desk, name))


async def know_reader(request: Request, desk: Desk) -> str | None:
    """Return the name of who is logged in, if anybody; an error's page then has their header."""
    cookie = request.cookies.get(SESSION_COOKIE)
    bearer = await desk.bearer_of_session(cookie) if cookie else None
    request.state.reader = None if bearer is None else bearer.name
    return None if bearer is None else bearer.name


Reading = Annotated[Reader, Depends(reader)]


def same_site(request: Request) -> None:
    """Let a change through only from our own pages.

    The session's cookie is SameSite=Strict; this is the second lock, for a browser that says
    where the request comes from.

    Raises:
        Problem: 403, another site sent it.
    """
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    ours = f"{request.url.scheme}://{request.url.netloc}"
    if site not in (None, "same-origin", "none") or (site is None and origin not in (None, ours)):
        raise Problem(403, "This has to come from the desk's own pages.")


OurOwn: Final = [Depends(same_site)]


def local_path(text: str | None) -> str:
    """Return a path on this very desk: where else somebody sends us is the front page."""
    if not text or not text.startswith("/") or text.startswith(("//", "/\\")):
        return "/"
    return text if text.isprintable() and len(text) <= _PATH_MAX else "/"


_PATH_MAX: Final = 512


def to_login(request: Request, _needed: LoginNeeded) -> Response:
    """Return the way to the login, and back to where the reader was."""
    if request.headers.get("hx-request"):
        return Response(status_code=401, headers={"HX-Redirect": "/login"})
    here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    there = URL("/login") if here == "/" else URL("/login").include_query_params(next=here)
    return RedirectResponse(there, 303)
