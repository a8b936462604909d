import re
from datetime import timedelta

import pytest

from desk.times import rfc3339
from tests.integration.desk_story import TERMINAL
from tests.integration.desk_world import EPOCH, NOW, World

pytestmark = [pytest.mark.anyio, pytest.mark.service]

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


async def test_a_terminal_has_the_fields_of_the_contract(world: World) -> None:
    """GET /terminals/{terminal}: who, where, how, and where its journal stands."""
    row = await world.get(f"/terminals/{TERMINAL}")
    assert row["terminal"] == TERMINAL
    assert row["registered"] is True
    assert row["address"] == "ул. Тверская, 1"
    assert row["health"] == "down"
    assert row["open_incidents"] == ["2", "1"]
    assert row["journal"] == {"epoch": EPOCH, "next": 37}
    assert row["last_pulse_at"] == "2026-11-23T09:29:50.000Z"


async def test_a_newer_pulse_counts_for_a_device_and_an_older_does_not(world: World) -> None:
    """`devices` is the journal's record, changed where the last pulse is newer."""
    row = await world.get(f"/terminals/{TERMINAL}")
    assert row["devices"] == [
        {"device": "note_acceptor", "status": "online", "paper": None, "storage": "high",
         "since": "2026-11-23T09:29:50.000Z"},
        {"device": "receipt_printer", "status": "online", "paper": "out", "storage": None,
         "since": "2026-11-23T08:51:00.000Z"},
    ]  # fmt: skip
    await world.connection.execute(
        "update terminal_now set pulse_at = $2 where terminal = $1",
        TERMINAL,
        NOW - timedelta(days=9),
    )
    row = await world.get(f"/terminals/{TERMINAL}")
    assert row["devices"][0]["storage"] == "ok"


SEARCHES: tuple[tuple[str, list[str]], ...] = (
    ("104233", [TERMINAL]),
    ("10423", ["104233", "104234"]),
    ("тверская", [TERMINAL]),
    ("ТВЕРСКАЯ", [TERMINAL]),
    ("охотный", [TERMINAL]),
    ("Продукты у дома", [TERMINAL]),
    ("у входа", [TERMINAL]),
    ("щелковская", ["104234"]),
    ("Щёлковская", ["104234"]),
    ("москва", ["104233", "104234"]),
    ("ленина, 5", ["200001"]),
    ("LAB", ["lab-7"]),
    ("нет такого", []),
    ("%", []),
    ("_", []),
    ("", ["104233", "104234", "200001", "300300", "lab-7"]),
)


async def test_terminals_are_found_by_number_and_place(world: World) -> None:
    """Every word has to occur in number, name, city, address, metro or place, in any case."""
    for query, found in SEARCHES:
        answer = await world.client.get("/api/v1/terminals", params={"query": query})
        assert [row["terminal"] for row in answer.json()["items"]] == found, query


async def test_health_tells_silent_from_never_heard(world: World) -> None:
    """`silent` has an incident, `unknown` was never heard, `ok` has neither trouble nor doubt."""
    rows = (await world.get("/terminals"))["items"]
    health = {row["terminal"]: row["health"] for row in rows}
    assert health == {
        "104233": "down", "104234": "ok", "200001": "silent", "300300": "unknown", "lab-7": "ok",
    }  # fmt: skip
    assert [row["terminal"] for row in rows if not row["registered"]] == ["lab-7"]


