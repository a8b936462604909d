"""The one settings file, `kvitok.toml`: a section per program, read into that program's own class.

Laws: a key that nobody reads is an error and names the nearest one; the environment wins over the
file (`KVITOK_<SECTION>_<KEY>`); what is secret can stand in a file of its own (`<key>_file`).
"""

import dataclasses
import difflib
import os
import tomllib
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

from collector.settings import CollectorSettings, MqttSettings
from desk.mailing.settings import MailSettings
from desk.settings import DeskSettings
from incidents.settings import IncidentsSettings

PREFIX: Final = "KVITOK_"
SECRETS: Final = "secrets"
SHARED: Final[dict[type, str]] = {MqttSettings: "mqtt"}
"""Classes inside other classes that have a section of their own."""
KEPT_IN: Final[dict[str, str]] = {"due_working_days": "incidents"}
"""Keys that several programs read, and the one section that they stand in."""


@dataclasses.dataclass(frozen=True)
class DatabaseSettings:
    """The database as its owner sees it (migrations, roles, partitions)."""

    dsn: str
    """Its address: `postgresql://user:password@host/name`. Programs use it unless they have one."""


SECTIONS: Final[dict[str, type]] = {
    "database": DatabaseSettings,
    "mqtt": MqttSettings,
    "collector": CollectorSettings,
    "incidents": IncidentsSettings,
    "desk": DeskSettings,
    "mail": MailSettings,
}

Section = TypeVar("Section")
Value = str | int | float | bool | list[Any] | dict[str, Any]


class SettingsError(Exception):
    """The settings cannot be used; the text says which key, where, and what to do."""


@dataclasses.dataclass(frozen=True)
class Settings:
    """What the file and the environment say, every key known."""

    origin: str
    folder: Path
    """Where `<key>_file` and other relative paths are counted from."""
    values: Mapping[tuple[str, ...], tuple[Value, str]]
    """(section, key) → value and where it stands, for messages."""

    def section(self, kind: type[Section]) -> Section:
        """Return one program's settings, whole.

        Raises:
            SettingsError: a value is missing or of the wrong type.
        """
        name = next(name for name, each in SECTIONS.items() if each is kind)
        return self._fill(kind, (name,))

    def one(self, kind: type, key: str) -> Any:  # noqa: ANN401 - of the key's type
        """Return one setting, or its default, where the rest of the section may be missing."""
        name = next(name for name, each in SECTIONS.items() if each is kind)
        field = next(each for each in dataclasses.fields(kind) if each.name == key)
        hint = typing.get_type_hints(kind)[key]
        spot = self._spot((name,), key, hint)
        if spot is None:
            return field.default
        value, where = self.values[spot]
        return self._convert(value, hint, where)

    def _fill(self, kind: type[Section], path: tuple[str, ...]) -> Section:
        hints = typing.get_type_hints(kind)
        found: dict[str, object] = {}
        for field in dataclasses.fields(kind):  # type: ignore[arg-type]  # a dataclass, see SECTIONS
            hint = hints[field.name]
            if dataclasses.is_dataclass(hint):
                inner = (SHARED[hint],) if hint in SHARED else (*path, field.name)
                if inner[0] in SHARED.values() or _is_required(field) or self._has(inner):
                    found[field.name] = self._fill(typing.cast("type", hint), inner)
                continue
            spot = self._spot(path, field.name, hint)
            if spot is not None:
                value, where = self.values[spot]
                found[field.name] = self._convert(value, hint, where)
            elif _is_required(field):
                raise SettingsError(self._missing(path, field.name, hint))
        return kind(**found)

    def _spot(self, path: tuple[str, ...], key: str, hint: object) -> tuple[str, ...] | None:
        """Return where the value of a key stands: in its section, or where it has its default."""
        spots = [(*path, key)]
        if _holds(hint, bytes):
            spots = [(SECRETS, key)]
        elif key == "dsn":
            spots.append(("database", "dsn"))
        elif key in KEPT_IN:
            spots = [(KEPT_IN[key], key)]
        return next((spot for spot in spots if spot in self.values), None)

    def _has(self, path: tuple[str, ...]) -> bool:
        return any(spot[: len(path)] == path for spot in self.values)

    def _missing(self, path: tuple[str, ...], key: str, hint: object) -> str:
        section = SECRETS if _holds(hint, bytes) else ".".join(path)
        where = "[database] dsn" if key == "dsn" else f"[{section}] {key}"
        name = f"{PREFIX}{'DATABASE' if key == 'dsn' else section.upper()}_{key.upper()}"
        return f"{self.origin}: {where} is missing: add it there, or set {name}"

    def _convert(self, value: Value, hint: object, where: str) -> object:
        """Return a value of the file or the environment as the type the class wants."""
        wanted = _plain(hint)
        try:
            return _as(wanted, value, self.folder)
        except (KeyError, TypeError, ValueError):
            name = _NAMES.get(wanted, getattr(wanted, "__name__", str(wanted)))
            shown = "" if wanted is bytes else f", not {value!r}"
            raise SettingsError(f"{where} must be {name}{shown}") from None


_NAMES: Final[dict[object, str]] = {
    str: "a text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    bytes: "hexadecimal digits of 32 bytes (made by: openssl rand -hex 32)",
    Path: "a path",
}
_WORDS: Final = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
_KEY_BYTES: Final = 32


