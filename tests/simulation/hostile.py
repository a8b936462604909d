"""A terminal that keeps no rule of the contract, under a number of its own.

It listens to its acks, so that much of what it sends fits where the service stands and gets as deep
as it can. It can harm no journal but its own; that copy, too, keeps no hole.
"""

import json
import zlib
from collections.abc import Callable, Sequence
from functools import partial
from random import Random
from typing import Any, Final

from tests.simulation.broker import Broker, Story, silent
from tests.simulation.lines import Session
from tests.simulation.loop import World
from wire.codec import PayloadRefused, read

EVERY_S: Final = 8.0
"""How often it does something, on average."""
FLOOD_MAX: Final = 200

BOMB: Final = zlib.compress(b'{"epoch":1,"events":[' + b" " * 3_000_000 + b"]}", 9)
EVENTS: Final[tuple[bytes, ...]] = (
    b"null",
    b"[]",
    b'"text"',
    b"{}",
    b'{"kind":"fault"}',
    b'{"kind":"fault","at":"now"}',
    b'{"kind":"fault","at":-1,"component":"c","severity":"warning","code":"x"}',
    b'{"kind":"fault","at":9007199254740993,"component":"c","severity":"warning","code":"x"}',
    b'{"kind":"fault","at":1e400,"component":"c","severity":"warning","code":"x"}',
    b'{"kind":"fault","at":true,"component":"c","severity":"warning","code":"x"}',
    b'{"kind":"fault","at":1,"component":"\\u0000","severity":"warning","code":"x"}',
    b'{"kind":"fault","at":1,"component":"\\ud800","severity":"warning","code":"x"}',
    b'{"kind":"fault","at":1,"component":"c","severity":"dreadful","code":"x"}',
    b'{"kind":"fault","at":1,"component":"c","severity":"warning","code":"x","\\u0000":1}',
    b'{"kind":"unheard_of","at":1,"anything":{"account":"4111111111111111"}}',
    b'{"kind":"unheard_of","at":1,"account":{"account":["1",{"account":2.5}]}}',
    b'{"kind":"' + b"k" * 65 + b'","at":1}',
    b'{"kind":"","at":1}',
    b'{"kind":"journal_lost","at":1,"through":9007199254740992}',
    b'{"kind":"quarantined","at":1}',
    (
        b'{"kind":"cash_accepted","at":1,"tx":"t","amount":9007199254740992,"currency":"RUB",'
        b'"media":"note"}'
    ),
    b'{"kind":"cash_accepted","at":1,"tx":"t","amount":1e999,"currency":"RUB","media":"note"}',
    b'{"kind":"cash_accepted","at":1,"tx":"","amount":1,"currency":"rub","media":"note"}',
    (
        b'{"kind":"cash_accepted","at":9007199254740992,"tx":"t","amount":1,"currency":"RUB",'
        b'"media":"note"}'
    ),
    b'{"kind":"transaction_started","at":0,"tx":"t","service":"s","account":null}',
    b'{"kind":"transaction_ended","at":0,"tx":"t","cause":"completed"}',
    (
        b'{"kind":"payment_result","at":0,"tx":"u","outcome":"accepted","amount":-1,"fee":0,'
        b'"currency":"RUB"}'
    ),
    (
        b'{"kind":"payment_result","at":0,"tx":"u","outcome":"accepted","amount":1,"fee":0,'
        b'"currency":"RUB"}'
    ),
    b'{"kind":"device_changed","at":0,"device":"receipt_printer","status":"offline"}',
    b'{"kind":"device_changed","at":0,"device":"samovar","status":"online"}',
    (
        b'{"kind":"cassette_collected","at":0,"collection":"c","total":0,"currency":"RUB",'
        b'"notes":{"-1":-1}}'
    ),
    b'{"kind":"clock_stepped","at":0,"step_ms":-9007199254740992}',
    b'{"kind":"agent_started","at":0,"agent":"x","cause":"power_on","kind":"fault"}',
    b'{"kind":"unheard_of","at":1,"deep":' + b"[" * 150 + b"]" * 150 + b"}",
    b'{"kind":"unheard_of","at":1,"long":"' + b"x" * 40_000 + b'"}',
    b'{"kind":"unheard_of","at":1,"number":' + b"9" * 500 + b"}",
)
NUMBERS: Final[tuple[object, ...]] = (
    0, 1, -1, 2, 1.5, 2**31, 2**53, 2**53 + 1, 2**63, 2**64, 10**30, True, None, "1", [], {},
)  # fmt: skip
MARKS: Final[tuple[object, ...]] = ("", "0", "x" * 16, "x" * 17, "\0", "\ud800", "Ж" * 16, 7, None)
ABSURD: Final[tuple[object, ...]] = (*NUMBERS, *MARKS, "x" * 5_000, float("nan"), float("inf"))
CHANNELS: Final = ("journal", "pulse", "presence", "reply", "ack", "command", "nothing", "")