async def test_a_terminal_is_made_known_and_changed(empty_world: World) -> None:
    """POST /terminals: 201 at first, 200 and the changed row after; what is not given stays."""
    post = empty_world.client.post
    row = {"terminal": "77", "address": "Арбат, 1", "lat": "55.75", "lon": 37.6, "opens": "8:00",
           "closes": "22:00", "timezone": "Asia/Omsk", "metro": ""}  # fmt: skip
    first = await post("/api/v1/terminals", json=row)
    assert first.status_code == 201
    assert first.json()["registered"] is True
    assert (first.json()["opens"], first.json()["lat"]) == ("08:00", 55.75)
    assert first.json()["health"] == "unknown"
    again = await post("/api/v1/terminals", json={"terminal": "77", "place": "Аптека"})
    assert again.status_code == 200
    assert (again.json()["address"], again.json()["place"]) == ("Арбат, 1", "Аптека")
    assert again.json()["timezone"] == "Asia/Omsk"
    cleared = await post("/api/v1/terminals", json={"terminal": "77", "address": None})
    assert cleared.json()["address"] is None


async def test_a_terminal_that_spoke_before_it_was_known_is_registered(world: World) -> None:
    """A heard but unregistered terminal becomes registered: that is 201 too."""
    answer = await world.client.post("/api/v1/terminals", json={"terminal": "lab-7"})
    assert (answer.status_code, answer.json()["registered"]) == (201, True)


WRONG_ROWS: tuple[object, ...] = (
    {}, {"terminal": "a b"}, {"terminal": "x" * 33}, {"terminal": "1", "timezone": "Mars"},
    {"terminal": "1", "lat": 91}, {"terminal": "1", "opens": "25:00"}, {"terminal": "1", "q": 1},
    {"terminal": "1", "address": "a\u0000b"}, {"terminal": 1}, [], "x", 7,
    {"terminal": "1", "address": "a" * 301},
)  # fmt: skip


async def test_a_terminal_with_a_wrong_column_is_refused(empty_world: World) -> None:
    """422 with the column's name; nothing is stored."""
    for wrong in WRONG_ROWS:
        answer = await empty_world.client.post("/api/v1/terminals", json=wrong)
        assert answer.status_code == 422, answer.text
    assert (await empty_world.get("/terminals"))["items"] == []


async def test_the_log_tells_every_event_newest_first(world: World) -> None:
    """GET …/log: event time, then epoch and seq; each with one sentence; accounts masked."""
    rows = (await world.get(f"/terminals/{TERMINAL}/log"))["items"]
    assert [row["seq"] for row in rows] == list(range(36, 0, -1))
    assert set(rows[0]) == {"at", "received_at", "epoch", "seq", "kind", "event", "text"}
    assert all(TIME.fullmatch(row["at"]) and TIME.fullmatch(row["received_at"]) for row in rows)
    assert rows[0]["text"] == "Событие неизвестного вида: «future_kind»."
    assert rows[0]["event"]["anything"] == [1]
    started = next(row for row in rows if row["kind"] == "transaction_started")
    assert started["event"]["account"] == "+7 916 ***-**-67"
    assert started["text"] == "Начат платёж: Билайн, счёт +7 916 ***-**-67."
    failed = next(row for row in rows if row["kind"] == "receipt_result")
    assert failed["text"] == "Чек не напечатан: нет бумаги."


async def test_a_number_that_no_reader_holds_does_not_stop_the_log(empty_world: World) -> None:
    """It goes out as the text that it was; the other rows are not touched."""
    await empty_world.terminal("1")
    huge = "9" * 5000
    body = f'{{"kind": "x", "at": 1, "huge": {huge}, "far": 1e999, "big": {2**70}}}'
    await empty_world.connection.execute(
        "insert into event (terminal, epoch, seq, kind, at, received_at, body) "
        "values ('1', 1, 1, 'x', $1, $1, $2::jsonb)", NOW, body,
    )  # fmt: skip
    event = (await empty_world.get("/terminals/1/log"))["items"][0]["event"]
    assert event["huge"] == huge
    assert event["big"] == 2**70
    assert len(event["far"]) == 1000


async def test_the_log_speaks_english_when_asked(world: World) -> None:
    """`?lang=en`."""
    rows = (await world.get(f"/terminals/{TERMINAL}/log?lang=en&limit=3"))["items"]
    assert rows[1]["text"] == "The door was opened (Иван Петров)."


