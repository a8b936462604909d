"""What must be single among incidents and cases, followed in every commit."""

from collections.abc import Iterable
from typing import Any, Final

from tests.simulation.copies import Line
from tests.simulation.told import Say

FINISHED: Final = frozenset({"resolved", "closed"})


class Keys:
    """Which row stands for what."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self._incidents: dict[Any, Any] = {}
        self._cases: dict[Any, Any] = {}

    def incident(self, key: int, before: Line | None, row: Line | None) -> None:
        """Look at an incident that a commit has changed."""
        for name in _keys(before) if before is not None else ():
            self._incidents.pop(name, None)
        if row is None:
            if before is not None and not before["provisional"]:
                self._say("incident_once", before["terminal"], f"incident {key} has vanished")
            return
        for name in _keys(row):
            other = self._incidents.setdefault(name, key)
            if other != key:
                what = f"incidents {other} and {key} are one: {name}"
                self._say("incident_once", row["terminal"], what)

    def case(self, key: str, before: Line | None, row: Line | None) -> None:
        """Look at a case that a commit has changed."""
        if row is None:
            self._say("case_once", key, "a case has vanished")
            return
        if before is not None and _of_case(before) != _of_case(row):
            self._cases.pop(_of_case(before), None)
        name = _of_case(row)
        if name is not None and self._cases.setdefault(name, key) != key:
            what = f"cases {self._cases[name]} and {key} are one: {name}"
            self._say("case_once", row["terminal"], what)

    def restored(self, incidents: Iterable[Line], cases: Iterable[Line]) -> None:
        """Begin anew with what a restored database shows."""
        self._incidents = {name: row["id"] for row in incidents for name in _keys(row)}
        self._cases = {_of_case(row): row["number"] for row in cases}
        self._cases.pop(None, None)


def _keys(row: Line) -> list[Any]:
    """Return what no other incident may have: its open key, and of a transaction's its key."""
    name = (row["terminal"], row["rule"], row["epoch"], row["subject"])
    keys: list[Any] = []
    if row["cleared_at"] is None:
        keys.append(("open", *name))
    if row["epoch"] is not None:
        keys.append(("of", *name))
    return keys


def _of_case(row: Line) -> Any:
    if row["tx"] is not None:
        return row["terminal"], row["epoch"], row["tx"]
    if row["topic"] == "work_order" and row["state"] not in FINISHED:
        return row["terminal"], "work_order"
    return None
