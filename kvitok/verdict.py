"""What the API found, in the fleet's words; and the comparison, in a person's."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from typing import Any, Final

from firmware_sim.truth import Expected, Found, Verdict

MONEY_RULES: Final = frozenset({"no_receipt", "payment_failed", "payment_uncertain"})
"""Their subject is a transaction; every other rule's is a device, or nothing."""

SHOWN_MAX: Final = 20


def found_of(incidents: Iterable[Mapping[str, Any]]) -> list[Found]:
    """Return incidents of the API as the fleet's truth compares them."""
    return [
        Found(
            rule=each["rule"],
            terminal=each["terminal"],
            tx=each["subject"] if each["rule"] in MONEY_RULES else None,
            device=None if each["rule"] in MONEY_RULES else each["subject"],
            cause=each["cause"],
        )
        for each in incidents
    ]


def compared(
    expected: Iterable[Expected], incidents: Iterable[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Return what was to be found, each with the incident that it was found as, or None."""
    listed = list(incidents)
    pairs = list(zip(found_of(listed), listed, strict=True))
    return [
        {
            **asdict(each),
            "found": next((told["id"] for one, told in pairs if _is(each, one)), None),
        }
        for each in expected
    ]


def _is(expected: Expected, found: Found) -> bool:
    wanted = (expected.rule, expected.terminal, expected.tx, expected.device, expected.cause)
    given = (found.rule, found.terminal, found.tx, found.device, found.cause)
    return all(want is None or want == got for want, got in zip(wanted, given, strict=True))


def told(verdict: Verdict, *, drained: bool, unacked: int) -> Iterator[str]:
    """Yield the lines that say what came of a run."""
    yield f"{verdict.confirmed} incidents were to be found and were found"
    for name, entries in (
        ("missed", verdict.missed),
        ("unexpected", verdict.made_up),
        ("found twice", verdict.duplicated),
    ):
        for each in entries[:SHOWN_MAX]:
            yield f"{name}: {_line(each)}"
        if len(entries) > SHOWN_MAX:
            yield f"{name}: and {len(entries) - SHOWN_MAX} more"
    if not drained or unacked:
        yield f"not everything arrived: {unacked} events were never acknowledged"
    if verdict.holds and drained and not unacked:
        yield "everything injected was found, and nothing else"


def _line(each: Expected | Found) -> str:
    parts = [each.rule, each.terminal, each.tx, each.device, each.cause]
    if isinstance(each, Expected):
        parts.append(f"({each.why})")
    return " ".join(part for part in parts if part)
