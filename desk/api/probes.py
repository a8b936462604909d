"""Liveness, readiness, metrics: at their very paths, without a token on loopback."""

from ipaddress import ip_address
from typing import Final

from fastapi import APIRouter, Depends, Request
from fastapi.security import HTTPAuthorizationCredentials
from starlette.responses import JSONResponse, PlainTextResponse, Response

from desk.api.asking import DeskNow, bearer
from desk.api.problems import problem_response
from desk.database import GONE, LOCKED_OUT, in_time
from desk.metrics import exposition
from desk.queries.readiness import why_not_ready

router = APIRouter(tags=["probes"])

READY_S_MAX: Final = 2.0
"""A database that hangs is not ready; whoever asks gives up sooner than it does."""


def _from_loopback(request: Request) -> bool:
    if request.client is None:
        return False
    try:
        return ip_address(request.client.host).is_loopback
    except ValueError:
        return False


async def loopback_or_bearer(request: Request, desk: DeskNow) -> None:
    """Let a request through that comes from this machine, or has a token."""
    if _from_loopback(request):
        return
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    credentials = HTTPAuthorizationCredentials(scheme=scheme, credentials=token.strip())
    await bearer(desk, credentials if scheme.lower() == "bearer" and token else None)


Near: Final = [Depends(loopback_or_bearer)]


@router.head("/healthz", dependencies=Near, include_in_schema=False)
@router.get("/healthz", dependencies=Near)
async def healthz() -> JSONResponse:
    """Answer as long as the program lives."""
    return JSONResponse({"status": "ok"})


@router.head("/readyz", dependencies=Near, include_in_schema=False)
@router.get("/readyz", dependencies=Near)
async def readyz(desk: DeskNow) -> Response:
    """Answer 200 when the database is there and as new as this version, else 503."""
    try:
        missing = await in_time(why_not_ready(desk.database), READY_S_MAX)
    except LOCKED_OUT as error:
        missing = f"the database does not let the desk in ({error}), see [desk] dsn"
    except GONE:
        missing = "the database does not answer"
    if missing is not None:
        return problem_response(503, f"Not ready: {missing}.", headers={"Retry-After": "2"})
    return JSONResponse({"status": "ready"})


@router.get("/metrics", dependencies=Near)
def metrics(desk: DeskNow) -> PlainTextResponse:
    """Return what all processes counted, for Prometheus."""
    text, kind = exposition(desk.settings.metrics_dir)
    return PlainTextResponse(text, media_type=kind)
