"""`kvitok db backup` and `kvitok db restore`."""

import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Annotated, Final

import typer

from collector.settings import CollectorSettings
from desk.settings import DeskSettings
from kvitok import backup as backups
from kvitok.backup import Backup, BackupFailed, Origin, fingerprint, size
from kvitok.commands import now
from kvitok.dump import CASE_NUMBER, Restored, dump, facts_of, numbers_of, restore
from kvitok.embedded.alone import fresh, put_in_place, running
from kvitok.embedded.errors import EmbeddedError, FolderTaken
from kvitok.embedded.folder import held
from kvitok.embedded.postgres import Postgres
from kvitok.embedded.secrets import Secrets, keep
from kvitok.embedded.secrets import read as read_secrets
from kvitok.place import Config, Data, settings_of
from kvitok.settings import DatabaseSettings, Settings, SettingsError
from kvitok.show import cell
from sql.connect import DatabaseUnreachable

TELL_EVERY_S: Final = 2.0
KEYS: Final = ("account_key", "report_key")

OtherKeys = Annotated[
    bool,
    typer.Option(
        "--other-keys",
        help="Restore although the secret keys are not those of the backup: accounts and reports "
        "of before can then never be read or confirmed again.",
    ),
]


LastNumber = Annotated[
    int,
    typer.Option(
        "--last-number",
        min=0,
        metavar="N",
        show_default=False,
        help="The last case number that was given (2124 of K-2026-002124), where nobody can read "
        "it any more; else it is estimated.",
    ),
]


def db_backup(
    target: Annotated[
        Path, typer.Argument(metavar="TARGET", help="A folder that is not there yet.")
    ],
    *,
    data: Data = None,
    config: Config = None,
) -> None:
    """Write a backup of the database into a new folder; the service goes on meanwhile.

    An embedded service that is stopped is backed up too. The secret keys are not in the backup:
    keep a copy of `secrets.json` (or of what `[secrets]` names) in another place.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    target = target.expanduser().absolute()
    if data is not None and config is None:
        folder = data.expanduser().absolute()
        with _database_of(folder) as (dsn, secrets):
            made = _back_up(dsn, target, _keys_of(secrets))
    else:
        settings = settings_of(data, config)
        made = _back_up(settings.section(DatabaseSettings).dsn, target, _keys_in(settings))
    typer.echo(f"{made.folder}: {size(made.manifest.bytes)}, migration {_schema(made)}")
    where = "secrets.json" if data is not None else "the keys of [secrets]"
    typer.echo(f"not in it: {where}; keep a copy of that in another place", err=True)


def db_restore(
    folder: Annotated[
        Path, typer.Argument(metavar="BACKUP", help="A folder that `kvitok db backup` made.")
    ],
    *,
    other_keys: OtherKeys = False,
    last_number: LastNumber = 0,
    data: Data = None,
    config: Config = None,
) -> None:
    """Put a backup in the place of the database; the one of before is kept.

    With --data the service must be stopped; its database of before stays in a folder beside. With
    --config the database that the settings name must be empty.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    settings = None if data is not None and config is None else settings_of(data, config)
    given = {CASE_NUMBER: last_number}
    backup = backups.read(folder.expanduser().absolute())
    if settings is not None:
        if not other_keys:
            _check_keys(backup, _keys_in(settings), settings.origin)
        backups.verify(backup, _telling())
        dsn = settings.section(DatabaseSettings).dsn
        _tell_restored(backup, restore(dsn, backup, now(), given=given, tell=_telling()))
        return
    assert data is not None
    place = data.expanduser().absolute()
    with held(place, "kvitok db restore"):
        if not other_keys:
            file = place / "secrets.json"
            _check_keys(backup, _keys_of(read_secrets(file)), str(file))
        backups.verify(backup, _telling())
        _restore_embedded(place, backup, given)
    typer.echo(f"start it: kvitok serve --embedded --data {data}")


def _restore_embedded(place: Path, backup: Backup, given: dict[str, int]) -> None:
    password = keep(place / "secrets.json").database_owner
    given |= {name: max(last, given.get(name, 0)) for name, last in _given(place, password).items()}
    with fresh(place, password) as server:
        with running(server):
            restored = restore(server.dsn(), backup, now(), given=given, tell=_telling())
        aside = put_in_place(place, server, now())
    _tell_restored(backup, restored)
    if aside is not None:
        typer.echo(f"the database of before is in {aside}: delete it when all is well")


