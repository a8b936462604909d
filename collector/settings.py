"""What the collector is told: sections `[mqtt]` and `[collector]` of `kvitok.toml`."""

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class MqttSettings:
    """The broker."""

    host: str = "127.0.0.1"
    """Where it listens."""
    port: int = 1883
    """Its port for MQTT (usually 8883 with TLS)."""
    user: str | None = None
    """The service's user: may read every terminal's topics and write every `ack`."""
    password: str | None = field(default=None, repr=False)
    """That user's password."""
    tls: bool = False
    """Whether to speak TLS; the broker's certificate is always checked."""
    ca_file: Path | None = None
    """Certificates to trust instead of the system's."""
    cert_file: Path | None = None
    """Our own certificate, where the broker wants one."""
    key_file: Path | None = None
    """The key of that certificate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectorSettings:
    """One collector process."""

    dsn: str = field(repr=False)
    """The database, as `kvitok_collector`."""
    account_key: bytes = field(repr=False)
    """Key of the account hashes; the desk needs the same. Lost, no account can be confirmed."""
    mqtt: MqttSettings = field(default_factory=MqttSettings)
    """The broker."""
    name: str = "collector"
    """Told apart from other collectors in logs and in the table `listening`."""
    connections: int = 2
    """Database connections that store journals at once, terminals split among them."""
    share: bool = True
    """Share the work with other collectors through `$share/collectors/…`, where it delivers."""
    queue_mib: int = 64
    """Journal messages that may wait for the database; more are dropped and sent again."""
    keep_days: int = 400
    """Journal events older than this are dropped, a week at a time."""
    metrics_port: int = 0
    """Serve this process's own metrics on loopback (0: not)."""
