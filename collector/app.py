"""One collector: MQTT to PostgreSQL and the answers back, put together by hand."""

import asyncio
import contextlib
import logging
import signal
import sys
import time
import zlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import prometheus_client

from collector import metrics, validators
from collector.database import Connection, Database, Unavailable, Unstorable, connect
from collector.journals import JournalMessage, JournalQueue
from collector.known import Known
from collector.mqtt import Broker, Message
from collector.now import Edition, keep_partitions, publish_edition
from collector.pulses import Bulletin, Questions
from collector.reading import Refused, read_told, rule_time
from collector.refusals import KeptRefusal, Refusals
from collector.settings import CollectorSettings, MqttSettings
from wire.journal import Epoch, digest
from wire.limits import PAYLOAD_BYTES_MAX
from wire.topics import Channel, TerminalId, every_terminal, read_topic, topic

log = logging.getLogger("collector")

PARTITIONS_EVERY_S: Final = 3600.0
PARTITION_DAYS: Final = 7
PARTITIONS_AHEAD_DAYS: Final = 28
LISTENING_SIGNS_MISSED: Final = 3
"""Without so many signs in a row a collector has not listened."""
END_WITHIN_S: Final = 5.0
"""At the end, commits under way get so long; what they do not finish is sent again."""


_MESSAGES: Final = {channel: metrics.MESSAGES.labels(channel.value) for channel in Channel}


def _utc_now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - a door


@dataclass(frozen=True, slots=True, kw_only=True)
class Doors:
    """The world that a collector lives in: clocks, broker, database; a simulator brings its own."""

    now: Callable[[], datetime] = _utc_now
    monotonic: Callable[[], float] = time.monotonic
    broker: Callable[[MqttSettings, Callable[[Message], None]], Broker] = Broker
    connect: Callable[[str, str], Awaitable[Connection]] = connect
    """Takes a DSN and the name that the connection gives itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How often a collector does what it does by itself, in seconds."""

    edition_s: float = 0.25
    notify_s: float = 1.0
    listening_s: float = 5.0


REAL: Final = Doors()
USUAL: Final = Pace()


