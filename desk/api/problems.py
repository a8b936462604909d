"""Errors as RFC 9457 problem documents: one shape for every error of the API."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson
from pydantic import BaseModel
from starlette.responses import Response

TITLES: Final = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    409: "Conflict",
    413: "Content Too Large",
    415: "Unsupported Media Type",
    422: "Unprocessable Content",
    500: "Internal Server Error",
    503: "Service Unavailable",
}
MEDIA_TYPE: Final = "application/problem+json"


class ProblemDetail(BaseModel):
    """A problem document; `errors` only where a request was not understood."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str | None = None
    errors: list[dict[str, Any]] | None = None


class Problem(Exception):  # noqa: N818 - named as RFC 9457 names it
    """An answer that is an error; raised by a call, sent by the desk."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        errors: Sequence[Mapping[str, Any]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(f"{status} {detail}")
        self.status = status
        self.detail = detail
        self.errors = errors
        self.headers = headers


def problem_response(
    status: int,
    detail: str,
    *,
    errors: Sequence[Mapping[str, Any]] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return the problem document as an answer."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": TITLES.get(status, "Error"),
        "status": status,
        "detail": detail,
    }
    if errors:
        body["errors"] = list(errors)
    return Response(orjson.dumps(body), status, media_type=MEDIA_TYPE, headers=dict(headers or {}))


def unprocessable(name: str, text: str, *, where: str = "query") -> Problem:
    """Return the problem of one parameter that was not understood."""
    return Problem(422, f"{name}: {text}", errors=[{"loc": [where, name], "msg": text}])


def not_found(what: str) -> Problem:
    """Return the problem of something that is not there."""
    return Problem(404, f"There is no such {what}.")
