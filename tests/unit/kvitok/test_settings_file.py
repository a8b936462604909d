from pathlib import Path

import pytest

from collector.settings import CollectorSettings
from desk.settings import DeskSettings
from incidents.settings import IncidentsSettings
from kvitok.settings import DatabaseSettings, SettingsError, load

KEY = "ab" * 32
WHOLE = f"""
[database]
dsn = "postgresql://owner@db/kvitok"

[mqtt]
host = "broker.example"
tls = true

[collector]
connections = 4

[secrets]
account_key = "{KEY}"
report_key = "{KEY}"
"""


def file(tmp_path: Path, text: str = WHOLE) -> Path:
    """Write a settings file."""
    path = tmp_path / "kvitok.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_each_program_gets_its_section(tmp_path: Path) -> None:
    """Values, the shared [mqtt] and [secrets], and the defaults of what is not named."""
    settings = load(file(tmp_path), {})
    collector = settings.section(CollectorSettings)
    assert collector.connections == 4
    assert (collector.mqtt.host, collector.mqtt.port, collector.mqtt.tls) == (
        "broker.example",
        1883,
        True,
    )
    assert collector.account_key == bytes.fromhex(KEY)
    assert settings.section(DeskSettings).port == 8080


def test_a_program_uses_the_database_s_address_unless_it_has_its_own(tmp_path: Path) -> None:
    """[database] dsn is the default of [collector] dsn, [incidents] dsn and [desk] dsn."""
    settings = load(file(tmp_path, WHOLE + '[desk]\ndsn = "postgresql://desk@db/kvitok"\n'), {})
    assert settings.section(DatabaseSettings).dsn == "postgresql://owner@db/kvitok"
    assert settings.section(IncidentsSettings).dsn == "postgresql://owner@db/kvitok"
    assert settings.section(DeskSettings).dsn == "postgresql://desk@db/kvitok"


def test_the_environment_wins(tmp_path: Path) -> None:
    """KVITOK_<SECTION>_<KEY> replaces what the file says, texts turned into the key's type."""
    environment = {
        "KVITOK_COLLECTOR_CONNECTIONS": "7",
        "KVITOK_MQTT_TLS": "false",
        "KVITOK_INCIDENTS_HOLD_S": "1.5",
        "KVITOK_DATABASE_DSN": "postgresql://elsewhere/kvitok",
        "KVITOK_CONFIG": "not a setting",
    }
    settings = load(file(tmp_path), environment)
    assert settings.section(CollectorSettings).connections == 7
    assert settings.section(CollectorSettings).mqtt.tls is False
    assert settings.section(IncidentsSettings).hold_s == 1.5
    assert settings.section(DeskSettings).dsn == "postgresql://elsewhere/kvitok"


def test_settings_can_come_from_the_environment_alone() -> None:
    """Without a file, every key has a name there."""
    settings = load(None, {"KVITOK_DATABASE_DSN": "postgresql://db/kvitok"})
    assert settings.section(IncidentsSettings).dsn == "postgresql://db/kvitok"


def test_a_secret_can_stand_in_a_file_of_its_own(tmp_path: Path) -> None:
    """<key>_file is read from beside the settings file, its line end taken off."""
    (tmp_path / "mqtt.password").write_text("swordfish\n", encoding="utf-8")
    settings = load(file(tmp_path, WHOLE.replace("tls = true", 'password_file = "mqtt.password"')))
    assert settings.section(CollectorSettings).mqtt.password == "swordfish"  # noqa: S105 - an example


def test_the_environment_s_file_wins_over_the_file_s_value(tmp_path: Path) -> None:
    """KVITOK_MQTT_PASSWORD_FILE replaces [mqtt] password."""
    (tmp_path / "p").write_text("new", encoding="utf-8")
    path = file(tmp_path, WHOLE.replace("tls = true", 'password = "old"'))
    settings = load(path, {"KVITOK_MQTT_PASSWORD_FILE": str(tmp_path / "p")})
    assert settings.section(CollectorSettings).mqtt.password == "new"  # noqa: S105 - an example


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[collector]\nconections = 4", "[collector] conections is no setting; did you mean conn"),
        ("[colector]\nconnections = 4", "'colector'; did you mean collector?"),
        ("dsn = 'x'", "nobody reads 'dsn'"),
        ("[collector]\nconnections = 'many'", "[collector] connections must be a whole number"),
        ("[mqtt]\ntls = 'maybe'", "[mqtt] tls must be true or false, not 'maybe'"),
        ("[secrets]\naccount_key = 'abcd'", "[secrets] account_key must be hexadecimal digits"),
        ("[mqtt]\npassword_file = 'gone'", "cannot read"),
        ("[database", "is not TOML"),
    ],
)
def test_a_mistake_is_told_with_its_place(tmp_path: Path, text: str, told: str) -> None:
    """An error names the key, the file, and the nearest that exists; never a secret's value."""
    keys = "" if "[secrets]" in text else f"[secrets]\naccount_key = '{KEY}'\n"
    path = file(tmp_path, f"{text}\n[database]\ndsn = 'postgresql://x'\n{keys}")
    with pytest.raises(SettingsError) as error:
        load(path, {}).section(CollectorSettings)
    assert told in str(error.value)
    assert "abcd" not in str(error.value)


def test_a_missing_value_says_where_it_belongs(tmp_path: Path) -> None:
    """The error names the key and the variable that would do."""
    with pytest.raises(SettingsError, match=r"\[secrets\] account_key is missing.*KVITOK_SECRETS_"):
        load(file(tmp_path, "[database]\ndsn = 'x'\n"), {}).section(CollectorSettings)
    with pytest.raises(SettingsError, match=r"\[database\] dsn is missing.*KVITOK_DATABASE_DSN"):
        load(file(tmp_path, ""), {}).section(IncidentsSettings)


def test_an_unknown_variable_of_a_section_is_an_error() -> None:
    """A typing mistake in the environment is not passed over."""
    with pytest.raises(SettingsError, match="did you mean KVITOK_INCIDENTS_HOLD_S"):
        load(None, {"KVITOK_INCIDENTS_HOLD": "3"})


def test_a_file_that_is_not_there_is_told() -> None:
    """The error says which file and how to name another."""
    with pytest.raises(SettingsError, match=r"gone\.toml: No such file.*--config"):
        load(Path("gone.toml"), {})


def test_a_key_that_several_programs_read_stands_in_one_section(tmp_path: Path) -> None:
    """[incidents] due_working_days is the desk's too; [desk] has none of its own."""
    settings = load(file(tmp_path, f"{WHOLE}\n[incidents]\ndue_working_days = 3\n"), {})
    assert settings.section(IncidentsSettings).due_working_days == 3
    assert settings.section(DeskSettings).due_working_days == 3
    assert load(file(tmp_path), {}).section(DeskSettings).due_working_days == 5
    named = load(file(tmp_path), {"KVITOK_INCIDENTS_DUE_WORKING_DAYS": "4"})
    assert named.section(DeskSettings).due_working_days == 4
    with pytest.raises(SettingsError, match="due_working_days is no setting"):
        load(file(tmp_path, f"{WHOLE}\n[desk]\ndue_working_days = 3\n"), {})