async def test_since_is_in_and_until_is_out(world: World) -> None:
    """`since <= t < until`, by event time, in any zone."""
    at = NOW - timedelta(minutes=3)
    span = {"since": rfc3339(at), "until": rfc3339(at + timedelta(minutes=1))}
    answer = await world.client.get(f"/api/v1/terminals/{TERMINAL}/log", params=span)
    assert [row["seq"] for row in answer.json()["items"]] == [35]
    moscow = {"since": "2026-11-23T12:27:00+03:00", "until": "2026-11-23T12:27:00.001+03:00"}
    answer = await world.client.get(f"/api/v1/terminals/{TERMINAL}/log", params=moscow)
    assert [row["seq"] for row in answer.json()["items"]] == [35]
    span = {
        "since": rfc3339(NOW - timedelta(minutes=40)),
        "until": rfc3339(NOW),
        "terminal": TERMINAL,
    }
    answer = await world.client.get("/api/v1/transactions", params=span)
    assert [row["tx"] for row in answer.json()["items"]] == ["tx-000006"]


async def test_transactions_have_the_fields_of_the_contract(world: World) -> None:
    """GET /transactions: folded, with its incidents."""
    row = (await world.get(f"/transactions?terminal={TERMINAL}"))["items"][0]
    wanted = {
        "terminal": TERMINAL, "epoch": EPOCH, "tx": "tx-000006",
        "started_at": "2026-11-23T08:50:00.000Z", "ended_at": "2026-11-23T08:51:00.000Z",
        "service": "beeline", "account_masked": "+7 916 ***-**-67", "accepted": 100000,
        "returned": 0, "currency": "RUB", "payment": "accepted", "receipt": "failed",
        "receipt_number": None, "incidents": ["1"],
    }  # fmt: skip
    assert {name: row[name] for name in wanted} == wanted


async def test_incidents_have_the_fields_of_the_contract(world: World) -> None:
    """GET /incidents: newest first, with proof and case; filters join."""
    rows = (await world.get("/incidents"))["items"]
    assert [row["id"] for row in rows] == ["2", "1", "3", "4"]
    wanted = {
        "id": "1", "terminal": TERMINAL, "rule": "no_receipt", "epoch": EPOCH,
        "subject": "tx-000006", "cause": "paper_out", "severity": "warning", "provisional": False,
        "opened_at": "2026-11-23T08:51:00.000Z", "detected_at": "2026-11-23T08:51:02.000Z",
        "cleared_at": None, "proof": [{"epoch": EPOCH, "seq": 1}], "case": "K-2026-000123",
    }  # fmt: skip
    assert {name: rows[1][name] for name in wanted} == wanted

    async def ids(query: str) -> list[str]:
        return [row["id"] for row in (await world.get(f"/incidents?{query}"))["items"]]

    assert await ids("open=true") == ["2", "1", "3"]
    assert await ids("open=false") == ["4"]
    assert await ids(f"terminal={TERMINAL}") == ["2", "1"]
    assert await ids(f"terminal={TERMINAL}&rule=no_receipt&open=true") == ["1"]
    assert await ids("rule=terminal_silent") == ["3"]
    assert (await world.get("/incidents/1"))["rule"] == "no_receipt"


