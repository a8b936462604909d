"""The commands that run: `serve`, `collector`, `incidents`, `desk`, `mail run`, `demo`, `sim`."""

import contextlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from kvitok.place import Config, Data, settings_of
from kvitok.supervisor import READY_FD

Report = Annotated[
    Path | None,
    typer.Option("--report", metavar="FILE", help="Write what was injected and found, as JSON."),
]


def serve(
    *,
    embedded: Annotated[
        bool, typer.Option("--embedded", help="With a broker and a database of its own.")
    ] = False,
    data: Annotated[
        Path | None,
        typer.Option(
            "--data", metavar="DIR", envvar="KVITOK_DATA", help="With --embedded: its folder."
        ),
    ] = None,
    mqtt_port: Annotated[
        int,
        typer.Option(
            "--mqtt-port",
            min=0,
            max=65535,
            metavar="PORT",
            help="With --embedded; 0: any free one.",
        ),
    ] = 0,
    http_port: Annotated[
        int,
        typer.Option(
            "--http-port",
            min=0,
            max=65535,
            metavar="PORT",
            help="With --embedded; 0: any free one.",
        ),
    ] = 0,
    config: Config = None,
) -> None:
    """Run the whole service until Ctrl-C or SIGTERM; one line of JSON says when it is ready."""
    from kvitok import serve as service  # noqa: PLC0415 - what `--help` does not need

    if embedded:
        if data is None:
            raise typer.BadParameter("--embedded needs --data DIR, the folder for all it keeps")
        service.serve_embedded(service.Embedded(data, mqtt_port, http_port))
    elif config is None:
        raise typer.BadParameter(
            "either --embedded --data DIR, or --config FILE with your own broker and database"
        )
    else:
        service.serve_configured(config)


def collector(data: Data = None, config: Config = None) -> None:
    """Run the collector alone: MQTT to the database."""
    from collector.app import run  # noqa: PLC0415 - each process loads only its own program
    from collector.settings import CollectorSettings  # noqa: PLC0415 - the same

    run(settings_of(data, config).section(CollectorSettings), ready=announcer())


def incidents(data: Data = None, config: Config = None) -> None:
    """Run the fold alone: journals to incidents and cases."""
    from incidents.app import run  # noqa: PLC0415 - each process loads only its own program
    from incidents.settings import IncidentsSettings  # noqa: PLC0415 - the same

    run(settings_of(data, config).section(IncidentsSettings), ready=announcer())


def desk(data: Data = None, config: Config = None) -> None:
    """Run the desk alone: staff pages and JSON API."""
    from desk.app import run  # noqa: PLC0415 - each process loads only its own program
    from desk.settings import DeskSettings  # noqa: PLC0415 - the same

    run(settings_of(data, config).section(DeskSettings))


def mail_run(data: Data = None, config: Config = None) -> None:
    """Run the mail program alone: fetch mail, write what is owed, send it."""
    from desk.mailing.app import run  # noqa: PLC0415 - each process loads only its own program
    from desk.mailing.settings import MailSettings  # noqa: PLC0415 - the same
    from desk.settings import DeskSettings  # noqa: PLC0415 - the same

    settings = settings_of(data, config)
    run(settings.section(MailSettings), settings.section(DeskSettings), ready=announcer())


def mail_check(
    *,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    data: Data = None,
    config: Config = None,
) -> None:
    """Try every way that mail comes in and goes out, sending nothing; 1 when one does not work."""
    from kvitok.mail_check import check  # noqa: PLC0415 - what a program does not need

    check(settings_of(data, config), json=json)


def announcer() -> Callable[[], None]:
    """Return what a program calls once when it works: `serve` waits for that."""
    descriptor = os.environ.pop(READY_FD, "")
    if not descriptor.isdigit():
        return lambda: None

    def announce() -> None:
        with contextlib.suppress(OSError):
            os.write(int(descriptor), b"\n")
            os.close(int(descriptor))

    return announce


def demo(
    *,
    seconds: Annotated[
        float | None,
        typer.Option("--for", min=1, metavar="SECONDS", help="Headless: so long, then compare."),
    ] = None,
    report: Report = None,
    terminals: Annotated[int, typer.Option("--terminals", min=1, max=500, metavar="N")] = 20,
    full: Annotated[
        int | None,
        typer.Option(
            "--full",
            min=0,
            metavar="N",
            show_default=False,
            help="How many run a real agent and firmware.",
        ),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option("--seed", metavar="N", show_default=False, help="Repeat a run's faults."),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option("--data", metavar="DIR", show_default=False, help="Keep the data there."),
    ] = None,
) -> None:
    """Run everything with a small fleet of simulated kiosks, their customers and faults."""
    from kvitok import demo as show  # noqa: PLC0415 - what `--help` does not need

    wanted = show.Wanted(
        seconds=seconds, report=report, terminals=terminals, full=full, seed=seed, data=data
    )
    raise typer.Exit(show.run(wanted))


def sim(  # noqa: PLR0913 - one a wish
    *,
    port: Annotated[
        int, typer.Option("--mqtt-port", min=1, max=65535, metavar="PORT", help="Of a broker.")
    ],
    host: Annotated[str, typer.Option("--mqtt-host", metavar="HOST")] = "127.0.0.1",
    user: Annotated[str | None, typer.Option("--mqtt-user", metavar="NAME")] = None,
    terminals: Annotated[int, typer.Option("--terminals", min=1, metavar="N")] = 20,
    full: Annotated[int, typer.Option("--full", min=0, metavar="N")] = 0,
    seconds: Annotated[float | None, typer.Option("--for", metavar="SECONDS")] = None,
    seed: Annotated[int, typer.Option("--seed", metavar="N")] = 1,
    folder: Annotated[
        Path,
        typer.Option("--folder", metavar="DIR", help="For fleet.csv, truth.json and the agents."),
    ] = Path("sim"),
) -> None:
    """Run a simulated fleet against a broker; its password comes from KVITOK_SIM_PASSWORD."""
    from firmware_sim.app import SimSettings, run  # noqa: PLC0415 - what `--help` does not need
    from firmware_sim.fleet import Broker  # noqa: PLC0415 - the same

    full = min(full, terminals)
    settings = SimSettings(
        mqtt=Broker(
            host=host, port=port, user=user, password=os.environ.get("KVITOK_SIM_PASSWORD")
        ),
        folder=folder.expanduser().absolute(),
        seed=seed,
        full=full,
        light=terminals - full,
        for_s=seconds or 0.0,
    )
    raise typer.Exit(0 if run(settings, typer.echo) else 1)
