"""What goes wrong with a light terminal besides its transactions, each with what must be found.

A mishap is a piece of life (`resident.Life`) that tells the truth about itself. It happens between
transactions, and leaves the terminal able to go on. What the design calls harmless expects nothing.
"""

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Final

from firmware_sim.light import Publish
from firmware_sim.resident import Life, Resident
from firmware_sim.truth import Expected, Injected
from wire.codec import encode, encode_batch
from wire.events import ClockStepped, DeviceChanged, ServiceAction
from wire.journal import Batch, mark_through
from wire.pulse import DeviceNow
from wire.topics import Channel
from wire.vocabulary import Cause, Device, Paper, Status, Storage

_DAY_MS: Final = 86_400_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Badness:
    """A way for a device to be bad."""

    device: Device
    status: Status
    cause: Cause
    paper: Paper | None = None
    storage: Storage | None = None

    @property
    def rule(self) -> str:
        """The rule that speaks of it."""
        printer = self.device == "receipt_printer"
        return "printer_unavailable" if printer else "acceptor_unavailable"

    def event(self, at: int) -> DeviceChanged:
        """Return the device going bad."""
        return DeviceChanged(
            at=at, device=self.device, status=self.status, paper=self.paper,
            storage=self.storage, cause=self.cause,
        )  # fmt: skip

    def good(self, at: int) -> DeviceChanged:
        """Return the device well again."""
        printer = self.device == "receipt_printer"
        return DeviceChanged(
            at=at, device=self.device, status="online",
            paper="full" if printer else None, storage=None if printer else "ok",
        )  # fmt: skip

    def expected(self, terminal: str, *, must: bool, why: str) -> Expected:
        """Return what must or may be found of it."""
        return Expected(
            rule=self.rule, terminal=terminal, device=self.device, cause=self.cause,
            must=must, why=why,
        )  # fmt: skip


BADNESSES: Final = (
    Badness(device="receipt_printer", status="user_error", paper="out", cause="paper_out"),
    Badness(device="receipt_printer", status="hardware_error", paper="jammed",
            cause="paper_jammed"),
    Badness(device="receipt_printer", status="user_error", cause="cover_open", paper="full"),
    Badness(device="receipt_printer", status="offline", cause="offline"),
    Badness(device="receipt_printer", status="hardware_error", cause="cutter", paper="full"),
    Badness(device="note_acceptor", status="user_error", storage="full", cause="cassette_full"),
    Badness(device="note_acceptor", status="user_error", storage="missing",
            cause="cassette_missing"),
    Badness(device="note_acceptor", status="hardware_error", cause="note_jammed", storage="ok"),
    Badness(device="note_acceptor", status="fraud_attempt", cause="cheated", storage="ok"),
    Badness(device="note_acceptor", status="hardware_error", cause="hardware", storage="ok"),
)  # fmt: skip


def _of(chance: Random, device: Device) -> Badness:
    return chance.choice([each for each in BADNESSES if each.device == device])


def past_device_fault(resident: Resident, device: Device, at: int, *, ends: bool) -> int:
    """Write a device fault of the past, longer than the hold time, with a lost receipt in it."""
    bad = _of(resident.chance, device)
    hold_ms = round(resident.pace.hold_s * 1000)
    resident.terminal.record(bad.event(at))
    end = max(resident.remember("receipt_failed", at + 1000), at + 2 * hold_ms)
    if ends:
        resident.terminal.record(bad.good(end))
    else:
        now = DeviceNow(status=bad.status, paper=bad.paper, storage=bad.storage)
        resident.terminal.devices[device] = now
    fault = Injected(
        terminal=resident.number, fault=f"past_{bad.cause}", at=at, until=end if ends else None
    )
    resident.truth.fault(fault, bad.expected(resident.number, must=True, why="past_device_fault"))
    return end


