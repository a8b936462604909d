import tomllib
from pathlib import Path

import pytest

from agent import VERSION
from agent.commands import reply_to
from agent.devices.machine import DeviceState, Instant, StackOrdered
from agent.devices.settings import read_devices
from agent.equipment import Devices
from agent.journal import Journal
from agent.pulse import Position, Pulsing
from agent.run_file import RunFile
from agent.settings import AgentSettings, SettingsWrong, load_settings
from agent.shape import Entry
from agent.store import Change, Key
from tests.unit.agent.store_memory import MemoryStore
from wire.codec import plain
from wire.journal import Epoch

GOOD = """
terminal = "T-1"
[journal]
path = "j.db"
[mqtt]
host = "broker"
[program]
port = 0
"""


def load(folder: Path, text: str) -> AgentSettings:
    """Read settings from a text."""
    (folder / "agent.toml").write_text(text, encoding="utf-8")
    return load_settings(folder / "agent.toml")


def test_settings_have_defaults_and_paths_beside_the_file(tmp_path: Path) -> None:
    """The shortest useful file."""
    settings = load(tmp_path, GOOD)
    assert settings.journal.path == tmp_path / "j.db"
    assert settings.mqtt.port_used == 1883
    assert (settings.pulse_interval_s, settings.devices) == (60, ())


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"T-1"', '"T 1"', "terminal must be"),
        ('path = "j.db"', "", "[journal] path is missing"),
        ('host = "broker"', "", "[mqtt] host is missing"),
        ("port = 0", "", "[program] socket or port"),
        ("port = 0", 'port = 0\nsocket = "s"', "[program] socket or port"),
        ("port = 0", 'port = 0\nhost = "192.168.0.1"', "[program] host must be loopback"),
        ("port = 0", "port = true", "[program] port must be a whole number"),
        ("port = 0", "port = 0\nspeed = 1", "[program] speed is unknown"),
        ('"broker"', '"broker"\nca_file = "none.pem"', "[mqtt] ca_file names"),
        ('"broker"', '"broker"\ntls = 1', "[mqtt] tls must be true or false"),
        ('"broker"', '"broker"\npassword = "a"\npassword_file = "b"', "keep one"),
        ('"broker"', '"broker"\npassword_file = "absent"', "[mqtt] password_file cannot be read"),
        ("[mqtt]", "[[mqtt]]", "mqtt must be a table"),
        ("[program]", '[[device]]\nkind = "abacus"\n[program]', "[[device]] 1: kind"),
        ("[program]", "[program", "is not TOML"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, old: str, new: str, said: str) -> None:
    """File, key and what would do."""
    with pytest.raises(SettingsWrong, match=r"agent\.toml") as caught:
        load(tmp_path, GOOD.replace(old, new, 1))
    assert said in str(caught.value)


def test_a_file_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    """A missing file is no traceback."""
    with pytest.raises(SettingsWrong, match="cannot be read"):
        load_settings(tmp_path / "nothing.toml")


def test_the_version_is_the_distribution_s() -> None:
    """Two places, one number."""
    project = Path(__file__).parents[3] / "pyproject.toml"
    assert tomllib.loads(project.read_text("utf-8"))["project"]["version"] == VERSION


def test_a_pulse_comes_every_interval_and_when_hastened() -> None:
    """The beat is kept from the last pulse; only an unusual interval is told."""
    pulsing = Pulsing(boot="b", interval_s=30, now=Instant(5))
    position = Position(epoch=Epoch(9), next=4, unacked=1)
    state = DeviceState(device="receipt_printer", status="online", paper="low")
    assert pulsing.deadline() == Instant(5)
    pulse = pulsing.build(position, [state], at=77, now=Instant(8.5), disk_free_mb=None)
    assert plain(pulse) == {
        "at": 77, "epoch": 9, "next": 4, "unacked": 1, "boot": "b", "uptime_s": 3,
        "interval_s": 30, "agent": VERSION,
        "devices": {"receipt_printer": {"status": "online", "paper": "low"}},
    }  # fmt: skip
    assert pulsing.deadline() == Instant(38.5)
    pulsing.hasten(Instant(9))
    assert pulsing.deadline() == Instant(9)


def test_every_order_is_refused_in_words() -> None:
    """Without a key nothing can be checked, so nothing is done; what has no id gets no answer."""
    reply = reply_to(b'{"id":"c","order":"reboot","signature":"x"}')
    assert reply is not None
    assert (reply.outcome, "key" in (reply.text or "")) == ("refused", True)
    for payload in (b"", b"{}", b'{"id":5}', b'{"id":""}', b"\xff"):
        assert reply_to(payload) is None


def test_the_note_being_stacked_is_remembered_until_its_verdict(tmp_path: Path) -> None:
    """Unknown, open order, settled; and the journal's own verdict comes before the file."""
    file = RunFile(tmp_path / "j.db")
    order = StackOrdered(amount=5_000, currency="RUB")
    assert file.memory(lambda *_: []) == "unknown"
    file.keep_order(order, epoch=9, following=4)
    assert file.memory(lambda *_: [b'{"kind":"fault","code":"x"}']) == order
    assert file.memory(lambda *_: [b'{"kind":"cash_accepted"}']) == "settled"
    assert file.memory(lambda *_: [b'{"kind":"fault","code":"note_unaccounted"}']) == "settled"
    file.settle()
    assert file.memory(lambda *_: []) == "settled"


def test_the_newest_events_are_read_past_a_hole() -> None:
    """What was dropped for want of room hides nothing that came after it."""
    store = MemoryStore()
    journal = Journal(store, at=1)
    journal.append([Entry(at=1, money=False, event=b"%d" % number) for number in range(1, 7)])
    head = store.head()
    assert head is not None
    store.write(Change(head=head, drop=[Key(head.epoch, 2), Key(head.epoch, 3)]), durable=True)
    assert list(journal.since(1)) == [b"1", b"4", b"5", b"6"]
    assert list(journal.since(7)) == []


def test_the_cause_of_a_start_is_known_from_the_run_before(tmp_path: Path) -> None:
    """Nothing known, then a restart of the same version in the same boot."""
    file = RunFile(tmp_path / "j.db")
    assert file.begin() == "unknown"
    assert file.begin() in {"restart", "unknown"}


def test_a_wish_for_notes_takes_one_place_however_often_it_changes() -> None:
    """A device loop that is held up loses no order: of wishes only the last one counts."""
    settings = read_devices(
        [{"kind": "ccnet", "port": "/dev/none-1"}, {"kind": "escpos", "port": "/dev/none-2"}]
    )
    devices = Devices(settings, lambda _said: None, memory="settled")
    for number in range(200):
        devices.take_notes(enabled=number % 2 == 0)
    assert devices.print_receipt("job", "text")