async def test_cases_have_the_fields_of_the_contract(world: World) -> None:
    """GET /cases and GET /cases/{number}: the same row, a work order without tx."""
    rows = (await world.get("/cases"))["items"]
    assert [row["number"] for row in rows] == ["K-2026-000124", "K-2026-000123"]
    assert (rows[0]["topic"], rows[0]["tx"]) == ("work_order", None)
    row = await world.get("/cases/K-2026-000123")
    assert row == rows[1]
    wanted = {
        "number": "K-2026-000123", "topic": "no_receipt", "state": "new", "terminal": TERMINAL,
        "tx": "tx-000006", "opened_at": "2026-11-23T08:51:00.000Z",
        "due_at": "2026-11-30T08:51:00.000Z", "opened_by": "detector", "incidents": ["1"],
        "reports": [],
    }  # fmt: skip
    assert {name: row[name] for name in wanted} == wanted
    assert row["history"][0]["actor"] == "detector"
    assert (await world.get(f"/cases?terminal={TERMINAL}&state=new"))["items"] == rows
    assert (await world.get(f"/cases?terminal={TERMINAL}&state=closed"))["items"] == []
    assert (await world.get("/cases?state=resolved"))["items"] == []


async def test_quarantine_lists_what_could_not_be_read(world: World) -> None:
    """GET /quarantine: newest first, reason and place; the account's hash never leaves."""
    await world.connection.execute(
        """
        insert into quarantine (terminal, epoch, seq, received_at, reason, body) values
        ($1, 1, 7, $2, 'bad_at', '{"kind": "x", "account": {"masked": "***", "hash": "ab"}}'),
        ($1, 1, 8, $2, 'not_an_object', '[[')
        """,
        TERMINAL,
        NOW,
    )
    rows = (await world.get(f"/quarantine?terminal={TERMINAL}"))["items"]
    assert [(row["seq"], row["reason"]) for row in rows] == [(8, "not_an_object"), (7, "bad_at")]
    assert rows[1]["body"] == '{"kind":"x","account":"***"}'
    assert (await world.get("/quarantine?terminal=nobody"))["items"] == []


async def test_a_person_clears_what_only_a_person_can_clear(world: World) -> None:
    """POST /incidents/{id}/clear: once, again without harm; what clears itself is refused."""
    clash = await world.incident(TERMINAL, "identity_clash", NOW, severity="critical")
    post = world.client.post
    first = await post(f"/api/v1/incidents/{clash}/clear")
    assert (first.status_code, first.json()["cleared_at"]) == (200, rfc3339(NOW))
    world.clock.move(60)
    again = await post(f"/api/v1/incidents/{clash}/clear")
    assert (again.status_code, again.json()["cleared_at"]) == (200, rfc3339(NOW))
    assert (await post("/api/v1/incidents/1/clear")).status_code == 409
    assert (await post("/api/v1/incidents/999/clear")).status_code == 404


async def test_an_unknown_terminal_is_404_as_a_path_and_empty_as_a_filter(world: World) -> None:
    """The same question in two places has two answers (contract, section 6)."""
    for path in (
        "/terminals/nobody",
        "/terminals/nobody/log",
        "/terminals/%00",
        "/terminals/%00/log",
    ):
        await world.get(path, 404)
    for name in ("transactions", "incidents", "cases", "quarantine"):
        for terminal in ("nobody", "%00", "%ff", "Ы", "x" * 300):
            answer = await world.get(f"/{name}?terminal={terminal}")
            assert answer == {"items": [], "next": None}


async def test_probes_need_no_token_on_loopback(world: World) -> None:
    """healthz, readyz, metrics and openapi.json stand at those very paths."""
    world.client.headers.pop("Authorization")
    for path in ("/healthz", "/readyz", "/metrics", "/api/v1/openapi.json"):
        answer = await world.client.get(path)
        assert answer.status_code == 200, path
    metrics = (await world.client.get("/metrics")).text
    assert "kvitok_desk_requests_total" in metrics
    assert TERMINAL not in metrics
    assert 'route="/healthz"' in metrics


async def test_metrics_count_by_route_never_by_address(world: World) -> None:
    """The template of a path is a label; a number that somebody asked for is not."""
    await world.get(f"/terminals/{TERMINAL}/log")
    await world.get("/nowhere/9161234567", 404)
    metrics = (await world.client.get("/metrics")).text
    assert 'route="/api/v1/terminals/{terminal}/log"' in metrics
    assert "9161234567" not in metrics
