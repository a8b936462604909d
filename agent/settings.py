"""`agent.toml`: one file, read once, every mistake named with its key and what to do."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from agent.devices.settings import DeviceSettings, DeviceSettingsWrong, read_devices
from wire.topics import TerminalId, terminal_id

_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost"})


class SettingsWrong(Exception):  # noqa: N818 - it names what is
    """The file cannot be used; the text says where and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalSettings:
    """Where the journal lies and how much it may hold."""

    path: Path
    most_mib: int = 256
    """Bound of the journal; at it, unsent events without money go first, then sales stop."""
    keep_mib: int = 64
    keep_days: int = 7
    reserve_mib: int = 4
    """Set aside in a file of its own for the day the disk is full."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MqttSettings:
    """How the broker is reached; `tls` checks its certificate against `ca_file` or the system's."""

    host: str
    port: int = 0
    """0: 8883 with TLS, 1883 without."""
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: bool = False
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    keepalive_s: int = 60
    reconnect_s_max: int = 120

    @property
    def port_used(self) -> int:
        """The port, or the usual one."""
        return self.port or (8883 if self.tls else 1883)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramSettings:
    """Where the payment program finds the agent: a Unix socket, or a port on loopback."""

    socket: Path | None = None
    port: int | None = None
    host: str = "127.0.0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentSettings:
    """Everything that `agent.toml` says."""

    terminal: TerminalId
    journal: JournalSettings
    mqtt: MqttSettings
    program: ProgramSettings
    pulse_interval_s: int = 60
    devices: tuple[DeviceSettings, ...] = ()


def load_settings(path: Path) -> AgentSettings:
    """Read the file; paths in it are relative to its folder.

    Raises:
        SettingsWrong: it cannot be read, or something in it is wrong.
    """
    try:
        value = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise SettingsWrong(f"{path}: cannot be read ({error.strerror}); check --config") from error
    except (ValueError, RecursionError) as error:  # no TOML, no UTF-8, endless digits, too deep
        raise SettingsWrong(f"{path}: is not TOML: {error}") from error
    return _Reader(path).agent(value)


