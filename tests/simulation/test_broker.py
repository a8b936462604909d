import zlib
from collections.abc import Sequence
from datetime import UTC, datetime
from random import Random

import pytest

from collector.mqtt import Message
from collector.settings import MqttSettings
from tests.simulation.broker import Broker
from tests.simulation.lines import SOCKET_MESSAGES_MAX, ServiceLine, Session
from tests.simulation.loop import Node, World
from tests.simulation.weather import CALM, Link, Weather, damage
from wire.codec import PayloadRefused, read
from wire.topics import Channel, every_terminal

SHARED = [every_terminal(Channel.JOURNAL)]
PLAIN = [every_terminal(Channel.PRESENCE)]
STORM = Weather(loss=0.2, duplicate=0.2, late=0.3, late_s_max=60.0, damage=0.2)


class Reader:
    """A collector's end: it notes what it reads."""

    def __init__(self, world: World, broker: Broker, name: str) -> None:
        self.node = Node(world, name)
        self.read: list[Message] = []
        self.ready = 0
        self.line: ServiceLine = broker.for_service(self.node)(MqttSettings(), self.read.append)
        self.node.start(self.line.run(SHARED, PLAIN, self._ready, share=True))

    def _ready(self) -> None:
        self.ready += 1

    def payloads(self) -> list[bytes]:
        """Return what came, in order."""
        return [each.payload for each in self.read]


class Speaker:
    """A terminal's end: it notes what it hears."""

    def __init__(self, broker: Broker, number: str) -> None:
        self.heard: list[bytes] = []
        self.over: list[str] = []
        self.topic = f"kvitok/v1/{number}/"
        session = broker.connect(
            number,
            will=(f"{self.topic}presence", b"gone"),
            on_message=lambda _topic, payload: self.heard.append(payload),
            on_down=lambda _session, why: self.over.append(why),
        )
        assert session is not None
        self.session: Session = session
        session.subscribe(f"{self.topic}ack")

    def say(self, payload: bytes, channel: str = "journal", *, retain: bool = False) -> None:
        """Publish on an own topic."""
        self.session.publish(self.topic + channel, payload, retain=retain)


@pytest.fixture
def world() -> World:
    """Return a world at its beginning."""
    return World(datetime(2026, 1, 5, tzinfo=UTC))


def readers(world: World, broker: Broker, count: int = 2) -> Sequence[Reader]:
    """Return collectors that are subscribed."""
    found = [Reader(world, broker, f"c{number}") for number in range(count)]
    world.run_until(world.now + 1)
    return found


def test_a_shared_message_reaches_one_collector_and_presence_reaches_all(world: World) -> None:
    """Mosquitto's way: work is split, what is known of presence is not."""
    broker = Broker(world, seed=1, shares=True)
    some = readers(world, broker)
    speaker = Speaker(broker, "1")
    for number in range(40):
        speaker.say(b"%d" % number)
    speaker.say(b"here", "presence", retain=True)
    world.run_until(5)
    work = [[each for each in one.payloads() if each != b"here"] for one in some]
    assert sorted((each for one in work for each in one), key=int) == [
        b"%d" % number for number in range(40)
    ]
    assert all(work)
    assert all(one.payloads().count(b"here") == 1 for one in some)


def test_a_broker_that_does_not_share_gives_everything_to_everybody(world: World) -> None:
    """NATS's way."""
    broker = Broker(world, seed=1, shares=False)
    some = readers(world, broker)
    Speaker(broker, "1").say(b"work")
    world.run_until(5)
    assert [one.payloads() for one in some] == [[b"work"], [b"work"]]


def test_an_answer_reaches_the_terminal_whose_topic_it_is(world: World) -> None:
    """And nobody else."""
    broker = Broker(world, seed=1)
    (one,) = readers(world, broker, 1)
    first, second = Speaker(broker, "1"), Speaker(broker, "2")
    one.line.publish("kvitok/v1/2/ack", b"yes")
    world.run_until(5)
    assert (first.heard, second.heard) == ([], [b"yes"])


def test_a_second_session_throws_the_first_out_with_its_will(world: World) -> None:
    """As MQTT wants it of a client id."""
    broker = Broker(world, seed=1)
    (one,) = readers(world, broker, 1)
    first = Speaker(broker, "1")
    second = Speaker(broker, "1")
    one.line.publish("kvitok/v1/1/ack", b"yes")
    world.run_until(5)
    assert first.over
    assert first.heard == []
    assert second.heard == [b"yes"]
    assert one.payloads() == [b"gone"]


def test_a_lost_line_is_noticed_late_and_leaving_politely_brings_no_will(world: World) -> None:
    """Within one and a half keep-alives."""
    broker = Broker(world, seed=1)
    (one,) = readers(world, broker, 1)
    lost, polite = Speaker(broker, "1"), Speaker(broker, "2")
    lost.session.lose()
    polite.session.disconnect()
    world.run_until(1.2)
    assert one.payloads() == []
    world.run_until(100)
    assert one.payloads() == [b"gone"]
    assert broker.retained("kvitok/v1/1/presence") == b"gone"
    assert broker.retained("kvitok/v1/2/presence") is None


