"""The whole desk as one ASGI program: API, probes, pages, and how every error is told."""

from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.status import HTTP_404_NOT_FOUND, HTTP_405_METHOD_NOT_ALLOWED

from desk import pages
from desk.api import API, cases, incidents, probes, reports, terminals, transactions
from desk.api.asking import bearer
from desk.api.problems import MEDIA_TYPE, Problem, ProblemDetail, problem_response
from desk.database import GONE, LOCKED_OUT
from desk.edge import LOG, Edge
from desk.state import Desk

STATIC: Final = Path(__file__).parent / "static"
_PROBES: Final = ("/healthz", "/readyz", "/metrics")
_AWAY: Final = "The database does not answer; try again in a moment."


def make_site(desk: Desk) -> Edge:
    """Join everything into one program."""
    app = FastAPI(
        title="Kvitok",
        version="1",
        description="Terminals, their incident log, transactions, incidents, cases, reports.",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
    )
    app.state.desk = desk
    for module in (terminals, transactions, incidents, cases, reports):
        app.include_router(module.router, dependencies=[Depends(bearer)])
    app.include_router(probes.router)
    app.add_api_route(
        f"{API}/openapi.json",
        lambda: JSONResponse(_described(app)),
        dependencies=probes.Near,
        tags=["probes"],
        summary="This document",
    )
    for page in pages.ROUTERS:
        app.include_router(page, include_in_schema=False)
    app.router.routes.append(Mount("/static", StaticFiles(directory=STATIC), name="static"))
    _tell_errors(app)

    def answer(request: Request, status: int, detail: str) -> Response:
        # Told before the program has seen the request: its pages need to know whose they are.
        request.scope["app"] = app
        return _error(request, status, detail)

    return Edge(
        app,
        limits=lambda path: (
            desk.settings.report_bytes_max
            if path in {f"{API}/reports", "/help"}
            else desk.settings.body_bytes_max
        ),
        answer=answer,
        monotonic_s=desk.clocks.monotonic_s,
    )


def is_for_programs(path: str) -> bool:
    """Tell whether an error on this path is read by a program, not by a person."""
    return path.startswith("/api/") or path in _PROBES


def _error(request: Request, status: int, detail: str) -> Response:
    if is_for_programs(request.url.path):
        return problem_response(status, detail)
    return pages.error_page(request, status)


async def _know_reader(request: Request) -> None:
    """Find out whose header the error's page has; a database that is away is no second error."""
    if not is_for_programs(request.url.path):
        with suppress(*GONE, *LOCKED_OUT):
            await pages.know_reader(request, request.app.state.desk)


def _tell_errors(app: FastAPI) -> None:
    @app.exception_handler(Problem)
    async def _problem(request: Request, problem: Problem) -> Response:
        if not is_for_programs(request.url.path):
            return pages.error_page(request, problem.status)
        return problem_response(
            problem.status, problem.detail, errors=problem.errors, headers=problem.headers
        )

    @app.exception_handler(pages.LoginNeeded)
    async def _login(request: Request, needed: pages.LoginNeeded) -> Response:
        return pages.to_login(request, needed)

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> Response:
        await _know_reader(request)
        answer = _error(request, error.status_code, _detail(error))
        answer.headers.update(error.headers or {})
        return answer

    @app.exception_handler(RequestValidationError)
    async def _invalid(request: Request, error: RequestValidationError) -> Response:
        if not is_for_programs(request.url.path):
            return pages.error_page(request, 422)
        errors = [{"loc": list(each["loc"]), "msg": each["msg"]} for each in error.errors()]
        first = f"{errors[0]['loc'][-1]}: {errors[0]['msg']}" if errors else "not understood"
        return problem_response(422, first, errors=errors)

    async def _away(request: Request, error: Exception) -> Response:
        LOG.warning("The database does not answer: %s", type(error).__name__)
        answer = _error(request, 503, _AWAY)
        answer.headers["Retry-After"] = "2"
        return answer

    @app.exception_handler(Exception)
    async def _bug(request: Request, _bug_: Exception) -> Response:  # noqa: ARG001 - its text is private
        return _error(request, 500, "The desk failed; its log says where.")

    for kind in GONE:
        app.add_exception_handler(kind, _away)


def _detail(error: HTTPException) -> str:
    if error.status_code == HTTP_404_NOT_FOUND:
        return "There is nothing at this address."
    if error.status_code == HTTP_405_METHOD_NOT_ALLOWED:
        return "This address does not take this method."
    return str(error.detail)


_ERRORS: Final = {
    "401": "No token, or one that does not hold.",
    "404": "There is no such thing.",
    "409": "It cannot be done to this one.",
    "413": "The body is too large.",
    "415": "The body is of another type.",
    "422": "A parameter or the body was not understood.",
    "500": "The desk failed.",
    "503": "The database does not answer.",
}


def _described(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI document, every error in it a problem document."""
    document = app.openapi()
    schemas: dict[str, Any] = document["components"]["schemas"]
    if "Problem" not in schemas:
        schemas.pop("HTTPValidationError", None)
        schemas.pop("ValidationError", None)
        schemas["Problem"] = ProblemDetail.model_json_schema()
        for path, operations in document["paths"].items():
            for operation in operations.values():
                operation["responses"].pop("422", None)
                for status in _statuses(path, operation):
                    operation["responses"][status] = _problem_described(status)
    return document


def _statuses(path: str, operation: dict[str, Any]) -> list[str]:
    probe = not path.startswith(API) or path.endswith("/openapi.json")
    statuses = ["401", "500", "503", *(each for each in operation["responses"] if each >= "400")]
    statuses += ["404"] if "{" in path else []
    statuses += ["413", "415"] if "requestBody" in operation else []
    statuses += [] if probe else ["422"]
    return sorted(set(statuses))


def _problem_described(status: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": _ERRORS[status], "content": {MEDIA_TYPE: {"schema": schema}}}
