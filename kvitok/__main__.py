"""The command `kvitok`, also as `python -m kvitok`: says so when only a kiosk's packages are here.

Law: at the top this module imports nothing but the standard library.
"""

import sys
from typing import Final

ASKED_WRONGLY: Final = 2
OURS: Final = frozenset({
    "agent", "collector", "desk", "firmware_sim", "incidents", "kvitok", "sql", "wire",
})  # fmt: skip


def main() -> None:
    """Run the command line; where its packages are missing, say in a line what to do."""
    try:
        from kvitok.cli import main as run  # noqa: PLC0415 - what a kiosk does not have
    except ModuleNotFoundError as error:
        told = missing(error)
        if told is None:
            raise
        print(told, file=sys.stderr)  # noqa: T201 - a command line talks
        sys.exit(ASKED_WRONGLY)
    run()


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


if __name__ == "__main__":
    main()
