"""The door to a desk's own word on whether it is ready."""

import http.client
import json
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

TIMEOUT_S: Final = 5.0
REASON_BYTES_MAX: Final = 10_000


@dataclass(frozen=True, slots=True)
class DeskSays:
    """What a desk answered; `why` it is not ready, None where nobody answered."""

    ready: bool
    why: str | None = None


def ask_desk(host: str, port: int) -> DeskSays:
    """Ask `GET /readyz`; it never raises."""
    connection = http.client.HTTPConnection(_asked_at(host), port, timeout=TIMEOUT_S)
    try:
        connection.request("GET", "/readyz")
        answer = connection.getresponse()
        # Beyond loopback it asks us for a token: that it answers must do.
        if answer.status in {http.client.OK, http.client.UNAUTHORIZED}:
            return DeskSays(ready=True)
        return DeskSays(ready=False, why=str(json.loads(answer.read(REASON_BYTES_MAX))["detail"]))
    except (OSError, ValueError, KeyError, TypeError, http.client.HTTPException):
        return DeskSays(ready=False)
    finally:
        connection.close()


def _asked_at(host: str) -> str:
    """Return where a desk is asked that listens on this address: everywhere is loopback too."""
    try:
        return "localhost" if ip_address(host).is_unspecified else host
    except ValueError:
        return host
