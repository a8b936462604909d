"""The customer's form: public, without a session, a cookie or a script; it only takes.

Law: an anonymous visitor learns nothing. Whatever was found, the answer is a number that was new a
moment ago and the day by which we answer.
"""

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

import orjson
from fastapi import APIRouter, Depends, Request
from starlette.datastructures import URL, FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.responses import RedirectResponse, Response

from desk.api.asking import DeskNow, media_type
from desk.api.problems import Problem, not_found
from desk.database import GONE
from desk.pages.customer_form import AGE_MAX, TRAP, Filled, read
from desk.pages.customer_topics import TOPICS
from desk.pages.view import NOT_TAKEN, View
from desk.queries.form_case import Told, form_case
from desk.reports.taking import NewReport, take
from desk.reports.written import FilledFile, FilledForm
from desk.state import Desk
from desk.words import language_of, message, preferred, words
from incidents.cases import DETECTOR
from incidents.matching.unplaced import named

BODY_S_MAX: Final = 120.0
"""How long a body may take to come."""
_FIELDS_MAX: Final = 40
_PART_MAX: Final = 65_536
_NAME_MAX: Final = 200
_TERMINAL_MAX: Final = 64
_SENT: Final = b"help sent\0"
_FULL: Final = message(
    "Too many messages have come from you in a short time. Please try again in a while."
)
_AHEAD: Final = timedelta(hours=14)
_MORE_FIELDS: Final = ("email", "account", "terminal", "amount", "day", "clock", "receipt", "text")


class InMemory(MultiPartParser):
    """Never writes a customer's photo to a disk."""

    spool_max_size = 0

    async def parse(self) -> FormData:
        """Return the form; a file that it broke off in is let go."""
        form = await super().parse()
        whole = {id(value.file) for _, value in form.multi_items() if isinstance(value, UploadFile)}
        for file in self._files_to_close_on_error:
            if id(file) not in whole:
                file.close()
        return form


def is_open(desk: DeskNow) -> None:
    """Let through where the form is switched on.

    Raises:
        Problem: 404, it is not.
    """
    if not desk.settings.form:
        raise not_found("page")


router = APIRouter(dependencies=[Depends(is_open)])


@router.get("/help")
async def ask(
    *, request: Request, desk: DeskNow, topic: str = "", t: str = "", lang: str = ""
) -> Response:
    """Show the topics, or the form of one."""
    view = _view(request, desk, lang)
    terminal = "".join(each for each in t if each.isprintable()).strip()[:_TERMINAL_MAX]
    if topic not in TOPICS:
        return _page(view, "help.html", terminal, {"topics": TOPICS})
    filled = Filled(topic, {"terminal": terminal}, {}, {})
    return _form(view, filled, terminal)


@router.post("/help")
async def receive(
    *, request: Request, desk: DeskNow, topic: str = "", t: str = "", lang: str = ""
) -> Response:
    """Take the form, or show it again with what is wrong; nothing typed is lost."""
    if request.headers.get("sec-fetch-site", "none") not in {"same-origin", "none", "same-site"}:
        raise Problem(403, "This has to come from the form itself.")
    if topic not in TOPICS:
        raise not_found("page")
    view = _view(request, desk, lang)
    typed, photo = await _sent(request, desk)
    filled = read(topic, typed, now=desk.now(), words=words(desk.settings.language))
    if filled.errors:
        return _form(view, filled, t, status=422, photo_lost=photo is not None)
    about = await _taken(desk, request, filled, photo)
    if isinstance(about, _Turned):
        lost = photo is not None
        return _form(view, filled, t, status=about.status, notice=about.text, photo_lost=lost)
    there = URL("/help/sent").include_query_params(about=about)
    return RedirectResponse(_in(there, lang, t), 303)


@dataclass(frozen=True, slots=True)
class _Turned:
    """Why a form was not taken."""

    status: int
    text: str


async def _taken(
    desk: Desk, request: Request, filled: Filled, photo: FilledFile | None
) -> str | _Turned:
    """Take a form, once however often it is sent; return what its last page is told."""
    digest = _digest(filled, photo)
    now_s = desk.clocks.monotonic_s()
    answer = desk.visitors.same(digest, now_s)
    if answer is None:
        host = _host(request)
        if not desk.visitors.admit(host=host, mailbox=filled.values["email"], now_s=now_s):
            return _Turned(429, _FULL)
        answer = asyncio.create_task(_take(desk, filled, photo))
        answer.add_done_callback(partial(_forget_failed, desk, digest))
        desk.visitors.began(digest, answer, now_s)
    try:
        # Who goes away does not take the others' answer along.
        return await asyncio.shield(answer)
    except GONE:
        return _Turned(503, NOT_TAKEN)


def _forget_failed(desk: Desk, digest: bytes, answer: asyncio.Task[str]) -> None:
    if answer.cancelled() or answer.exception() is not None:
        desk.visitors.forget(digest)


async def _take(desk: Desk, filled: Filled, photo: FilledFile | None) -> str:
    kept = await take(desk, _report(filled.values, photo, desk.now()))
    try:
        told = await form_case(desk.database, kept.report, desk.word(DETECTOR, named(kept.report)))
    except GONE:
        # It is kept: to ask for it again would make it two.
        told = Told(None, None)
    about = {
        "number": told.number,
        "due": told.due_at and told.due_at.isoformat(),
        "email": filled.values["email"],
    }
    return _packed(desk, about)