def _given(place: Path, password: str) -> dict[str, int]:
    """Return how far numbers had come in the database of before; nothing where it cannot say."""
    postgres = Postgres(place, password)
    if not postgres.is_there:
        return {}
    try:
        with running(postgres):
            return numbers_of(postgres.dsn())
    except (BackupFailed, DatabaseUnreachable, EmbeddedError, OSError) as error:
        typer.echo(
            f"the database of before does not say how far its numbers went ({error}): "
            "they are estimated",
            err=True,
        )
        return {}


@contextmanager
def _database_of(folder: Path) -> Iterator[tuple[str, Secrets]]:
    """Yield the address of an embedded database, which runs for us alone where nobody serves."""
    secrets = read_secrets(folder / "secrets.json")
    if secrets is None or not Postgres(folder, "").is_there:
        raise SettingsError(f"no service was ever started in {folder}: name its folder with --data")
    postgres = Postgres(folder, secrets.database_owner)
    try:
        with held(folder, "kvitok db backup"), running(postgres):
            yield postgres.dsn(), secrets
    except FolderTaken as taken:
        try:
            facts_of(postgres.dsn())
        except DatabaseUnreachable:
            raise BackupFailed(
                f"{str(taken).partition(':')[0]}, and its database does not answer: try again when "
                "it has started or ended"
            ) from None
        yield postgres.dsn(), secrets


def _back_up(dsn: str, target: Path, keys: Mapping[str, str]) -> Backup:
    facts = facts_of(dsn)
    origin = Origin(now(), metadata.version("kvitok"), facts.schema, facts.postgres, keys)
    tell = _telling()
    return backups.write(target, origin, lambda file: dump(dsn, file, tell), tell)


def _check_keys(backup: Backup, ours: Mapping[str, str], where: str) -> None:
    """Return when what was written with the backup's keys can be read with ours.

    Raises:
        BackupFailed: a key is another one.
    """
    theirs = backup.manifest.origin.keys
    if unknown := [name for name in KEYS if name not in theirs]:
        typer.echo(
            f"the backup does not say of which {' and '.join(unknown)} it is: take care that "
            f"{where} has the one of that time",
            err=True,
        )
    if wrong := [name for name in KEYS if name in theirs and ours.get(name) != theirs[name]]:
        raise BackupFailed(
            f"{where} has not the {' and '.join(wrong)} of the backup, without which its accounts "
            "and reports can never be read or confirmed again: put the copy of that time there "
            "first, or, if it is lost, say --other-keys"
        )


def _keys_of(secrets: Secrets | None) -> dict[str, str]:
    if secrets is None:
        return {}
    return {name: fingerprint(bytes.fromhex(getattr(secrets, name))) for name in KEYS}


def _keys_in(settings: Settings) -> dict[str, str]:
    """Return the fingerprints of the keys that the settings have; a database alone has none."""
    found = {}
    for kind, name in ((CollectorSettings, "account_key"), (DeskSettings, "report_key")):
        key = settings.one(kind, name)
        if isinstance(key, bytes):
            found[name] = fingerprint(key)
    return found


def _tell_restored(backup: Backup, restored: Restored) -> None:
    origin = backup.manifest.origin
    typer.echo(f"restored {backup.folder}, made {cell(origin.made_at)}")
    typer.echo(
        f"case numbers go on after {restored.case_number:06}: one that a customer was told since "
        "is not given again"
    )
    typer.echo(
        f"API tokens are as they were, {restored.tokens} in use: revoke again what was revoked "
        "since (kvitok token list)"
    )


def _schema(backup: Backup) -> str:
    return f"{backup.manifest.origin.schema:04}"


def _telling() -> Callable[[str], None]:
    """Return what tells how far it is, every two seconds."""
    told = time.monotonic()

    def tell(text: str) -> None:
        nonlocal told
        if time.monotonic() - told >= TELL_EVERY_S:
            told = time.monotonic()
            typer.echo(text, err=True)

    return tell