def test_retained_presence_is_told_to_who_subscribes_later(world: World) -> None:
    """Marked as retained; an empty one is forgotten."""
    broker = Broker(world, seed=1)
    speaker = Speaker(broker, "1")
    speaker.say(b"here", "presence", retain=True)
    world.run_until(1)
    (one,) = readers(world, broker, 1)
    assert one.read == [Message("kvitok/v1/1/presence", b"here", retain=True)]
    speaker.say(b"", "presence", retain=True)
    world.run_until(5)
    assert broker.retained("kvitok/v1/1/presence") is None


def test_a_restart_forgets_and_everybody_may_come_back(world: World) -> None:
    """While it is down nobody connects; after it, nothing is retained."""
    broker = Broker(world, seed=1)
    (one,) = readers(world, broker, 1)
    speaker = Speaker(broker, "1")
    speaker.say(b"here", "presence", retain=True)
    world.run_until(2)
    broker.restart(10)
    world.run_until(8)
    assert speaker.over
    assert not one.line.connected
    world.run_until(20)
    assert one.ready == 2
    assert broker.retained("kvitok/v1/1/presence") is None
    Speaker(broker, "1").say(b"again")
    world.run_until(25)
    assert one.payloads()[-1] == b"again"


def test_a_frozen_collector_reads_what_waited_in_its_socket(world: World) -> None:
    """A socket holds so much; what is over is dropped."""
    broker = Broker(world, seed=1)
    (one,) = readers(world, broker, 1)
    speaker = Speaker(broker, "1")
    one.node.freeze()
    for number in range(SOCKET_MESSAGES_MAX + 50):
        speaker.say(b"%d" % number)
    world.run_until(10)
    assert one.read == []
    one.node.thaw()
    world.run_until(11)
    assert len(one.read) == SOCKET_MESSAGES_MAX
    assert one.line.dropped == 50


def test_a_collector_frozen_for_too_long_is_given_up_and_comes_back(world: World) -> None:
    """The others get the work meanwhile."""
    broker = Broker(world, seed=1)
    frozen, awake = readers(world, broker)
    speaker = Speaker(broker, "1")
    frozen.node.freeze()
    for second in range(100):
        world.at(1 + second, lambda second=second: speaker.say(b"%d" % second))  # type: ignore[misc]
    world.run_until(110)
    assert set(awake.payloads()) >= {b"%d" % second for second in range(60, 100)}
    frozen.node.thaw()
    world.run_until(120)
    assert frozen.ready == 2


def test_a_dead_collector_gets_nothing_and_loses_nothing_of_the_others(world: World) -> None:
    """Its connection is closed with it."""
    broker = Broker(world, seed=1)
    dead, alive = readers(world, broker)
    dead.node.kill()
    speaker = Speaker(broker, "1")
    for number in range(20):
        speaker.say(b"%d" % number)
    world.run_until(5)
    assert dead.read == []
    assert len(alive.read) == 20


def test_nobody_writes_or_reads_under_another_number(world: World) -> None:
    """The broker's access rules are the service's ground."""
    broker = Broker(world, seed=1)
    (one,) = readers(world, broker, 1)
    victim, thief = Speaker(broker, "1"), Speaker(broker, "2")
    thief.session.publish("kvitok/v1/1/journal", b"forged")
    thief.session.subscribe("kvitok/v1/1/ack")
    one.line.publish("kvitok/v1/1/ack", b"yes")
    world.run_until(5)
    assert one.read == []
    assert (victim.heard, thief.heard) == ([b"yes"], [])


def test_a_fate_depends_on_the_link_and_the_number_alone() -> None:
    """So a fault elsewhere that is left out scrambles nothing here."""
    both = [Link(7, "a"), Link(7, "a")]
    for link in both[1:]:
        for _ in range(5):
            link.fates(CALM, 1.0, b"x", 0.0)
    for _ in range(5):
        both[0].fates(STORM, 1.0, b"x", 0.0)
    later = [[link.fates(STORM, 1.0, b"x" * 40, 900.0) for _ in range(200)] for link in both]
    assert later[0] == later[1]
    assert later[0] != [Link(8, "a").fates(STORM, 1.0, b"x" * 40, 900.0) for _ in range(200)]


def test_a_storm_loses_doubles_damages_and_reorders(world: World) -> None:
    """Calm weather does nothing of it."""
    broker = Broker(world, seed=3)
    (one,) = readers(world, broker, 1)
    speaker = Speaker(broker, "1")
    for number in range(300):
        speaker.say(b"%010d" % number)
    world.run_until(10)
    calm = one.payloads()
    assert calm == [b"%010d" % number for number in range(300)]
    broker.weather = STORM
    one.read.clear()
    for number in range(300):
        speaker.say(b"%010d" % number)
    world.run_until(200)
    whole = [each for each in one.payloads() if len(each) == 10 and each.isdigit()]
    assert len(set(whole)) < 290
    assert len(whole) > len(set(whole))
    assert whole != sorted(whole)
    assert len(one.read) > len(whole)


def test_a_damaged_message_is_never_another_readable_one() -> None:
    """The contract leaves that to TCP, TLS and zlib."""
    random = Random(1)
    plain = b'{"epoch":1,"next":22,"mark":"0123456789abcdef","events":[{"kind":"k","at":1}]}'
    for payload in (plain, zlib.compress(plain * 9), b"{}"):
        for _ in range(2000):
            hurt = damage(payload, random)
            assert hurt == payload or isinstance(read(hurt), PayloadRefused)
