"""Joins the agent's parts by hand and runs the main loop: one selector, one thread beside (MQTT).

What each part decides is in its own module; here things are only carried from one to the next.
"""

import errno
import logging
import os
import selectors
import signal
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random
from types import FrameType
from typing import Final

from agent.checking import Wrong
from agent.clock import ClockWatch
from agent.commands import reply_to
from agent.devices.machine import (
    Instant,
    NoteReturned,
    NoteStacked,
    NoteUnaccounted,
    Output,
    ReceiptFinished,
    StackOrdered,
)
from agent.effects import Answer, Effect, Print, PulseNow, TakeNotes, Tell
from agent.equipment import Devices, Said
from agent.inbox import Inbox
from agent.journal import Journal, Limits
from agent.kiosk import Kiosk
from agent.mqtt import Arrived, LineDown, LineUp, MqttDoor, Tidings
from agent.program import Gone, Line, ProgramDoor
from agent.pulse import Position, Pulsing
from agent.requests import Asked, AskStatus, Hello, read_line
from agent.run_file import RunFile
from agent.settings import AgentSettings, JournalSettings, SettingsWrong
from agent.status import status
from agent.store import StoreFull, StoreLost
from agent.store_sqlite import Opened, condemn, open_store
from agent.transactions import last_transaction
from agent.uplink import Forked, Outcome, Uplink
from wire.codec import encode
from wire.topics import Channel

log: Final = logging.getLogger("agent")

TICK_S: Final = 1.0
"""How often clocks and room are looked at."""
UPKEEP_S: Final = 10.0
RETRY_OPEN_S: Final = 5.0
"""A journal that cannot be opened for want of room is tried again after this."""
TAIL_EVENTS: Final = 200
"""How far back the last transaction is looked for at start."""
_MIB: Final = 1024 * 1024
_NO_ROOM: Final = (errno.ENOSPC, errno.EDQUOT)
Message = Tidings | Said | None
"""What other threads say to the main loop; None only wakes it."""


def run(settings: AgentSettings) -> None:
    """Run until SIGTERM or SIGINT; a journal file that breaks meanwhile is replaced, not fatal."""
    inbox: Inbox[Message] = Inbox()
    stopping = _Stopping(inbox)
    while not stopping.asked:
        opened = _open_journal(settings.journal, stopping)
        try:
            Agent(settings, opened, inbox, stopping).run()
        except StoreLost as lost:
            log.warning("the journal's file is damaged (%s); it is moved aside", lost)
            condemn(settings.journal.path)
        finally:
            opened.store.close()


class _Stopping:
    """Whether the process was told to end."""

    def __init__(self, inbox: Inbox[Message]) -> None:
        self.asked = False
        self._inbox = inbox
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, self._ask)

    def _ask(self, _signal: int, _frame: FrameType | None) -> None:
        self.asked = True
        self._inbox.put(None)


