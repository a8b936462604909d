from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.integration.desk_story import TERMINAL
from tests.integration.desk_world import NOW, World

pytestmark = [pytest.mark.anyio, pytest.mark.service]

CALLS = {
    "/api/v1/terminals": "/api/v1/terminals",
    "/api/v1/terminals/{terminal}": f"/api/v1/terminals/{TERMINAL}",
    "/api/v1/terminals/{terminal}/log": f"/api/v1/terminals/{TERMINAL}/log",
    "/api/v1/transactions": "/api/v1/transactions",
    "/api/v1/quarantine": "/api/v1/quarantine",
    "/api/v1/incidents": "/api/v1/incidents",
    "/api/v1/incidents/{incident}": "/api/v1/incidents/1",
    "/api/v1/cases": "/api/v1/cases",
    "/api/v1/cases/{number}": "/api/v1/cases/K-2026-000123",
    "/api/v1/reports/{report}": "/api/v1/reports/1",
}


def schema_of(document: dict[str, Any], answer: dict[str, Any]) -> Draft202012Validator:
    """Return what checks a described answer."""
    schema = next(iter(answer["content"].values()))["schema"]
    return Draft202012Validator({**schema, "components": document["components"]})


async def test_the_document_describes_every_call_and_every_answer_fits(world: World) -> None:
    """What the API says of itself is what it answers; nothing is looser than it says."""
    await world.client.post(
        "/api/v1/reports", json={"channel": "form", "text": "x", "reported_at": NOW.isoformat()}
    )
    document = await world.get("/openapi.json")
    gets = {path for path, operations in document["paths"].items() if "get" in operations}
    assert gets == {*CALLS, "/healthz", "/readyz", "/metrics", "/api/v1/openapi.json"}
    for path, address in CALLS.items():
        answer = await world.client.get(address)
        assert answer.status_code == 200
        described = document["paths"][path]["get"]["responses"]["200"]
        validator = schema_of(document, described)
        validator.validate(answer.json())
        with pytest.raises(Exception, match=r"is not|required"):
            validator.validate({"nothing": "like it"})


async def test_every_error_is_described_as_a_problem(world: World) -> None:
    """401, 422 and 500 of every call, 404 of every path, and they look so."""
    document = await world.get("/openapi.json")
    assert "HTTPValidationError" not in str(document)
    for path, operations in document["paths"].items():
        for operation in operations.values():
            errors = {s: a for s, a in operation["responses"].items() if s >= "400"}
            assert {"401", "500", "503"} <= set(errors), path
            assert ("404" in errors) == ("{" in path)
            kinds = {kind for each in errors.values() for kind in each["content"]}
            assert kinds == {"application/problem+json"}
    problem = schema_of(document, document["paths"]["/api/v1/cases"]["get"]["responses"]["422"])
    problem.validate((await world.client.get("/api/v1/cases?limit=0")).json())


async def test_the_document_says_how_to_prove_who_asks(world: World) -> None:
    """A bearer token for every call, and none for the probes."""
    document = await world.get("/openapi.json")
    assert document["openapi"].startswith("3.1")
    assert document["components"]["securitySchemes"]["HTTPBearer"]["scheme"] == "bearer"
    assert document["paths"]["/api/v1/cases"]["get"]["security"] == [{"HTTPBearer": []}]
    assert "security" not in document["paths"]["/healthz"]["get"]
    bodies = document["paths"]["/api/v1/reports"]["post"]["requestBody"]["content"]
    assert set(bodies) == {"application/json", "message/rfc822"}


async def test_every_reference_leads_somewhere(world: World) -> None:
    """No `$ref` hangs in the air, wherever it stands."""
    document = await world.get("/openapi.json")

    def references(value: Any) -> list[str]:
        if isinstance(value, dict):
            own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
            return own + [each for inner in value.values() for each in references(inner)]
        if isinstance(value, list):
            return [each for inner in value for each in references(inner)]
        return []

    for reference in references(document):
        found: Any = document
        for name in reference.removeprefix("#/").split("/"):
            found = found[name]
        assert found