def device_fault(resident: Resident, device: Device, *, holds: float) -> Life:
    """Make a device bad for so many hold times, now; a stop of the faults ends it sooner."""
    bad, began = _of(resident.chance, device), resident.at
    terminal, until = resident.terminal, resident.now + holds * resident.pace.hold_s
    terminal.record(bad.event(began))
    terminal.devices[device] = DeviceNow(status=bad.status, paper=bad.paper, storage=bad.storage)
    terminal.pulse_soon()
    while resident.now < until and not resident.stopping:
        yield min(0.5, until - resident.now)
    good = bad.good(resident.at)
    terminal.record(good)
    terminal.devices[device] = DeviceNow(status=good.status, paper=good.paper, storage=good.storage)
    terminal.pulse_soon()
    must = resident.pace.must_hold((good.at - began) / 1000)
    expected = bad.expected(resident.number, must=bool(must), why="device_fault")
    fault = Injected(terminal=resident.number, fault=str(bad.cause), at=began, until=good.at)
    resident.truth.fault(fault, *([] if must is None else [expected]))


def blip(resident: Resident) -> Life:
    """Make a device bad for a moment: nobody must be sent out."""
    if resident.healthy:
        device = resident.healthy.pop()
        yield from device_fault(resident, device, holds=min(0.4, 6 / resident.pace.hold_s))


def long_fault(resident: Resident) -> Life:
    """Make a device bad for longer than the hold time, where a run is long enough for it."""
    if resident.healthy:
        yield from device_fault(resident, resident.healthy.pop(), holds=1.7)


def silence(resident: Resident) -> Life:
    """Fall silent for the rest of the run, everything sent before; judged when the run ends."""
    yield from settle(resident)
    if resident.stopping:
        return
    resident.silent = True
    resident.terminal.pulsing = False
    resident.truth.fault(Injected(terminal=resident.number, fault="silence", at=resident.at))


def lost_range(resident: Resident) -> Life:
    """Lose the oldest unsent events of a disk that was full while there was no network (rule 6)."""
    yield from settle(resident)
    resident.terminal.disconnected()
    since = resident.terminal.journal.next
    written = resident.chance.randint(3, 9)
    for _ in range(written):
        resident.terminal.record(ServiceAction(at=resident.at, action="test_receipt"))
        yield 0.1
    lost = resident.terminal.lose(resident.chance.randint(1, written), since=since)
    yield from resident.reconnect()
    # Where the line came back by itself meanwhile, there may be nothing left to lose.
    _tell(resident, "lost_range", "journal_gap" if lost else None)
    yield from settle(resident)


def clone(resident: Resident) -> Life:
    """Let two disks of one history write on, both for real (rules 7 and 8)."""
    yield from settle(resident)
    first = resident.terminal
    second = resident.new_terminal(first.journal.copy())
    second.adopt(first)
    yield from resident.play("good")
    yield from settle(resident)
    first_again = resident.terminal
    resident.terminal = second
    resident.twins.append(first_again)
    yield from resident.play("good")
    yield from resident.reconnect()
    yield from settle(resident)
    for _ in range(3):
        resident.terminal, resident.twins[0] = resident.twins[0], resident.terminal
        yield from resident.play("good")
        yield from settle(resident)
        resident.terminal, resident.twins[0] = resident.twins[0], resident.terminal
    resident.twins.clear()
    _tell(resident, "clone", "identity_clash")


def forgery(resident: Resident) -> Life:
    """Send the batch that is wanted next, with another history before it (rule 7)."""
    yield from settle(resident)
    journal, event = resident.terminal.journal, encode(ClockStepped(at=resident.at, step_ms=0))
    other = f"{resident.chance.getrandbits(64):016x}"
    head = Batch(
        epoch=journal.epoch, first=journal.next, prev=other, last=mark_through(other, [event])
    )
    yield Publish(Channel.JOURNAL, encode_batch(head, [event]))
    _tell(resident, "forgery", "identity_clash")
    yield 1.0


def rollback(resident: Resident) -> Life:
    """Restore an old image of the disk: the terminal notices and begins a new epoch (rule 7)."""
    yield from settle(resident)
    image = resident.new_terminal(resident.terminal.journal.copy())
    image.adopt(resident.terminal)
    for _ in range(2):
        yield from resident.play("good")
    yield from settle(resident)
    resident.terminal = image
    yield from resident.reconnect()
    yield from resident.play("good")
    yield from settle(resident)
    _tell(resident, "rollback")


