"""Stored accounts on their way out: the masked form only, as a string (contract, section 6)."""

from typing import Any


def shown(value: Any) -> Any:  # noqa: ANN401 - JSON has no closed type in Python
    """Return the same JSON with every `account` object replaced by its masked text."""
    if isinstance(value, dict):
        return {
            name: _account(inner) if name == "account" else shown(inner)
            for name, inner in value.items()
        }
    if isinstance(value, list):
        return [shown(inner) for inner in value]
    return value


def _account(value: Any) -> Any:  # noqa: ANN401 - as above
    if value is None:
        return None
    if isinstance(value, dict):
        masked = value.get("masked")
        return masked if isinstance(masked, str) else "***"
    # What is no stored form was never masked: the safe answer is to say nothing of it.
    return "***"
