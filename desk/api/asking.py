"""What every call reads of its request: who asks, the page wanted, the times, the body."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final, TypeVar

from fastapi import Depends, Query, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import TypeAdapter, ValidationError

from desk.api.problems import Problem, unprocessable
from desk.cursors import Part
from desk.cursors import read as read_cursor
from desk.cursors import write as write_cursor
from desk.queries.database import LIMIT_MAX
from desk.state import Desk
from desk.times import ALWAYS, FOREVER, read_bound
from desk.tokens import Bearer
from desk.words import Language, language_of

Model = TypeVar("Model")

_BEARER: Final = HTTPBearer(auto_error=False, description="An API token.")
_WORD_MAX: Final = 1000


def desk_of(request: Request) -> Desk:
    """Return what the program is joined from."""
    desk = request.app.state.desk
    assert isinstance(desk, Desk)
    return desk


DeskNow = Annotated[Desk, Depends(desk_of)]


async def bearer(
    desk: DeskNow,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)],
) -> Bearer:
    """Return who asks.

    Raises:
        Problem: 401, no token or one that does not hold.
    """
    known = await desk.bearer_of(credentials.credentials) if credentials else None
    if known is None:
        challenge = 'Bearer realm="kvitok"'
        if credentials:
            challenge += ', error="invalid_token"'
        raise Problem(
            401, "A valid bearer token is needed.", headers={"WWW-Authenticate": challenge}
        )
    return known


Asker = Annotated[Bearer, Depends(bearer)]

Limit = Annotated[int, Query(ge=1, le=LIMIT_MAX, description="Rows on a page.")]
Cursor = Annotated[
    str | None, Query(description="Where to go on: `next` of the page before; opaque.")
]
Word = Annotated[str | None, Query(max_length=_WORD_MAX)]


def key_of(cursor: str | None, kinds: Sequence[type[Part]]) -> tuple[Any, ...] | None:
    """Return the key that a cursor holds, None without a cursor.

    Raises:
        Problem: 422, the text is no cursor of this list.
    """
    if not cursor:
        return None
    key = read_cursor(cursor, kinds)
    if key is None:
        raise unprocessable("cursor", "this is no cursor of this list")
    return key


@dataclass(frozen=True, slots=True)
class Between:
    """`since <= t < until`."""

    since: datetime
    until: datetime


def between(
    since: Annotated[str | None, Query(description="RFC 3339; from this moment on.")] = None,
    until: Annotated[str | None, Query(description="RFC 3339; before this moment.")] = None,
) -> Between:
    """Return the time asked for; open where nothing is said.

    Raises:
        Problem: 422, a text that is no RFC 3339 time with a zone.
    """
    return Between(_moment("since", since, ALWAYS), _moment("until", until, FOREVER))


Times = Annotated[Between, Depends(between)]


def _moment(name: str, text: str | None, default: datetime) -> datetime:
    if text is None or text == "":
        return default
    moment = read_bound(text)
    if moment is None:
        raise unprocessable(name, "not an RFC 3339 time such as 2026-11-23T04:52:00Z")
    return moment


def language(
    desk: DeskNow, lang: Annotated[str | None, Query(description="`ru` or `en`.")] = None
) -> Language:
    """Return the language of sentences."""
    return language_of(lang, desk.settings.language)


Tongue = Annotated[Language, Depends(language)]


def media_type(request: Request) -> str:
    """Return the body's type without parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def json_body(request: Request, adapter: TypeAdapter[Model]) -> Model:
    """Return the body as a checked value.

    Raises:
        Problem: 415, not JSON; 422, not what the call takes.
    """
    kind = media_type(request)
    if kind != "application/json" and not kind.endswith("+json"):
        raise Problem(415, "The body has to be application/json.")
    try:
        return adapter.validate_json(await request.body())
    except ValidationError as error:
        # Never the input itself: it may be a customer's words.
        errors = error.errors(include_url=False, include_context=False, include_input=False)
        raise Problem(
            422,
            "The body is not what this call takes.",
            errors=[{"loc": ["body", *each["loc"]], "msg": each["msg"]} for each in errors],
        ) from None


def page_of(items: Sequence[object], key: Sequence[Part] | None) -> dict[str, Any]:
    """Return a list's answer."""
    return {"items": items, "next": None if key is None else cursor_of(key)}


def cursor_of(key: Sequence[Part]) -> str:
    """Return the cursor that goes on after a key."""
    return write_cursor(key)


def described(adapter: TypeAdapter[Any], **more: Mapping[str, Any]) -> dict[str, Any]:
    """Return the OpenAPI words for a body that the call reads by itself."""
    content: dict[str, Any] = {"application/json": {"schema": adapter.json_schema()}}
    return {"requestBody": {"required": True, "content": content | dict(more)}}