def _digest(filled: Filled, photo: FilledFile | None) -> bytes:
    """Return by what the same form is known again."""
    said = repr((filled.topic, sorted(filled.typed.items()), photo and photo.name))
    return hashlib.sha256(said.encode() + b"\0" + (photo.content if photo else b"")).digest()


@router.get("/help/sent")
async def sent(
    *, request: Request, desk: DeskNow, about: str = "", t: str = "", lang: str = ""
) -> Response:
    """Say under which number the message stands, and by when we answer."""
    told = _unpacked(desk, about)
    if told is None:
        return RedirectResponse(_in(URL("/help"), lang, t), 303)
    told["due"] = told["due"] and datetime.fromisoformat(told["due"])
    return _page(_view(request, desk, lang), "help_sent.html", t, told)


def _view(request: Request, desk: Desk, lang: str) -> View:
    default = preferred(request.headers.get("accept-language", ""), desk.settings.language)
    return View(request, language_of(lang, default), desk.now())


def _form(
    view: View,
    filled: Filled,
    terminal: str,
    *,
    status: int = 200,
    notice: str = "",
    photo_lost: bool = False,
) -> Response:
    values = {
        "topic": filled.topic,
        "about": TOPICS[filled.topic],
        "typed": dict.fromkeys(_MORE_FIELDS, "") | dict(filled.typed),
        "errors": {name: view.words.say(text) for name, text in filled.errors.items()},
        "notice": view.words.say(notice) if notice else "",
        "photo_lost": photo_lost,
        "trap": TRAP,
        "day_min": (view.now - AGE_MAX).date(),
        "day_max": (view.now + _AHEAD).date(),
    }  # fmt: skip
    return _page(view, "help_form.html", terminal, values, status=status)


def _page(
    view: View, template: str, terminal: str, values: Mapping[str, Any], *, status: int = 200
) -> Response:
    def link(path: str = "/help", **query: str) -> str:
        kept = {"t": terminal, "lang": view.request.query_params.get("lang", "")} | query
        return str(URL(path).include_query_params(**{n: v for n, v in kept.items() if v}))

    return view.page(template, {"link": link, "terminal": terminal, **values}, status=status)


def _in(there: URL, lang: str, terminal: str) -> str:
    kept = {name: value for name, value in (("lang", lang), ("t", terminal)) if value}
    return str(there.include_query_params(**kept))


@asynccontextmanager
async def _room(request: Request, desk: Desk) -> AsyncIterator[None]:
    """Hold one of the few places where a form is read."""
    host = _host(request)
    if not desk.visitors.enter(host):
        raise Problem(503, "Too many forms at once.", headers={"Retry-After": "10"})
    try:
        yield
    finally:
        desk.visitors.leave(host)


def _host(request: Request) -> str:
    return request.client.host if request.client else ""


async def _sent(request: Request, desk: Desk) -> tuple[dict[str, str], FilledFile | None]:
    """Return the fields and the photo of a request.

    Raises:
        Problem: 422, it is no form; 503, too many come at once, or this one too slowly.
    """
    async with _room(request, desk):
        try:
            async with asyncio.timeout(BODY_S_MAX):
                form = await _form_data(request)
                items = form.multi_items()
                typed = {name: value for name, value in items if isinstance(value, str)}
                photos = [
                    value for name, value in items
                    if isinstance(value, UploadFile) and name == "photo" and value.filename
                ]  # fmt: skip
                photo = await _file(photos[0]) if photos else None
                await form.close()
                return typed, photo
        except MultiPartException:
            raise Problem(422, "The form did not arrive whole.") from None
        except TimeoutError:
            raise Problem(503, "The form came too slowly.") from None


async def _form_data(request: Request) -> FormData:
    if media_type(request) != "multipart/form-data":
        return await request.form(max_files=1, max_fields=_FIELDS_MAX, max_part_size=_PART_MAX)
    parser = InMemory(
        request.headers,
        request.stream(),
        max_files=1,
        max_fields=_FIELDS_MAX,
        max_part_size=_PART_MAX,
    )
    return await parser.parse()


async def _file(photo: UploadFile) -> FilledFile | None:
    content = await photo.read()
    if not content:
        return None
    name = "".join(each for each in photo.filename or "" if each.isprintable())
    return FilledFile(
        name=name.replace("\\", "/").rpartition("/")[2][-_NAME_MAX:],
        media_type=(photo.content_type or "").partition(";")[0].strip().lower()[:_NAME_MAX],
        content=base64.b64encode(content),
    )


def _report(values: Mapping[str, Any], photo: FilledFile | None, now: datetime) -> NewReport:
    form = FilledForm(
        channel="form",
        reported_at=now.isoformat(),  # type: ignore[arg-type]  # read as the API's is
        files=(photo,) if photo else (),
        **values,
    )
    content = orjson.dumps(form.model_dump(mode="json", exclude_none=True))
    return NewReport(channel="form", content=content, received_at=now, reported_at=now)


def _packed(desk: Desk, about: Mapping[str, Any]) -> str:
    """Return what the next page says, so that nobody else can make that page say anything."""
    return base64.urlsafe_b64encode(desk.seal.seal(_SENT + orjson.dumps(about))).decode()


def _unpacked(desk: Desk, text: str) -> dict[str, Any] | None:
    try:
        content = desk.seal.open(base64.urlsafe_b64decode(text.encode("ascii", "replace")))
    except ValueError:
        return None
    if content is None or not content.startswith(_SENT):
        return None
    told: dict[str, Any] = orjson.loads(content[len(_SENT) :])
    return told
