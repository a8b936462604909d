"""Where the service is that a command is about: an embedded one's folder, or a settings file."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final

import typer

from kvitok.settings import PREFIX, Settings, SettingsError, load

FIXED: Final = ("DATABASE_", "MQTT_", "SECRETS_", "DESK_HOST", "DESK_PORT", "DESK_METRICS_DIR")
"""What an embedded service's folder decides: the environment must not point elsewhere."""

USUAL: Final = Path("kvitok.toml")

Data = Annotated[
    Path | None,
    typer.Option(
        "--data",
        metavar="DIR",
        envvar="KVITOK_DATA",
        show_default=False,
        help="The folder of a service started with `serve --embedded`.",
    ),
]
Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        envvar="KVITOK_CONFIG",
        show_default=False,
        help="The settings file; default: kvitok.toml here, or the environment alone.",
    ),
]


def settings_of(data: Path | None, config: Path | None) -> Settings:
    """Return the settings of the service that a command is about.

    Raises:
        SettingsError: there is none, or its settings cannot be used.
    """
    if data is not None and config is not None:
        raise typer.BadParameter("name the service once: either --data or --config")
    if data is not None:
        file = data.expanduser() / "kvitok.toml"
        if not file.exists():
            raise SettingsError(
                f"no service was ever started in {data}: "
                f"start one with `kvitok serve --embedded --data {data}`"
            )
        return load(file, embedded_environment(os.environ))
    if config is None and USUAL.exists():
        config = USUAL
    if config is None and not any(
        name.startswith((f"{PREFIX}DATABASE_", f"{PREFIX}MQTT_")) for name in os.environ
    ):
        raise SettingsError(
            "which service? Name the folder of an embedded one with --data DIR, or a settings "
            "file with --config FILE (or set KVITOK_DATA or KVITOK_CONFIG)"
        )
    return load(config)


def embedded_environment(ours: Mapping[str, str]) -> dict[str, str]:
    """Return the environment without what an embedded service's folder decides."""
    fixed = tuple(PREFIX + name for name in FIXED)
    return {name: value for name, value in ours.items() if not name.startswith(fixed)}