class Hostile:
    """One such terminal."""

    def __init__(
        self,
        world: World,
        broker: Broker,
        number: str,
        *,
        seed: int,
        every_s: float = EVERY_S,
        story: Story = silent,
    ) -> None:
        self.number = number
        self._every_s = every_s
        self.sent = 0
        self._world, self._broker, self._story = world, broker, story
        self._random = Random(f"{seed}:hostile:{number}")
        self._session: Session | None = None
        self._cursors: dict[int, tuple[int, str]] = {}
        """Where the service stands, as it last said."""
        self._running = False
        self._doings: Sequence[Callable[[], None]] = (
            self._fitting, self._fitting, self._fitting, self._fitting, self._strange_numbers,
            self._other_history, self._loss, self._noise, self._oversized, self._pulse,
            self._pulse, self._presence, self._own_ack, self._flood, self._manners,
            self._foreign_topic, self._retained,
        )  # fmt: skip

    def start(self) -> None:
        """Begin."""
        self._running = True
        self._world.after(self._random.expovariate(1 / self._every_s), self._act)

    def stop(self) -> None:
        """Leave everybody in peace."""
        self._running = False
        if self._session is not None:
            self._session.disconnect()

    def _act(self) -> None:
        if not self._running:
            return
        self._world.after(self._random.expovariate(1 / self._every_s), self._act)
        if self._session is None:
            self._connect()
        else:
            doing = self._random.choice(self._doings)
            self._story(self.number, doing.__name__.strip("_"))
            doing()

    def _connect(self) -> None:
        will = (self._topic("presence"), self._random.randbytes(20))
        self._session = self._broker.connect(
            self.number, will=will, on_message=self._message, on_down=self._down
        )
        if self._session is not None:
            self._session.subscribe(self._topic("ack"))

    def _down(self, session: Session, _why: str) -> None:
        if self._session is session:
            self._session = None

    def _message(self, _topic: str, payload: bytes) -> None:
        value = read(payload)
        if isinstance(value, PayloadRefused):
            return
        epoch, following, mark = (value.get(name) for name in ("epoch", "next", "mark"))
        if type(epoch) is int and type(following) is int and isinstance(mark, str):
            self._cursors[epoch] = (following, mark)

    def _topic(self, channel: str) -> str:
        return f"kvitok/v1/{self.number}/{channel}"

    def _publish(self, channel: str, payload: bytes, *, retain: bool = False) -> None:
        if self._session is not None:
            self.sent += 1
            self._session.publish(self._topic(channel), payload, retain=retain)

    # --- journals

    def _cursor(self) -> tuple[int, int, str]:
        random = self._random
        if self._cursors and random.random() < 0.8:
            epoch = random.choice(list(self._cursors))
        else:
            epoch = random.choice((0, 1, 5, 2**53, 1_790_000_000_000 + random.randrange(9)))
        following, mark = self._cursors.get(epoch, (1, str(epoch)))
        return epoch, following, mark

    def _batch(self, fields: dict[str, object], events: Sequence[bytes]) -> bytes:
        head = json.dumps(fields)
        body = head[:-1].encode() + b',"events":[' + b",".join(events) + b"]}"
        return zlib.compress(body) if self._random.random() < 0.3 else body

    def _fitting(self) -> None:
        """Events of every wrong kind, exactly where the service wants some."""
        random = self._random
        epoch, first, prev = self._cursor()
        events = [random.choice(EVENTS) for _ in range(random.choice((1, 2, 5, 40)))]
        last = f"{random.getrandbits(64):016x}"
        fields = {"epoch": epoch, "first": first, "prev": prev, "last": last}
        payload = self._batch(fields, events)
        for _ in range(random.choice((1, 1, 1, 3))):
            self._publish("journal", payload)
        self._cursors.setdefault(epoch, (first, prev))

    def _strange_numbers(self) -> None:
        random = self._random
        epoch, first, prev = self._cursor()
        fields: dict[str, object] = {"epoch": epoch, "first": first, "prev": prev, "last": "0" * 16}
        fields[random.choice(list(fields))] = random.choice(ABSURD)
        if random.random() < 0.3:
            fields[random.choice(("lost_from", "events", "terminal"))] = random.choice(ABSURD)
        self._publish("journal", self._batch(fields, [random.choice(EVENTS)]))

    def _other_history(self) -> None:
        epoch, first, _ = self._cursor()
        prev = f"{self._random.getrandbits(64):016x}"
        fields = {"epoch": epoch, "first": first, "prev": prev, "last": "f" * 16}
        self._publish("journal", self._batch(fields, [EVENTS[4]]))

    def _loss(self) -> None:
        """Declare losses: true to form, absurd, or of what is there."""
        random = self._random
        epoch, following, mark = self._cursor()
        lost_from = random.choice((following, following, following, 1, following + 1))
        further = random.choice((1, 1, 2, 500, 2**31, 2**53 - following, -1, 0))
        fields = {
            "epoch": epoch,
            "first": max(0, following + further),
            "prev": mark,
            "last": mark,
            "lost_from": lost_from,
        }
        self._publish("journal", self._batch(fields, random.choice(([], [EVENTS[14]]))))

    def _noise(self) -> None:
        random = self._random
        payload = random.choice(
            (
                b"",
                b"{",
                b"[]",
                b"\xef\xbb\xbf{}",
                b" {}",
                b'{"epoch":NaN}',
                b"{" * 200_000,
                b'{"a":' * 50_000,
                BOMB,
                BOMB[:100],
                zlib.compress(b'{"epoch":1}') + b"more",
                zlib.compress(b"[]"),
                random.randbytes(random.choice((1, 20, 3000))),
            )
        )
        self._publish(random.choice(CHANNELS[:4]), payload)

    def _oversized(self) -> None:
        epoch, first, prev = self._cursor()
        fields = {"epoch": epoch, "first": first, "prev": prev, "last": "e" * 16}
        many: Sequence[bytes] = self._random.choice(
            ([EVENTS[25]] * 501, [EVENTS[34]] * 7, [], [b'{"a":"' + b"x" * 1_100_000 + b'"}'])
        )
        self._publish("journal", self._batch(fields, many))

    # --- everything else

    def _pulse(self) -> None:
        random = self._random
        epoch, following, _ = self._cursor()
        fields: dict[str, Any] = {
            "at": 1_790_000_000_000,
            "epoch": epoch,
            "next": random.choice((following, 1, 2**53)),
            "unacked": random.choice((0, 1, 2**53)),
            "boot": random.choice(("b", "c", "x" * 64)),
        }
        if random.random() < 0.5:
            fields[random.choice(list(fields))] = random.choice(ABSURD)
        extra = random.choice(
            ("interval_s", "devices", "cash", "uptime_s", "signal_dbm", "account")
        )
        fields[extra] = random.choice((*ABSURD, {"receipt_printer": {"status": "?"}}, 1, 86_400))
        self._publish("pulse", json.dumps(fields).encode())

    def _presence(self) -> None:
        random = self._random
        fields = {"online": random.choice((True, False, *ABSURD)), "boot": random.choice(ABSURD)}
        payload = random.choice((json.dumps(fields).encode(), b"", random.randbytes(9)))
        self._publish("presence", payload, retain=random.random() < 0.5)

    def _own_ack(self) -> None:
        """Play the service to itself."""
        epoch, following, mark = self._cursor()
        ack = {"epoch": epoch, "next": following + self._random.choice((-1, 0, 7)), "mark": mark}
        self._publish("ack", json.dumps(ack).encode(), retain=self._random.random() < 0.3)

    def _flood(self) -> None:
        doing = self._random.choice((self._pulse, self._fitting, self._noise, self._other_history))
        for _ in range(self._random.randrange(FLOOD_MAX)):
            doing()

    def _manners(self) -> None:
        """Go without a word, or come twice."""
        session, self._session = self._session, None
        if session is not None and self._random.random() < 0.5:
            self._random.choice((session.lose, session.reset, session.disconnect))()
        else:
            self._connect()

    def _foreign_topic(self) -> None:
        """Write under another's number, which the broker forbids."""
        if self._session is not None:
            other = self._random.choice(("T-1", "T-2", "+", "#", "", "../T-1"))
            where = f"kvitok/v1/{other}/{self._random.choice(CHANNELS)}"
            self._session.publish(where, b"{}", retain=True)
            self._session.subscribe(where)

    def _retained(self) -> None:
        """Leave on every topic what each new collector is then sent."""
        keep = partial(self._publish, self._random.choice(CHANNELS[:3]), retain=True)
        keep(self._random.choice((b"{}", b"\0", BOMB, b'{"online":true,"boot":"z"}')))