class Collector:
    """Everything that one process holds."""

    def __init__(
        self,
        settings: CollectorSettings,
        ready: Callable[[], None],
        doors: Doors = REAL,
        pace: Pace = USUAL,
    ) -> None:
        self._settings = settings
        self._pace = pace
        self._ready = ready
        self._doors = doors
        self._broker = doors.broker(settings.mqtt, self._received)
        self._bulletin = Bulletin()
        self._questions = Questions()
        self._refusals = Refusals()
        self._known = Known()
        self._ending = False
        """Whether messages are left to the next collector: their terminals send them again."""
        self._stirred = asyncio.Event()
        """Something was said that belongs into the next edition."""
        self._owed = False
        """Whether there was news since the last notice."""
        self._databases = [self._database()]
        self._queues: list[JournalQueue] = []
        bytes_max = settings.queue_mib * 1024 * 1024 // settings.connections
        for _ in range(settings.connections):
            database = self._database()
            self._databases.append(database)
            self._queues.append(
                JournalQueue(
                    database,
                    self,
                    settings.account_key,
                    bytes_max=bytes_max,
                    monotonic=doors.monotonic,
                )
            )

    def _database(self) -> Database:
        settings = self._settings
        return Database(lambda: self._doors.connect(settings.dsn, settings.name))

    async def run(self, stop: asyncio.Event) -> None:
        """Collect until told to stop."""
        shared = [every_terminal(Channel.JOURNAL), every_terminal(Channel.PULSE)]
        # Every collector reads presence itself: a share would bring nothing that is retained.
        plain = [every_terminal(Channel.PRESENCE)]
        # Before the first event, so that none lands in the default partition.
        await self._keep_partitions(self._databases[0], self._doors.now())
        workers = [asyncio.create_task(each.run()) for each in self._queues]
        workers.append(asyncio.create_task(self._keep_now()))
        broker = asyncio.create_task(
            self._broker.run(shared, plain, self._subscribed, share=self._settings.share)
        )
        stopped = asyncio.create_task(stop.wait())
        done, _ = await asyncio.wait(
            {stopped, broker, *workers}, return_when=asyncio.FIRST_COMPLETED
        )
        if stopped in done:
            # What is in the queues gets its answer while there is time.
            self._ending = True
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(END_WITHIN_S):
                    await asyncio.gather(*(each.drained() for each in self._queues))
        for task in (broker, *workers, stopped):
            task.cancel()
        results = await asyncio.gather(broker, *workers, return_exceptions=True)
        for database in self._databases:
            await database.close()
        for result in results:
            if isinstance(result, Exception):
                raise result

    def answer(self, terminal: TerminalId, payload: bytes) -> None:
        """Publish a payload on the terminal's `ack`."""
        self._broker.publish(topic(terminal, Channel.ACK), payload)

    def heard(self, terminal: TerminalId, at: datetime) -> None:
        """Note that the terminal has spoken."""
        self._stirred.set()
        self._bulletin.heard(terminal, at)

    def refused(
        self, terminal: TerminalId, channel: str, refused: Refused, *, size: int, at: datetime
    ) -> None:
        """Count a refused payload, and keep and log it within bounds."""
        self._stirred.set()
        metrics.REFUSED.labels(channel).inc()
        kept = KeptRefusal(terminal, refused.digest, channel, refused.reason, size, at, at)
        if self._refusals.add(kept, self._doors.monotonic()):
            log.warning(
                "refused %s of %s: %s (%d bytes, digest %s)",
                channel,
                terminal,
                refused.reason,
                size,
                refused.digest,
            )

    def _subscribed(self) -> None:
        self._stirred.set()
        self._ready()

    def _received(self, message: Message) -> None:
        """Take a message from the broker."""
        found = read_topic(message.topic)
        if found is None or self._ending:
            metrics.DROPPED.labels("ending" if found else "not_our_topic").inc()
            return
        terminal, channel = found
        now = self._doors.now()
        _MESSAGES[channel].inc()
        if len(message.payload) > PAYLOAD_BYTES_MAX:
            self._oversized(terminal, channel, message.payload, now)
        elif channel is Channel.JOURNAL:
            queue = self._queues[zlib.crc32(terminal.encode()) % len(self._queues)]
            queue.offer(JournalMessage(terminal, message.payload, now, self._doors.monotonic()))
        elif channel is Channel.PULSE:
            self._pulse(terminal, message.payload, now)
        elif channel is Channel.PRESENCE:
            self._presence(terminal, message, now)

    def _oversized(
        self, terminal: TerminalId, channel: Channel, payload: bytes, now: datetime
    ) -> None:
        """Refuse a payload at once: none so large waits in a queue."""
        refused = Refused("too_large", digest(payload))
        self.refused(terminal, channel.value, refused, size=len(payload), at=now)
        if channel is Channel.JOURNAL:
            self._queues[0].answer_refusal(terminal, refused)

    def _pulse(self, terminal: TerminalId, payload: bytes, now: datetime) -> None:
        told = read_told(payload, validators.PULSE, self._settings.account_key)
        if isinstance(told, Refused):
            self.refused(terminal, "pulse", told, size=len(payload), at=now)
            return
        if told.left_out:
            metrics.PULSES_CUT.inc()
        self._stirred.set()
        fields = told.fields
        at = rule_time(fields["at"], now) or now
        self._bulletin.pulse(
            terminal,
            fields["boot"],
            told.body,
            at=at,
            received_at=now,
            interval_s=fields.get("interval_s"),
        )
        self._questions.ask(
            terminal,
            Epoch(fields["epoch"]),
            self._doors.monotonic(),
            unless=None if fields["unacked"] > 0 else fields["next"],
        )

    def _presence(self, terminal: TerminalId, message: Message, now: datetime) -> None:
        if not message.payload:  # how a retained message is deleted
            return
        told = read_told(message.payload, validators.PRESENCE, self._settings.account_key)
        if isinstance(told, Refused):
            self.refused(terminal, "presence", told, size=len(message.payload), at=now)
            return
        self._stirred.set()
        self._bulletin.presence(
            terminal,
            told.fields["boot"],
            online=told.fields["online"],
            retained=message.retain,
            at=now,
        )

    async def _keep_now(self) -> None:
        """Bring news, refusals and our own sign of life to the database, for ever."""
        database, pace = self._databases[0], self._pace
        notified = listened = -pace.notify_s
        kept = self._doors.monotonic()
        while True:
            instant, now = self._doors.monotonic(), self._doors.now()
            if instant - kept >= PARTITIONS_EVERY_S:
                kept = instant
                await self._keep_partitions(database, now)
            news = self._bulletin.take()
            listening, since = None, self._broker.subscribed_since
            if since is not None and (since > listened or instant - listened >= pace.listening_s):
                listened = instant
                began = now - timedelta(seconds=instant - since)
                gap = timedelta(seconds=LISTENING_SIGNS_MISSED * pace.listening_s)
                listening = (self._settings.name, began, now, gap)
            # News that fell between two notices stays owed until the next.
            self._owed = self._owed or bool(news)
            notify = self._owed and instant - notified >= pace.notify_s
            if notify:
                notified, self._owed = instant, False
            edition = Edition(
                news=news,
                questions=self._questions.take(),
                refusals=self._refusals.take(),
                listening=listening,
                notify=notify,
            )
            await self._publish(database, edition)
            await asyncio.sleep(max(0.0, pace.edition_s - (self._doors.monotonic() - instant)))
            if not self._owed:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._stirred.wait(), pace.listening_s)
            self._stirred.clear()

    async def _publish(self, database: Database, edition: Edition) -> None:
        if edition == Edition():
            return

        async def work(connection: Connection) -> dict[TerminalId, bytes]:
            number = database.connections
            strangers = self._known.strangers(edition.news, connection=number)
            return await publish_edition(connection, edition, strangers)

        try:
            answers = await database.commit(work)
        except Unstorable as error:
            # Pulses are of the moment: the next ones make it good.
            log.error("news of %d terminals cannot be stored: %s", len(edition.news), error)  # noqa: TRY400 - the trace says nothing more
            return
        self._known.add(edition.news)
        self._questions.answered(answers, self._doors.monotonic())
        for terminal, payload in answers.items():
            self.answer(terminal, payload)

    async def _keep_partitions(self, database: Database, now: datetime) -> None:
        async def work(connection: Connection) -> tuple[int, int]:
            return await keep_partitions(
                connection,
                now,
                step_days=PARTITION_DAYS,
                keep_days=self._settings.keep_days,
                ahead_days=PARTITIONS_AHEAD_DAYS,
            )

        try:
            made, dropped = await database.once(work)
        except (Unavailable, Unstorable) as error:
            # Rows land in the default partition meanwhile, and move home later.
            log.warning("partitions of event were not looked after: %s", error)
            return
        if made or dropped:
            log.info("partitions of event: %d made, %d dropped", made, dropped)


def run(settings: CollectorSettings, ready: Callable[[], None] = lambda: None) -> None:
    """Collect until SIGTERM or SIGINT; `ready` is called once it is subscribed."""
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    if settings.metrics_port:
        prometheus_client.start_http_server(settings.metrics_port, addr="127.0.0.1")
    try:
        import uvloop  # noqa: PLC0415 - not on every system
    except ImportError:
        asyncio.run(_until_signal(settings, ready))
    else:
        uvloop.run(_until_signal(settings, ready))


async def _until_signal(settings: CollectorSettings, ready: Callable[[], None]) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError):  # Windows: Ctrl-C only
            loop.add_signal_handler(number, stop.set)
    waiting: list[Callable[[], None]] = [ready]
    await Collector(settings, lambda: waiting.pop()() if waiting else None).run(stop)
    log.info("stopped")
