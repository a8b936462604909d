"""The JSON API as its clients see it: the demo and the tests ask through this door."""

import http.client
import json
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

TIMEOUT_S: Final = 30.0
LIMIT: Final = 1000


class ApiRefused(Exception):  # noqa: N818 - says what is, like every error of ours
    """The API answered with an error; the text is its own."""


class Api:
    """One service's API, asked with one token."""

    def __init__(self, address: str, token: str) -> None:
        parts = urlsplit(address)
        assert parts.hostname is not None
        self._host, self._port = parts.hostname, parts.port
        self._headers = {"Authorization": f"Bearer {token}"}

    def get(self, path: str, **query: str) -> Any:  # noqa: ANN401 - JSON
        """Return what stands under `/api/v1`."""
        connection = http.client.HTTPConnection(self._host, self._port, timeout=TIMEOUT_S)
        try:
            target = f"/api/v1{path}?{urlencode(query)}" if query else f"/api/v1{path}"
            connection.request("GET", target, headers=self._headers)
            answer = connection.getresponse()
            body = answer.read()
        finally:
            connection.close()
        if answer.status != http.client.OK:
            raise ApiRefused(f"GET {path}: {answer.status} {body[:500].decode(errors='replace')}")
        return json.loads(body)

    def all(self, path: str, **query: str) -> list[dict[str, Any]]:
        """Return every item of a list, page by page."""
        items: list[dict[str, Any]] = []
        cursor: str | None = None
        while True:
            page = self.get(
                path, limit=str(LIMIT), **query, **({"cursor": cursor} if cursor else {})
            )
            items.extend(page["items"])
            cursor = page["next"]
            if cursor is None:
                return items
