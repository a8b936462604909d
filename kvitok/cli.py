"""The command `kvitok`: thin over the packages; every error says what is wrong and what to do."""

import logging
import os
import signal
import sys
import traceback
from importlib import metadata
from typing import Annotated, Final

import typer
from typer.exceptions import Abort, Exit, TyperException

from kvitok import programs
from kvitok.missing import ASKED_WRONGLY, missing
from kvitok.settings import SettingsError

FAILURE: Final = 1
STOPPED: Final = 130
PROGRAMS: Final = ("demo", "serve", "collector", "incidents", "desk", "sim")


def make_app(first: str | None) -> typer.Typer:
    """Return the command line; a program that runs for long is not burdened with the others."""
    app = typer.Typer(
        name="kvitok",
        help="Watches fleets of cash payment terminals so that no payment goes wrong unnoticed.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    app.callback()(_options)
    for name in PROGRAMS:
        app.command(name)(getattr(programs, name))
    mail = typer.Typer(help="Customers' mail: fetched, answered, sent.", no_args_is_help=True)
    mail.command("run")(programs.mail_run)
    mail.command("check")(programs.mail_check)
    app.add_typer(mail, name="mail")
    if first not in PROGRAMS:
        _add_questions(app)
    return app


def _tell_version(wanted: bool) -> None:  # noqa: FBT001 - typer's own signature
    if wanted:
        typer.echo(f"kvitok {metadata.version('kvitok')}")
        raise Exit


def _options(
    *,
    _version: Annotated[
        bool,
        typer.Option(
            "--version", is_eager=True, callback=_tell_version, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    pass


def _add_questions(app: typer.Typer) -> None:
    from kvitok import (  # noqa: PLC0415 - see make_app
        backup_work,
        calendar_work,
        case_work,
        commands,
        doctor,
        listing,
        report_work,
        upkeep,
    )

    app.command("doctor")(doctor.doctor)
    app.add_typer(commands.terminal, name="terminal")
    app.add_typer(listing.incident, name="incident")
    listing.case.command("move")(case_work.case_move)
    listing.case.command("comment")(case_work.case_comment)
    app.add_typer(listing.case, name="case")
    app.add_typer(report_work.report, name="report")
    app.add_typer(commands.token, name="token")
    upkeep.db.command("backup")(backup_work.db_backup)
    upkeep.db.command("restore")(backup_work.db_restore)
    app.add_typer(upkeep.db, name="db")
    app.add_typer(calendar_work.calendar, name="calendar")


def main() -> None:
    """Run the command line and end with its status: 0 done, 1 failed, 2 asked wrongly."""
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(name)s %(message)s"
    )
    logging.getLogger("pymorphy3").setLevel(logging.WARNING)
    if sys.argv[1:2] == ["serve"]:
        # While its modules are still read, too, a signal is a wish and not a failure.
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda *_: sys.exit(0))
    sys.exit(status_of(sys.argv[1:]))


def status_of(arguments: list[str]) -> int:
    """Run one command and return its exit status; a failure is told in a line, not a traceback."""
    try:
        app = make_app(arguments[0] if arguments else None)
        result = app(arguments, prog_name="kvitok", standalone_mode=False)
    except TyperException as error:
        show = getattr(error, "show", None)
        if show is not None:
            show()
        return error.exit_code
    except Exit as wanted:
        return wanted.exit_code
    except (KeyboardInterrupt, Abort):
        print("kvitok: stopped", file=sys.stderr)  # noqa: T201 - a command line talks
        return STOPPED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILURE
    except Exception as error:  # noqa: BLE001 - the one place where everything is caught
        return _told(error)
    return result if isinstance(result, int) else 0


def _told(error: Exception) -> int:
    """Tell an error of ours in its own words, and any other as the mistake that it is."""
    ours = type(error).__module__.partition(".")[0] in {
        "collector", "desk", "incidents", "kvitok", "sql",
    }  # fmt: skip
    if ours or isinstance(error, OSError):
        print(f"kvitok: {error}", file=sys.stderr)  # noqa: T201
        return ASKED_WRONGLY if isinstance(error, SettingsError) else FAILURE
    if isinstance(error, ModuleNotFoundError) and (told := missing(error)):
        print(told, file=sys.stderr)  # noqa: T201
        return ASKED_WRONGLY
    if os.environ.get("KVITOK_DEBUG"):
        traceback.print_exception(error)
    else:
        print(  # noqa: T201
            f"kvitok: a mistake in Kvitok itself ({type(error).__name__}: {error}); "
            "set KVITOK_DEBUG=1 to see where, and report it",
            file=sys.stderr,
        )
    return FAILURE