def load(path: Path | None, environment: Mapping[str, str] = os.environ) -> Settings:
    """Return the settings of a file (or of the environment alone).

    Raises:
        SettingsError: the file cannot be read, or names a section or key that nobody reads.
    """
    table: dict[str, Any] = {}
    origin, folder = "the environment", Path.cwd()
    if path is not None:
        origin, folder = str(path), path.resolve().parent
        table = _read(path)
    values = dict(_files_read(dict(_from_table(table, origin)), folder))
    values |= dict(_files_read(dict(_from_environment(environment)), folder))
    return Settings(origin, folder, values)


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror}; name the file with --config") from error
    except (ValueError, RecursionError) as error:  # no TOML, no UTF-8, endless digits, too deep
        raise SettingsError(f"{path} is not TOML: {error}") from error


def _from_table(
    table: Mapping[str, Any], origin: str
) -> Iterator[tuple[tuple[str, ...], tuple[Value, str]]]:
    known = set(_known_keys())
    sections = {spot[:-1] for spot in known}

    def walk(
        inner: Mapping[str, Any], path: tuple[str, ...]
    ) -> Iterator[tuple[tuple[str, ...], tuple[Value, str]]]:
        for key, value in inner.items():
            spot = (*path, key)
            if isinstance(value, dict) and spot in sections:
                yield from walk(value, spot)
            elif not path:
                names = sorted({each[0] for each in sections})
                raise SettingsError(f"{origin}: nobody reads {key!r}{_nearest(key, names)}")
            elif _without_file(spot, known) is None:
                keys = [each[-1] for each in known if each[:-1] == path]
                raise SettingsError(
                    f"{origin}: [{'.'.join(path)}] {key} is no setting{_nearest(key, keys)}"
                )
            else:
                yield spot, (value, f"{origin}: [{'.'.join(path)}] {key}")

    yield from walk(table, ())


def _from_environment(
    environment: Mapping[str, str],
) -> Iterator[tuple[tuple[str, ...], tuple[Value, str]]]:
    known = set(_known_keys())
    names = {PREFIX + "_".join(spot).upper(): spot for spot in known}
    names |= {f"{name}_FILE": (*spot[:-1], f"{spot[-1]}_file") for name, spot in names.items()}
    sections = tuple(f"{PREFIX}{spot[0].upper()}_" for spot in known)
    for name, value in environment.items():
        if name in names:
            yield names[name], (value, f"the environment: {name}")
        elif name.startswith(sections):
            near = _nearest(name, list(names))
            raise SettingsError(f"the environment: {name} is no setting{near}")


def _files_read(
    values: Mapping[tuple[str, ...], tuple[Value, str]], folder: Path
) -> Iterator[tuple[tuple[str, ...], tuple[Value, str]]]:
    """Yield the values with each `<key>_file` replaced by what its file holds."""
    known = set(_known_keys())
    for spot, (value, where) in values.items():
        if spot in known:
            yield spot, (value, where)
            continue
        key = _without_file(spot, known)
        assert key is not None
        path = folder / str(value)
        try:
            yield key, (path.read_text(encoding="utf-8").strip(), f"{where} ({path})")
        except (OSError, ValueError) as error:
            raise SettingsError(f"{where}: cannot read {path}: {error}") from error


def _known_keys() -> Iterator[tuple[str, ...]]:
    """Yield the spot of every key that some program reads."""
    for name, kind in SECTIONS.items():
        yield from _keys_of(kind, (name,))


def _keys_of(kind: type, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    hints = typing.get_type_hints(kind)
    for field in dataclasses.fields(kind):
        hint = hints[field.name]
        if hint in SHARED:
            continue
        if dataclasses.is_dataclass(hint):
            yield from _keys_of(typing.cast("type", hint), (*path, field.name))
        else:
            inside = (KEPT_IN[field.name],) if field.name in KEPT_IN else path
            yield (SECRETS, field.name) if _holds(hint, bytes) else (*inside, field.name)


def _without_file(spot: tuple[str, ...], known: set[tuple[str, ...]]) -> tuple[str, ...] | None:
    """Return the key that a spot gives: itself, or with `_file` taken off."""
    if spot in known:
        return spot
    short = (*spot[:-1], spot[-1].removesuffix("_file"))
    return short if short in known else None


def _is_required(field: dataclasses.Field[Any]) -> bool:
    missing = dataclasses.MISSING
    return field.default is missing and field.default_factory is missing


def _plain(hint: object) -> Any:  # noqa: ANN401 - a type of any kind
    """Return the type without `| None`."""
    if isinstance(hint, types.UnionType):
        return next(each for each in typing.get_args(hint) if each is not types.NoneType)
    return hint


def _holds(hint: object, kind: type) -> bool:
    return _plain(hint) is kind


def _as(wanted: Any, value: Value, folder: Path) -> object:  # noqa: ANN401 - a type of any kind
    """Return the value as a type, or raise KeyError, TypeError or ValueError."""
    if wanted is Path:
        return folder / _text(value)
    if wanted in _READERS:
        return _READERS[wanted](value)
    if typing.get_origin(wanted) is typing.Literal and value in typing.get_args(wanted):
        return value
    raise TypeError


def _text(value: Value) -> str:
    if isinstance(value, str):
        return value
    raise TypeError


def _truth(value: Value) -> bool:
    return value if isinstance(value, bool) else _WORDS[_text(value).lower()]


def _whole(value: Value) -> int:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise TypeError
    return int(value)


def _number(value: Value) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise TypeError
    return float(value)


def _key(value: Value) -> bytes:
    key = bytes.fromhex(_text(value))
    if len(key) != _KEY_BYTES:
        raise ValueError
    return key


_READERS: Final[dict[object, Callable[[Value], object]]] = {
    str: _text,
    bool: _truth,
    int: _whole,
    float: _number,
    bytes: _key,
}


def _nearest(name: str, names: list[str]) -> str:
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    return f"; did you mean {near[0]}?" if near else f" (there are: {', '.join(sorted(names))})"
