"""Logging in with a token, out again, and choosing a language."""

from typing import Annotated, Final

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from desk.api.asking import DeskNow
from desk.pages.reader import SESSION_COOKIE, OurOwn, local_path
from desk.pages.view import LANGUAGE_COOKIE, view_of
from desk.state import Desk
from desk.tokens import Bearer
from desk.words import language_of

router = APIRouter()

_YEAR_S: Final = 365 * 86_400
_TOKEN_MAX: Final = 256


@router.get("/login")
async def login(
    request: Request,
    desk: DeskNow,
    token: str | None = None,
    next: str | None = None,  # noqa: A002 - what people call it in an address
) -> Response:
    """Show the form; with a token in the address log in and drop it from the address."""
    there = local_path(next)
    if token is None:
        return view_of(request, desk).page("login.html", {"there": there, "wrong": False})
    bearer = await desk.bearer_of(token)
    if bearer is None:
        return _refused(request, desk, there)
    return _welcome(desk, bearer, there)


@router.post("/login", dependencies=OurOwn)
async def log_in(
    request: Request,
    desk: DeskNow,
    token: Annotated[str, Form(max_length=_TOKEN_MAX)] = "",
    next: Annotated[str, Form()] = "/",  # noqa: A002 - as above
) -> Response:
    """Log in by the form."""
    bearer = await desk.bearer_of(token.strip())
    if bearer is None:
        return _refused(request, desk, local_path(next))
    return _welcome(desk, bearer, local_path(next))


@router.post("/logout", dependencies=OurOwn)
async def log_out() -> Response:
    """Forget the session."""
    answer = RedirectResponse("/login", 303)
    answer.delete_cookie(SESSION_COOKIE, path="/", httponly=True, samesite="strict")
    return answer


@router.post("/language", dependencies=OurOwn)
async def choose_language(
    desk: DeskNow,
    language: Annotated[str, Form(max_length=8)],
    next: Annotated[str, Form()] = "/",  # noqa: A002 - as above
) -> Response:
    """Keep the language for a year and go back to the page."""
    answer = RedirectResponse(local_path(next), 303)
    chosen = language_of(language, desk.settings.language)
    answer.set_cookie(
        LANGUAGE_COOKIE,
        chosen,
        max_age=_YEAR_S,
        path="/",
        httponly=True,
        samesite="strict",
        secure=desk.settings.secure_cookies,
    )
    return answer


def _welcome(desk: Desk, bearer: Bearer, there: str) -> Response:
    answer = RedirectResponse(there, 303)
    answer.set_cookie(
        SESSION_COOKIE,
        desk.session_of(bearer),
        max_age=desk.sessions.hold_s,
        path="/",
        httponly=True,
        samesite="strict",
        secure=desk.settings.secure_cookies,
    )
    return answer


def _refused(request: Request, desk: Desk, there: str) -> Response:
    return view_of(request, desk).page("login.html", {"there": there, "wrong": True}, status=401)
