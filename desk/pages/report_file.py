"""A file that came with a report, as sent: a picture is shown, anything else is only downloaded."""

import asyncio
import re
from typing import Final
from urllib.parse import quote

from fastapi import APIRouter
from starlette.responses import Response

from desk.api.asking import DeskNow
from desk.api.problems import not_found
from desk.mail.letter import AttachedFile
from desk.pages.reader import Reading
from desk.queries.report_keeping import read_sealed
from desk.queries.reports import report_number
from desk.reports.content import Received, read_content
from desk.state import Desk
from incidents.matching.claims import READ_IN

router = APIRouter()

_SHOWN: Final = (
    (re.compile(rb"\xff\xd8\xff"), "image/jpeg"),
    (re.compile(rb"\x89PNG\r\n"), "image/png"),
    (re.compile(rb"GIF8"), "image/gif"),
    (re.compile(rb"RIFF....WEBP", re.DOTALL), "image/webp"),
)
"""What a browser only draws, by how it begins: never by what its sender calls it."""
_NAME_MAX: Final = 150


@router.get("/reports/{report}/files/{place}")
async def page(desk: DeskNow, reading: Reading, report: str, place: int) -> Response:
    """Return the file at a place, counted from 1 as the report's page lists them."""
    del reading  # who is not logged in never comes here
    number = report_number(report)
    files = () if number is None else await _files(desk, number)
    if not 1 <= place <= len(files):
        raise not_found("file")
    return _sent(files[place - 1])


async def _files(desk: Desk, report: int) -> tuple[AttachedFile, ...]:
    row = await read_sealed(desk.database, report)
    raw = None if row is None else desk.seal.open(row["content"])
    if row is None or raw is None:
        return ()
    received = Received(
        channel=row["channel"], at=row["received_at"], reported_at=row["reported_at"]
    )
    content = await asyncio.to_thread(
        read_content, raw, received, own=desk.reader.own, zone=READ_IN
    )
    return content.files


def _sent(file: AttachedFile) -> Response:
    kind = next((kind for begin, kind in _SHOWN if begin.match(file.content)), None)
    way = "attachment" if kind is None else "inline"
    name = quote(file.name[-_NAME_MAX:] or "file", safe="")
    return Response(
        file.content,
        media_type=kind or "application/octet-stream",
        headers={"Content-Disposition": f"{way}; filename*=UTF-8''{name}"},
    )