class Agent:
    """One run over one journal file."""

    def __init__(
        self,
        settings: AgentSettings,
        opened: Opened,
        inbox: Inbox[Message],
        stopping: _Stopping,
    ) -> None:
        """Prepare everything, the door last; nothing is sent before `run`."""
        self._settings, self._inbox, self._stopping = settings, inbox, stopping
        self._random = Random()  # noqa: S311 - jitter, no secret
        self._boot = uuid.uuid4().hex
        self._opened = opened
        self._journal = self._take_up(self._opened)
        self._selector = selectors.DefaultSelector()
        self._selector.register(inbox.file, selectors.EVENT_READ, self._tidings)
        self._uplink = Uplink(self._journal, self._random)
        self._pulsing = Pulsing(boot=self._boot, interval_s=settings.pulse_interval_s, now=_now())
        self._run_file = RunFile(settings.journal.path)
        self._unsettled = False
        self._devices = Devices(
            settings.devices, inbox.put, memory=self._run_file.memory(self._recorded)
        )
        self._kiosk = Kiosk(
            self._journal,
            self._devices.equipment,
            ClockWatch(at=_at(), now=_now()),
            last=last_transaction(self._journal.since(self._journal.next - TAIL_EVENTS)),
        )
        self._mqtt = MqttDoor(
            settings.mqtt, settings.terminal, boot=self._boot, tell=self._told, random=self._random
        )
        self._online: bool = False
        self._offline_why = "not connected yet"
        self._sent_next = self._journal.next
        self._upkeep_at = self._tick_at = _now()
        self._program = ProgramDoor(settings.program, self._selector, self._heard)

    def run(self) -> None:
        """Work until told to stop."""
        try:
            self._begin()
            while not self._stopping.asked:
                self._once()
            self._devices.stop(lambda: self._tidings(0))
        finally:
            # After a failure, a device must not hear that its word was taken.
            self._devices.stop(self._refuse)
            self._close()

    def _begin(self) -> None:
        if self._opened.aside is not None:
            text = f"moved to {self._opened.aside.name}; {self._journal.next - 1} events saved"
            self._do(self._kiosk.replaced(text, at=_at()))
            self._opened.settle()
        self._do(self._kiosk.started(self._run_file.begin(), at=_at()))
        self._devices.start()
        self._mqtt.start()
        log.info("ready: epoch %s, next %s", self._journal.epoch, self._journal.next)

    def _refuse(self) -> None:
        for each in self._inbox.take():
            if isinstance(each, Said):
                each.finish(taken=False)

    def _close(self) -> None:
        self._mqtt.stop()
        self._program.close()
        self._selector.close()

    def _once(self) -> None:
        """Wait for something to happen, and deal with it."""
        now = _now()
        times = [
            self._tick_at,
            self._pulse_at(),
            self._uplink.deadline(),
        ]
        soonest = min(each for each in times if each is not None)
        for key, mask in self._selector.select(max(0.0, soonest - now)):
            ready: Callable[[int], None] = key.data
            ready(mask)
        now = _now()
        self._send(self._uplink.elapsed(now))
        if now >= self._tick_at:
            self._tick(now)
        if self._online and now >= self._pulsing.deadline():
            self._pulse(now)

    def _pulse_at(self) -> Instant | None:
        return self._pulsing.deadline() if self._online else None

    def _tick(self, now: Instant) -> None:
        self._tick_at = Instant(now + TICK_S)
        if now >= self._upkeep_at:
            self._upkeep_at = Instant(now + UPKEEP_S)
            self._journal.upkeep(now)
        self._do(self._kiosk.elapsed(at=_at(), now=now))
        self._settle()
        if self._devices.failure is not None:
            raise self._devices.failure

    def _recorded(self, epoch: int, first: int) -> Iterator[bytes]:
        """Return the events from a seq on; of a newer epoch, from its beginning (rule 7)."""
        return self._journal.since(first if epoch == self._journal.epoch else 1)

    # The journal.

    def _take_up(self, opened: Opened) -> Journal:
        settings = self._settings.journal
        limits = Limits(
            most_bytes=settings.most_mib * _MIB,
            reserve_bytes=min(_MIB, settings.most_mib * _MIB // 8),
            keep_bytes=settings.keep_mib * _MIB,
            keep_ms=settings.keep_days * 86_400_000,
        )
        return Journal(
            opened.store,
            at=max(_at(), opened.epoch_least),
            limits=limits,
            salvaged=opened.salvaged,
        )

    # What comes in.

    def _told(self, tidings: Tidings) -> None:
        """Take tidings of the line, in the door's thread; what a broker sends has a bound."""
        if isinstance(tidings, Arrived):
            self._inbox.offer(tidings, size=len(tidings.payload))
        else:
            self._inbox.put(tidings)

    def _tidings(self, _mask: int) -> None:
        for each in self._inbox.take():
            match each:
                case LineUp():
                    self._online, self._offline_why = True, ""
                    self._pulse(_now())
                    self._send(self._uplink.connected(_now()))
                case LineDown(why=why):
                    self._online, self._offline_why = False, why
                    self._uplink.disconnected()
                case Arrived(channel=Channel.ACK, payload=payload):
                    self._send(self._uplink.received(payload, now=_now(), at=_at()))
                case Arrived(payload=payload):
                    reply = reply_to(payload)
                    if reply is not None:
                        self._mqtt.publish(Channel.REPLY, encode(reply))
                case Said():
                    self._device(each)
                case None:
                    pass

    def _heard(self, heard: Line | Gone) -> None:
        if isinstance(heard, Gone):
            self._do(self._kiosk.client_gone(heard.client))
            return
        at = _at()
        line = heard.data
        asked = Asked(line) if isinstance(line, Wrong) else read_line(line, at=at)
        if isinstance(asked.what, AskStatus):
            self._program.answer(heard.client, self._status(asked))
            return
        if isinstance(asked.what, Hello):
            log.info("the payment program is here: %s", asked.what.program)
            self._program.hello(heard.client)
        self._do(self._kiosk.asked(heard.client, asked, at=at, now=_now()))

    def _device(self, said: Said) -> None:
        try:
            self._device_said(said.output)
        except BaseException:
            said.finish(taken=False)
            raise
        said.finish(taken=True)

    def _device_said(self, output: Output) -> None:
        if isinstance(output, StackOrdered):
            self._run_file.keep_order(
                output, epoch=self._journal.epoch, following=self._journal.next
            )
        self._do(self._kiosk.device(output, at=_at(), now=_now()))
        if isinstance(output, NoteStacked | NoteReturned | NoteUnaccounted):
            self._unsettled = True
            self._settle()

    def _settle(self) -> None:
        """Close the order of a note once its verdict is on disk."""
        if self._unsettled and not self._kiosk.waiting:
            self._run_file.settle()
            self._unsettled = False

    # What goes out.

    def _do(self, effects: Sequence[Effect]) -> None:
        for effect in effects:
            match effect:
                case Tell(message=message):
                    self._program.tell(message)
                case Answer(client=client, message=message):
                    self._program.answer(client, message)
                case TakeNotes(enabled=enabled):
                    self._devices.take_notes(enabled=enabled)
                case Print(job=job, text=text):
                    if not self._devices.print_receipt(job, text):
                        failed = ReceiptFinished(job=job, outcome="failed", cause="unknown")
                        self._do(self._kiosk.device(failed, at=_at(), now=_now()))
                case PulseNow():
                    self._pulsing.hasten(_now())
        if self._journal.next != self._sent_next:
            self._sent_next = self._journal.next
            self._send(self._uplink.appended(_now()))

    def _send(self, outcomes: Sequence[Outcome]) -> None:
        for outcome in outcomes:
            if isinstance(outcome, Forked):
                log.error("the service holds another history; epoch %s begins", outcome.new)
                self._do(self._kiosk.forked(outcome.old, at=_at()))
            else:
                self._mqtt.publish(Channel.JOURNAL, outcome.payload)

    def _pulse(self, now: Instant) -> None:
        pulse = self._pulsing.build(
            self._position(),
            self._kiosk.devices.values(),
            at=_at(),
            now=now,
            disk_free_mb=_disk_free_mb(self._settings.journal.path),
        )
        self._mqtt.publish(Channel.PULSE, encode(pulse))

    def _position(self) -> Position:
        journal = self._journal
        return Position(epoch=journal.epoch, next=journal.next, unacked=self._uplink.unacked)

    def _status(self, asked: Asked) -> dict[str, object]:
        return status(
            asked.ref,
            self._settings,
            self._position(),
            self._kiosk,
            connection="online" if self._online else f"offline: {self._offline_why}",
            journal_bytes=self._journal.size,
            programs=self._program.clients,
        )


def _open_journal(settings: JournalSettings, stopping: _Stopping) -> Opened:
    """Open the journal, waiting for room as long as there is none: without it, no notes.

    Raises:
        SettingsWrong: its folder can never be used; waiting would not help.
    """
    while True:
        try:
            return open_store(settings.path, reserve_bytes=settings.reserve_mib * _MIB, at=_at())
        except StoreFull as full:
            log.warning(
                "the journal %s cannot be opened: %s; trying again (no room, no right to write, "
                "or another program has it?)",
                settings.path,
                full,
            )
        except OSError as error:
            if error.errno not in _NO_ROOM:
                raise SettingsWrong(
                    f"[journal] path: {settings.path}: {error.strerror}; give the agent's user "
                    "this folder, or name another file"
                ) from error
            log.warning("the journal %s: %s; trying again", settings.path, error.strerror)
        if stopping.asked:
            sys.exit(0)
        time.sleep(RETRY_OPEN_S)


def _now() -> Instant:
    return Instant(time.monotonic())


def _at() -> int:
    return time.time_ns() // 1_000_000


def _disk_free_mb(path: Path) -> int | None:
    try:
        found = os.statvfs(path.parent)
    except (OSError, AttributeError):
        return None
    return found.f_bavail * found.f_frsize // _MIB