def repeats(resident: Resident) -> Life:
    """Send old batches again, in any order (rule 2)."""
    yield from settle(resident)
    again = list(resident.sent)
    resident.chance.shuffle(again)
    yield from again
    _tell(resident, "repeats")


def wrong_clock(resident: Resident) -> Life:
    """Serve customers with a clock years behind, then have it set right."""
    shift = -800 * _DAY_MS
    resident.terminal.record(ClockStepped(at=resident.at + shift, step_ms=shift))
    yield from resident.play("receipt_failed", shift)
    yield from resident.play("good", shift)
    resident.terminal.record(ClockStepped(at=resident.at, step_ms=-shift))
    why = Expected(rule="clock_wrong", terminal=resident.number, must=False, why="wrong_clock")
    resident.truth.fault(
        Injected(terminal=resident.number, fault="wrong_clock", at=resident.at), why
    )


UNREADABLE_EVENTS: Final = (
    b'{"kind":"cash_accepted","at":"noon","tx":"bad-1","amount":1,"currency":"RUB","media":"note"}',
    b'{"kind":"cash_accepted","at":1,"tx":"bad-2","amount":-5,"currency":"RUB","media":"note"}',
    b'{"kind":"device_changed","at":1,"device":"toaster","status":"online"}',
    b'{"kind":"payment_result","at":1,"tx":"bad-3","outcome":"perhaps"}',
    b'{"kind":"fault","at":1,"component":"a\\u0000b","severity":"warning","code":"x"}',
    b'{"kind":"fault","at":1,"component":"\\ud800","severity":"warning","code":"x"}',
    b'{"kind":"journal_lost","at":1,"through":5}',
    b'{"at":1}',
    b"[1,2,3]",
    b"null",
)
UNKNOWN_EVENT: Final = b'{"kind":"coffee_made","at":%d,"cups":2,"account":"0000"}'

GARBAGE: Final = (
    Publish(Channel.JOURNAL, b""),
    Publish(Channel.JOURNAL, b"\x00\xff\x13garbage"),
    Publish(Channel.JOURNAL, b'{"epoch": 1, "first": '),
    Publish(Channel.JOURNAL, b"[]"),
    Publish(Channel.JOURNAL, b'{"epoch":1,"first":0,"prev":"1","last":"1","events":[{}]}'),
    Publish(Channel.JOURNAL, zlib.compress(b'{"events":"' + b"x" * 100_000)[:-7]),
    Publish(Channel.JOURNAL, zlib.compress(b"{" + b" " * 3_000_000)),
    Publish(Channel.PULSE, b'{"at":"now"}', qos=0),
    Publish(Channel.PULSE, b"\x78\x9c", qos=0),
    Publish(Channel.PRESENCE, b"online"),
    Publish(Channel.REPLY, b'{"id":7}'),
)


def bad_events(resident: Resident) -> Life:
    """Journal events that cannot be read or are of no known kind: quarantined, no incident."""
    for event in (*UNREADABLE_EVENTS, UNKNOWN_EVENT % resident.at):
        resident.terminal.record_raw(event)
    _tell(resident, "bad_events")
    yield 0.0


def garbage(resident: Resident) -> Life:
    """Publish what is no message at all."""
    yield from resident.chance.sample(GARBAGE, k=len(GARBAGE))
    _tell(resident, "garbage")


def settle(resident: Resident) -> Life:
    """Wait until all is acked."""
    while resident.unacked:
        yield 0.1


def _tell(resident: Resident, name: str, rule: str | None = None) -> None:
    fault = Injected(terminal=resident.number, fault=name, at=resident.at)
    expected = [Expected(rule=rule, terminal=resident.number, must=True, why=name)] if rule else []
    resident.truth.fault(fault, *expected)


MISHAPS: Final[dict[str, Callable[[Resident], Life]]] = {
    "lost_range": lost_range,
    "clone": clone,
    "forgery": forgery,
    "rollback": rollback,
    "repeats": repeats,
    "wrong_clock": wrong_clock,
    "bad_events": bad_events,
    "garbage": garbage,
    "blip": blip,
    "long_fault": long_fault,
}
"""Mishaps that any terminal can have at any time, each once."""
