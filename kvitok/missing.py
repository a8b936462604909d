"""What to say when a package is not installed; imports nothing but the standard library."""

from typing import Final

ASKED_WRONGLY: Final = 2
"""Exit status: the command was asked for what it cannot do here."""
OURS: Final = frozenset({
    "agent", "collector", "desk", "firmware_sim", "incidents", "kvitok", "sql", "wire",
})  # fmt: skip


def missing(error: ModuleNotFoundError) -> str | None:
    """Return what to tell somebody who has no such package; None when it is one of ours."""
    name = (error.name or "").partition(".")[0]
    if not name or name in OURS:
        return None
    return (
        f"kvitok: the package {name} is not installed: `kvitok` is the service's command. "
        "On a kiosk use `kvitok-agent`; for the service run `scripts/setup`, or "
        "`pip install -r requirements/service.txt .`"
    )