class _Reader:
    """Reads tables and knows the file's name for the complaint."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def agent(self, value: dict[str, Any]) -> AgentSettings:
        top = _Table(self._path, "", value)
        terminal = terminal_id(top.text("terminal") or "")
        if terminal is None:
            raise top.wrong("terminal", "must be the printed number: 1 to 32 of A-Z a-z 0-9 _ -")
        journal = self._journal(top.table("journal"))
        mqtt = self._mqtt(top.table("mqtt"), terminal)
        program = self._program(top.table("program"))
        pulse = top.table("pulse")
        interval_s = pulse.number("interval_s", 60, least=1, most=86_400)
        pulse.finish()
        try:
            devices = read_devices(top.tables("device"))
        except DeviceSettingsWrong as wrong:
            raise SettingsWrong(f"{self._path}: {wrong}") from wrong
        top.finish()
        return AgentSettings(
            terminal=terminal,
            journal=journal,
            mqtt=mqtt,
            program=program,
            pulse_interval_s=interval_s,
            devices=devices,
        )

    def _journal(self, table: "_Table") -> JournalSettings:
        path = table.path("path")
        if path is None:
            raise table.wrong("path", "is missing: name the journal's file, on a lasting disk")
        made = JournalSettings(
            path=path,
            most_mib=table.number("most_mib", 256, least=1, most=65_536),
            keep_mib=table.number("keep_mib", 64, least=1, most=65_536),
            keep_days=table.number("keep_days", 7, least=1, most=3_650),
            reserve_mib=table.number("reserve_mib", 4, least=0, most=1_024),
        )
        table.finish()
        return made

    def _mqtt(self, table: "_Table", terminal: str) -> MqttSettings:
        host = table.text("host")
        if not host:
            raise table.wrong("host", "is missing: name the broker")
        password, password_file = table.text("password"), table.path("password_file")
        if password is not None and password_file is not None:
            raise table.wrong("password", "and password_file are both given: keep one")
        if password_file is not None:
            try:
                password = password_file.read_text("utf-8").strip()
            except (OSError, ValueError) as error:
                raise table.wrong("password_file", f"cannot be read: {error}") from error
        made = MqttSettings(
            host=host,
            port=table.number("port", 0, least=0, most=65_535),
            user=table.text("user") or terminal,
            password=password,
            tls=table.flag("tls", default=False),
            ca_file=table.existing("ca_file"),
            cert_file=table.existing("cert_file"),
            key_file=table.existing("key_file"),
            keepalive_s=table.number("keepalive_s", 60, least=5, most=3_600),
            reconnect_s_max=table.number("reconnect_s_max", 120, least=1, most=3_600),
        )
        if not made.tls and (made.ca_file or made.cert_file or made.key_file):
            raise table.wrong("tls", "is off but certificates are named: set tls = true")
        table.finish()
        return made

    def _program(self, table: "_Table") -> ProgramSettings:
        socket, has_port = table.path("socket"), table.has("port")
        port = table.number("port", 0, least=0, most=65_535) if has_port else None
        host = table.text("host") or "127.0.0.1"
        if (socket is None) == (port is None):
            raise table.wrong("socket", "or port is needed, one of them")
        if host not in _LOOPBACK:
            raise table.wrong("host", "must be loopback: the door has no lock")
        table.finish()
        return ProgramSettings(socket=socket, port=port, host=host)


class _Table:
    """One table of the file; what is not asked for is an unknown key."""

    def __init__(self, path: Path, name: str, value: Mapping[str, Any]) -> None:
        self._path, self._name, self._value = path, name, value
        self._asked: set[str] = set()

    def wrong(self, key: str, text: str) -> SettingsWrong:
        where = f"[{self._name}] {key}" if self._name else key
        return SettingsWrong(f"{self._path}: {where} {text}")

    def has(self, key: str) -> bool:
        return key in self._value

    def table(self, key: str) -> "_Table":
        value = self._take(key, dict, "must be a table")
        return _Table(self._path, key, value or {})

    def tables(self, key: str) -> tuple[Mapping[str, Any], ...]:
        value = self._take(key, list, f"must be written [[{key}]]") or []
        if not all(isinstance(each, dict) for each in value):
            raise self.wrong(key, f"must be written [[{key}]]")
        return tuple(value)

    def text(self, key: str) -> str | None:
        found: str | None = self._take(key, str, "must be a text in quotes")
        return found

    def path(self, key: str) -> Path | None:
        text = self.text(key)
        if text is None:
            return None
        if "\0" in text:
            raise self.wrong(key, "must be a path")
        try:
            return self._path.parent / Path(text).expanduser()
        except RuntimeError as error:
            raise self.wrong(key, f"names {text}: there is no such home") from error

    def existing(self, key: str) -> Path | None:
        path = self.path(key)
        if path is not None and not path.is_file():
            raise self.wrong(key, f"names {path}, which is no file")
        return path

    def number(self, key: str, default: int, *, least: int, most: int) -> int:
        value: int | None = self._take(key, int, "must be a whole number")
        if value is None:
            return default
        if isinstance(value, bool) or not least <= value <= most:
            raise self.wrong(key, f"must be a whole number from {least} to {most}")
        return value

    def flag(self, key: str, *, default: bool) -> bool:
        value: bool | None = self._take(key, bool, "must be true or false")
        return default if value is None else value

    def finish(self) -> None:
        for key in self._value:
            if key not in self._asked:
                known = ", ".join(sorted(self._asked))
                raise self.wrong(key, f"is unknown here; known are {known}")

    def _take(self, key: str, kind: type, text: str) -> Any:  # noqa: ANN401 - narrowed by callers
        self._asked.add(key)
        value = self._value.get(key)
        if value is not None and not isinstance(value, kind):
            raise self.wrong(key, text)
        return value
