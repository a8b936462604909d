"""Keys, tokens and passwords of an embedded service: made once, kept for its owner only."""

import json
import os
import secrets
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Self


@dataclass(frozen=True)
class Secrets:
    """Everything secret that one data folder has."""

    account_key: str
    report_key: str
    token: str
    mqtt_test: str
    mqtt_collector: str
    database_owner: str
    database_collector: str
    database_incidents: str
    database_desk: str
    database_grafana: str

    @classmethod
    def new(cls) -> Self:
        """Return fresh ones of 256 random bits each."""
        made = {field.name: secrets.token_hex(32) for field in fields(cls)}
        made["token"] = "kvt_" + secrets.token_urlsafe(32)
        return cls(**made)


def keep(path: Path) -> Secrets:
    """Return the secrets kept in the file, making those that are not there yet."""
    known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    made = asdict(Secrets.new())
    kept = Secrets(**{name: known.get(name, made[name]) for name in made})
    if asdict(kept) != known:
        write_private(path, json.dumps(asdict(kept), indent=2) + "\n")
    return kept


def read(path: Path) -> Secrets | None:
    """Return the secrets kept in the file; None where there are none, or not all."""
    try:
        return Secrets(**json.loads(path.read_text(encoding="utf-8")))
    except (FileNotFoundError, TypeError):
        return None


def write_private(path: Path, text: str) -> None:
    """Replace the file at once, readable by its owner only, whole after a power cut."""
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
