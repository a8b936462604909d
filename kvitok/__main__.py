"""The command `kvitok`, also as `python -m kvitok`: says so when only a kiosk's packages are here.

Law: at the top this module imports nothing but what a kiosk has.
"""

import sys

from kvitok.missing import ASKED_WRONGLY, missing


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


if __name__ == "__main__":
    main()
