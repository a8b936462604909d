"""A model of an MQTT broker and of the network around it.

Laws. Nothing is promised but what MQTT promises to a clean session at the agent's and collector's
QoS, and bad weather takes even that: only the service's own ack counts. A client id has one
session; a newer one throws the older out. A user publishes and subscribes under its own number
only. What a dead node is sent is lost; what a frozen one is sent waits in a socket of some size,
until the broker gives its client up.
"""

from collections.abc import Callable
from functools import partial
from random import Random

from collector.mqtt import SHARE, Message
from collector.settings import MqttSettings
from tests.simulation.lines import ServiceLine, Session
from tests.simulation.loop import Node, World
from tests.simulation.weather import CALM, Link, Weather

Story = Callable[[str, str], None]


def silent(_who: str, _what: str) -> None:
    """Tell nobody."""


class Broker:
    """The broker; `weather` is what the network does to every message."""

    def __init__(
        self, world: World, *, seed: int, shares: bool = True, story: Story = silent
    ) -> None:
        self.world, self.seed, self.shares, self._story = world, seed, shares, story
        self.weather: Weather = CALM
        self.up = True
        self.foreign = 0
        """Messages published on somebody else's topic, and dropped."""
        self._up_at = 0.0
        self._life = 0
        self._random = Random(f"{seed}:broker")
        self._links: dict[str, Link] = {}
        self._sessions: dict[str, Session] = {}
        self._subscribers: dict[str, Session] = {}
        self._retained: dict[str, bytes] = {}
        self._lines: list[ServiceLine] = []
        self._routes: dict[str, tuple[list[ServiceLine], list[ServiceLine]]] = {}

    # --- what the two sides open

    def for_service(
        self, node: Node
    ) -> Callable[[MqttSettings, Callable[[Message], None]], ServiceLine]:
        """Return what makes a collector's door to this broker, in its process."""
        return lambda _settings, on_message: ServiceLine(self, node, on_message)

    def connect(
        self,
        client_id: str,
        *,
        will: tuple[str, bytes],
        on_message: Callable[[str, bytes], None],
        on_down: Callable[[Session, str], None],
    ) -> Session | None:
        """Open a terminal's session; None while the broker is down."""
        if not self.up:
            return None
        older = self._sessions.get(client_id)
        if older is not None:
            self._ended(older, "thrown out by another session of the same number", within_s=0.05)
            self._publish(*older.will, retain=True, lot=0)
        session = self._sessions[client_id] = Session(self, client_id, will, (on_message, on_down))
        return session

    # --- what goes wrong

    def restart(self, down_s: float, *, forgets: bool = True) -> None:
        """Go down for a while, and forget all sessions; with `forgets`, what is retained too."""
        self._story("broker", f"restarts, down for {down_s:.1f} s{', forgetful' * forgets}")
        self.up = False
        self._life += 1
        if forgets:
            self._retained.clear()
        for session in list(self._sessions.values()):
            self._ended(session, "the broker is gone", within_s=1.0)
        for line in list(self._lines):
            self.left(line)
            line.hung_up()
        up_at = self._up_at = max(self._up_at, self.world.now + down_s)
        self.world.at(up_at, lambda: self._come_up(up_at))

    def cut_all(self) -> None:
        """Cut every connection; the broker goes on."""
        self._story("broker", "all its connections are cut")
        for session in list(self._sessions.values()):
            self._ended(session, "cut", within_s=2.0)
            self._will_after(session, self._random.uniform(0.0, 4.0))
        for line in list(self._lines):
            self.left(line)
            line.hung_up()

    def calm(self) -> None:
        """Have good weather."""
        self.weather = CALM

    def retained(self, topic: str) -> bytes | None:
        """Return what is kept for a topic."""
        return self._retained.get(topic)

    # --- what sessions and lines ask for

    def link(self, name: str) -> Link:
        """Return a way by its name; it goes on counting over connections."""
        found = self._links.get(name)
        if found is None:
            found = self._links[name] = Link(self.seed, name)
        return found

    def sent_up(self, session: Session, link: Link, packet: tuple[str, bytes, bool]) -> None:
        """Carry a terminal's message here."""
        topic, payload, retain = packet
        weather, life = self.weather, self._life
        for when, body in link.fates(weather, weather.up, payload, self.world.now):
            packet = (topic, body, retain)
            self.world.at(when, partial(self._arrive, session, packet, (life, link.lot)))

    def sent_out(self, link: Link, topic: str, payload: bytes) -> None:
        """Carry the service's message to the terminal whose topic it is."""
        weather, life = self.weather, self._life
        if not weather.inside:
            self._publish(topic, payload, retain=False, lot=0)
            return
        for when, body in link.fates(weather, weather.inside, payload, self.world.now):
            self.world.at(when, partial(self._arrive, None, (topic, body, False), (life, 0)))

    def subscribed(self, session: Session, topic: str) -> None:
        """Note a subscription, and deliver what is retained."""
        if not _is_own(topic, session):
            self.foreign += 1
            return
        self._subscribers[topic] = session
        kept = self._retained.get(topic)
        if kept is not None:
            session.told(topic, kept)

    def will_be_missed(self, session: Session, within_s: float) -> None:
        """Notice after a while that a session is no more."""

        def missed() -> None:
            if session.open:
                self._ended(session, "", within_s=0.0)
                self._publish(*session.will, retain=True, lot=0)

        self.world.after(within_s * self._random.random(), missed)

    def forget(self, session: Session) -> None:
        """Drop a session and its subscriptions."""
        if self._sessions.get(session.client_id) is session:
            del self._sessions[session.client_id]
        for topic in [each for each, who in self._subscribers.items() if who is session]:
            del self._subscribers[topic]

    def joined(self, line: ServiceLine) -> None:
        """Serve a collector from now on, beginning with what is retained."""
        self._lines.append(line)
        self._routes.clear()
        line.connected = True
        for topic, payload in self._retained.items():
            if any(_matches(each, topic) for each in line.plain):
                line.arrived(Message(topic, payload, retain=True))

    def left(self, line: ServiceLine) -> None:
        """Serve a collector no more."""
        line.connected = False
        if line in self._lines:
            self._lines.remove(line)
            self._routes.clear()

    # --- inside

    def _come_up(self, up_at: float) -> None:
        if not self.up and up_at == self._up_at:
            self._story("broker", "is up again")
            self.up = True

    def _ended(self, session: Session, why: str, *, within_s: float) -> None:
        session.open = False
        self.forget(session)
        if not session.lost:
            delay_s = within_s * self._random.random()
            self.world.after(delay_s, partial(session.on_down, session, why))

    def _will_after(self, session: Session, delay_s: float) -> None:
        life = self._life

        def publish() -> None:
            if self._life == life:
                self._publish(*session.will, retain=True, lot=0)

        self.world.after(delay_s, publish)

    def _arrive(
        self, session: Session | None, packet: tuple[str, bytes, bool], drawn: tuple[int, int]
    ) -> None:
        topic, payload, retain = packet
        life, lot = drawn
        if life != self._life:
            return
        if session is not None:
            if retain and not session.open:
                return
            if not _is_own(topic, session):
                self.foreign += 1
                return
        self._publish(topic, payload, retain=retain, lot=lot)

    def _publish(self, topic: str, payload: bytes, *, retain: bool, lot: int) -> None:
        if not self.up:
            return
        if retain:
            if payload:
                self._retained[topic] = payload
            else:
                self._retained.pop(topic, None)
        subscriber = self._subscribers.get(topic)
        if subscriber is not None:
            subscriber.told(topic, payload)
        shared, plain = self._routes.get(topic) or self._route(topic)
        message = Message(topic, payload, retain=False)
        if shared and self.shares:
            self._deliver(shared[lot % len(shared)], message)
        elif shared:
            for line in list(shared):
                self._deliver(line, message)
        for line in list(plain):
            self._deliver(line, message)

    def _deliver(self, line: ServiceLine, message: Message) -> None:
        weather = self.weather
        if not weather.inside:
            line.arrived(message)
            return
        fates = line.link_in.fates(weather, weather.inside, message.payload, self.world.now)
        for when, body in fates:
            late = Message(message.topic, body, message.retain)
            self.world.at(when, partial(_arrive_at, line, late))

    def _route(self, topic: str) -> tuple[list[ServiceLine], list[ServiceLine]]:
        shared = [each for each in self._lines if any(_matches(one, topic) for one in each.shared)]
        plain = [each for each in self._lines if any(_matches(one, topic) for one in each.plain)]
        if len(self._routes) > 10_000:
            self._routes.clear()
        self._routes[topic] = (shared, plain)
        return shared, plain


def _arrive_at(line: ServiceLine, message: Message) -> None:
    if line.connected:
        line.arrived(message)


def _is_own(topic: str, session: Session) -> bool:
    return topic.startswith(f"kvitok/v1/{session.client_id}/")


def _matches(pattern: str, topic: str) -> bool:
    wanted, found = pattern.removeprefix(SHARE).split("/"), topic.split("/")
    return len(wanted) == len(found) and all(
        each in {"+", one} for each, one in zip(wanted, found, strict=True)
    )
