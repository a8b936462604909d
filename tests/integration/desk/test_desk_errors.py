import logging
import re
import time
from collections.abc import AsyncIterator

import asyncpg
import httpx
import psutil
import pytest

from desk.database import pool
from desk.queries.tokens import create_token, list_tokens, revoke_token
from desk.settings import DeskSettings
from desk.site import make_site
from desk.state import Clocks, Desk
from tests.integration.desk_story import TERMINAL
from tests.integration.desk_world import KEY, NOW, World, desk_over
from tests.integration.postgres import PostgresServer

pytestmark = [pytest.mark.anyio, pytest.mark.service]

CALLS = (
    "/terminals", f"/terminals/{TERMINAL}", f"/terminals/{TERMINAL}/log", "/transactions",
    "/incidents", "/incidents/1", "/cases", "/cases/K-2026-000123", "/quarantine", "/reports/1",
)  # fmt: skip
LISTS = ("/terminals", f"/terminals/{TERMINAL}/log", "/transactions", "/incidents", "/cases",
         "/quarantine")  # fmt: skip


def is_problem(answer: httpx.Response, status: int) -> None:
    """See that an answer is a problem document of this status."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == status
    assert body["title"]
    assert body["type"] == "about:blank"
    assert body["detail"]


NO_TOKENS = (None, "", "Bearer", "Bearer ", "Bearer wrong", "Basic eDp5", "Bearer " + "x" * 9999)


async def test_every_call_needs_a_token(world: World) -> None:
    """401 with WWW-Authenticate, whatever is sent instead of a token."""
    world.client.headers.pop("Authorization")
    for header in NO_TOKENS:
        headers = {} if header is None else {"Authorization": header}
        for path in CALLS:
            answer = await world.client.get(f"/api/v1{path}", headers=headers)
            is_problem(answer, 401)
            assert answer.headers["www-authenticate"].startswith("Bearer")
        is_problem(await world.client.post("/api/v1/reports", headers=headers, content=b"x"), 401)


async def test_a_session_cannot_be_named_as_a_token(world: World) -> None:
    """What is believed of browser sessions is kept apart from tokens."""
    await world.client.get("/login", params={"token": world.token})
    await world.client.get("/")
    for text in ("session 1", "\x00" * 7 + "\x01", "1"):
        answer = await world.client.get(
            "/api/v1/cases", headers=[(b"Authorization", f"Bearer {text}".encode("latin-1"))]
        )
        assert answer.status_code == 401


async def test_a_revoked_token_stops_within_its_delay(world: World) -> None:
    """A good token is believed for seconds; then the database is asked again."""
    await world.get("/cases")
    assert await revoke_token(world.connection, "tests", now=NOW)
    assert not await revoke_token(world.connection, "tests", now=NOW)
    world.clock.move(6)
    await world.get("/cases", 401)


async def test_tokens_are_stored_as_hashes_and_listed_without_secrets(world: World) -> None:
    """The table holds no token; a name is taken once; a given token can be stored."""
    stored = await world.connection.fetch("select * from api_token")
    assert world.token not in str(stored)
    assert await create_token(world.connection, "tests", now=NOW) is None
    mine = "kvt_" + "a" * 43
    assert await create_token(world.connection, "serve", now=NOW, token=mine) == mine
    assert [row.name for row in await list_tokens(world.connection)] == ["serve", "tests"]
    world.client.headers["Authorization"] = f"bearer {mine}"
    await world.get("/cases")


WRONG_PAGES = (
    "limit=0", "limit=1001", "limit=x", "limit=-1", "cursor=x", "cursor=W10", "cursor=%00",
    "cursor=WzEsMiwzLDQsNSw2XQ",
)  # fmt: skip
WRONG_TIMES = (
    "since=yesterday", "until=2026-11-23", "since=2026-11-23T10:00:00", "until=x%00",
    "since=0001-01-01T00:00:00%2B14:00", "until=1795426080000",
)  # fmt: skip


async def test_a_wrong_page_is_422(world: World) -> None:
    """A limit over 1,000 is an error, not a smaller page; so is a cursor of something else."""
    for path in LISTS:
        for query in WRONG_PAGES:
            is_problem(await world.client.get(f"/api/v1{path}?{query}"), 422)


async def test_a_wrong_time_is_422(world: World) -> None:
    """A time without a zone is no RFC 3339 time."""
    for query in WRONG_TIMES:
        is_problem(await world.client.get(f"/api/v1/transactions?{query}"), 422)
        is_problem(await world.client.get(f"/api/v1/terminals/{TERMINAL}/log?{query}"), 422)


async def test_other_wrong_filters_are_422(world: World) -> None:
    """`open` is true or false; a state is one of the five."""
    is_problem(await world.client.get("/api/v1/incidents?open=maybe"), 422)
    is_problem(await world.client.get("/api/v1/cases?state=lost"), 422)


async def test_what_is_not_there_is_404(world: World) -> None:
    """By id, by number, by path."""
    for path in ("/incidents/99", "/incidents/x", "/incidents/99999999999999999999", "/cases/K-1",
                 "/cases/%00", "/reports/99", "/reports/-1", "/reports/99999999999999999999",
                 "/reports/%D9%A1", "/nothing"):  # fmt: skip
        is_problem(await world.client.get(f"/api/v1{path}"), 404)


async def test_a_wrong_method_is_405(world: World) -> None:
    """With the methods that are allowed."""
    answer = await world.client.delete("/api/v1/cases")
    is_problem(answer, 405)
    assert "GET" in answer.headers["allow"]


async def test_a_large_body_is_413_announced_or_not(world: World) -> None:
    """Bodies are bounded, by what they say and by what they are."""

    async def stream() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b" " * 10_000

    headers = {"Content-Type": "application/json"}
    post = world.client.post
    is_problem(await post("/api/v1/terminals", content=b" " * 70_000, headers=headers), 413)
    is_problem(await post("/api/v1/terminals", content=stream(), headers=headers), 413)


async def test_another_type_of_body_is_415(world: World) -> None:
    """JSON is said to be JSON."""
    post = world.client.post
    for kind in ("text/plain", "application/x-www-form-urlencoded", ""):
        headers = {"Content-Type": kind}
        is_problem(await post("/api/v1/terminals", content=b"{}", headers=headers), 415)
        is_problem(await post("/api/v1/reports", content=b"{}", headers=headers), 415)


async def test_a_broken_body_is_422(world: World) -> None:
    """Not JSON, not UTF-8, too deep."""
    headers = {"Content-Type": "application/json"}
    for content in (b"", b"{", b"\xff", b"[" * 5000, b'{"terminal": "\\ud800"}', b"nan"):
        answer = await world.client.post("/api/v1/terminals", content=content, headers=headers)
        is_problem(answer, 422)


async def test_a_bug_is_500_and_its_log_line_quotes_nobody(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """A problem document for the asker; for us the type and the place, without the text."""
    await world.connection.execute("alter table support_case rename to elsewhere")
    with caplog.at_level(logging.ERROR):
        answer = await world.client.get("/api/v1/cases?terminal=89161234567")
    is_problem(answer, 500)
    assert "UndefinedTableError at " in caplog.text
    assert "89161234567" not in caplog.text
    assert "support_case" not in caplog.text


async def test_without_a_database_it_is_503_and_comes_back(
    postgres_server: PostgresServer, database: str
) -> None:
    """The desk outlives its database; readyz says so, healthz does not mind."""
    async with desk_over(database) as world:
        await world.get("/cases")
        postgres_server.stop()
        try:
            is_problem(await world.client.get("/api/v1/cases"), 503)
            is_problem(await world.client.get("/readyz"), 503)
            assert (await world.client.get("/healthz")).status_code == 200
            page = await world.client.get("/login?token=x")
            assert page.status_code == 503
        finally:
            postgres_server.start()
        await world.get("/cases")
        world.connection.terminate()


async def test_a_database_that_hangs_is_not_ready(
    postgres_server: PostgresServer, database: str
) -> None:
    """Readyz answers within seconds, whatever the database does."""
    async with desk_over(database) as world:
        await world.get("/cases")
        server = psutil.Process(postgres_server.pid)
        processes = [server, *server.children(recursive=True)]
        for each in processes:
            each.suspend()
        begun = time.monotonic()
        try:
            is_problem(await world.client.get("/readyz"), 503)
        finally:
            for each in processes:
                each.resume()
        assert time.monotonic() - begun < 5
        assert (await world.client.head("/readyz")).status_code == 200
        world.connection.terminate()


async def test_an_unmigrated_database_is_not_ready(empty_database: str) -> None:
    """Readyz tells what to run."""
    connection = await asyncpg.connect(empty_database)
    await connection.execute(
        "create table api_token (id serial, name text, hash bytea, created_at timestamptz, "
        "revoked_at timestamptz)"
    )
    await connection.close()
    async with desk_over(empty_database) as world:
        answer = await world.client.get("/readyz")
        is_problem(answer, 503)
        assert "kvitok db migrate" in answer.json()["detail"]


async def test_who_is_not_let_into_the_database_is_told_by_readyz(
    world: World, database: str
) -> None:
    """A wrong user or password: what is wrong and where to mend it, and no failure of the desk."""
    wrong = re.sub(r"//[^@/]*@", "//nobody_such:x@", database)
    assert "nobody_such" in wrong
    async with pool(wrong, connections_max=1) as refusing:
        clocks = Clocks(now=lambda: world.clock.now, monotonic_s=lambda: world.clock.passed_s)
        site = make_site(
            Desk(DeskSettings(dsn=wrong, report_key=KEY, account_key=KEY), refusing, clocks)
        )
        transport = httpx.ASGITransport(site, client=("127.0.0.1", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://desk.test") as client:
            answer = await client.get("/readyz")
            is_problem(answer, 503)
            assert "[desk] dsn" in answer.json()["detail"]
            client.headers["Authorization"] = f"Bearer {world.token}"
            is_problem(await client.get("/api/v1/cases"), 503)


async def test_probes_from_elsewhere_need_a_token(world: World) -> None:
    """Beyond loopback even the metrics are for those who have a token."""
    far = httpx.ASGITransport(world.app, client=("203.0.113.7", 1))
    async with httpx.AsyncClient(transport=far, base_url="http://desk.test") as client:
        for path in ("/healthz", "/readyz", "/metrics", "/api/v1/openapi.json"):
            is_problem(await client.get(path), 401)
            headers = {"Authorization": f"Bearer {world.token}"}
            assert (await client.get(path, headers=headers)).status_code == 200


async def test_no_time_is_too_far(world: World) -> None:
    """Times at the edge of the calendar are times."""
    far = "since=0001-01-03T00:00:00Z&until=9999-12-29T00:00:00Z"
    assert len((await world.get(f"/transactions?{far}"))["items"]) == 6
