import json
import math
from random import Random

from hypothesis import example, given, settings
from hypothesis import strategies as st

from agent.devices.machine import Instant
from agent.journal import Journal, Limits
from agent.shape import Entry
from agent.uplink import Forked, Publish, Uplink
from tests.property.agent.agent_service_model import Network, ServiceModel
from tests.unit.agent.store_memory import MemoryStore
from wire.codec import encode
from wire.journal import Epoch

POISON = "poison"


class World:
    """One terminal, one service, a network, virtual time; everything from one seed."""

    def __init__(self, seed: int) -> None:
        """Begin connected, with an empty journal."""
        self.random = Random(seed)
        self.now = 0.0
        self.store = MemoryStore(capacity=None)
        self.service = ServiceModel(poison=POISON)
        self.network = Network(self.random)
        self.backups = [self.service.backup()]
        self.images = [self.store.copy()]
        self.numbers: list[int] = []
        self.rolled_back: set[int] = set()
        self.forks = 0
        self.start()

    def at(self) -> int:
        """Return the terminal's wall clock."""
        return 1_000 + int(self.now * 1000)

    def start(self) -> None:
        """Start the agent over what the store holds."""
        self.journal = Journal(self.store, at=self.at(), limits=Limits(keep_bytes=2_000))
        self.uplink = Uplink(self.journal, self.random)
        self.publish(self.uplink.connected(Instant(self.now)))

    def publish(self, outcomes: object) -> None:
        """Carry out what the uplink wants."""
        assert isinstance(outcomes, list | tuple)
        for outcome in outcomes:
            if isinstance(outcome, Publish):
                self.network.send("service", outcome.payload, self.now)
            else:
                assert isinstance(outcome, Forked)
                assert outcome.new > outcome.old
                self.forks += 1

    def append(self) -> None:
        """Something happens at the terminal."""
        entries = []
        for _ in range(self.random.choice([1, 1, 2, 3, 5, 30, 30, 600])):
            number = len(self.numbers)
            self.numbers.append(number)
            bad = self.random.random() < 0.01
            event = {"kind": POISON if bad else "k", "at": self.at(), "n": number}
            data = json.dumps(event).encode()
            entries.append(Entry(at=self.at(), money=number % 2 == 0, event=data))
        self.journal.append(entries)
        self.publish(self.uplink.appended(Instant(self.now)))

    def run(self, seconds: float) -> None:
        """Let time pass, delivering what arrives and keeping deadlines."""
        end = self.now + seconds
        while True:
            times = [self.network.next_at(), self.uplink.deadline()]
            soonest = min((each for each in times if each is not None), default=math.inf)
            if soonest > end:
                break
            self.now = max(self.now, soonest)
            for where, payload in self.network.arrived(self.now):
                self.deliver(where, payload)
            self.publish(self.uplink.elapsed(Instant(self.now)))
        self.now = end

    def deliver(self, where: str, payload: bytes) -> None:
        """Hand a message to its end of the line."""
        if where == "service":
            self.network.send("terminal", encode(self.service.take(payload)), self.now)
        else:
            self.publish(self.uplink.received(payload, now=Instant(self.now), at=self.at()))

    def pulse(self) -> None:
        """A pulse asks the service where it stands."""
        self.network.send("terminal", encode(self.service.ack(self.journal.epoch)), self.now)

    def crash(self) -> None:
        """The agent dies and starts again."""
        self.store.lose_power()
        self.start()

    def reconnect(self) -> None:
        """The line is lost and comes back."""
        self.uplink.disconnected()
        self.run(self.random.uniform(0, 40))
        self.publish(self.uplink.connected(Instant(self.now)))

    def settle(self) -> None:
        """Heal everything and wait until nothing moves."""
        self.network.healed = True
        for _ in range(200):
            self.run(20)
            self.pulse()
            self.run(20)
            if self.uplink.unacked == 0 and self.uplink.deadline() is None:
                return
        raise AssertionError("the terminal and the service do not come to rest")


def numbers_of(world: World) -> list[int]:
    """Return the numbers of the events that the service holds; a stand-in has none."""
    return [event["n"] for event in world.service.events() if "n" in event]


def stand_ins(world: World) -> list[dict[str, object]]:
    """Return the events that stand for unreadable ones."""
    return [event for event in world.service.events() if event["kind"] == "unreadable"]


@given(seed=st.integers(min_value=0, max_value=2**32))
@settings(max_examples=25, deadline=None)
def test_every_event_arrives_exactly_once_and_in_order(seed: int) -> None:
    """Loss, duplicates, delays, crashes, reconnects: the copy is exact, with its stand-ins."""
    world = World(seed)
    for _ in range(12):
        world.random.choice(
            [world.append, world.append, world.crash, world.reconnect, world.pulse]
        )()
        world.run(world.random.uniform(0, 30))
    world.settle()
    poisoned = len(stand_ins(world))
    assert world.forks == 0
    assert list(world.service.journals) in ([world.journal.epoch], [])
    held = numbers_of(world)
    assert held == sorted(set(held))
    assert len(held) + poisoned == len(world.numbers)


@given(seed=st.integers(min_value=0, max_value=2**32))
@settings(max_examples=25, deadline=None)
def test_a_restored_service_gets_back_what_it_forgot(seed: int) -> None:
    """After a restore from any backup nothing is missing, but what had gone and is declared."""
    world = World(seed)
    for _ in range(12):
        action = world.random.choice(["append", "backup", "restore", "upkeep", "crash"])
        if action == "append":
            world.append()
        elif action == "backup":
            world.backups.append(world.service.backup())
        elif action == "restore":
            world.service.restore(world.random.choice(world.backups))
        elif action == "upkeep":
            world.journal.upkeep(Instant(world.now))
        else:
            world.crash()
        world.run(world.random.uniform(0, 30))
    world.settle()
    seqs: list[int] = []
    for copy in world.service.journals.values():
        for seq, event in sorted(copy.rows.items()):
            through = event.get("through", seq) if event["kind"] == "journal_lost" else seq
            seqs.extend(range(seq, through + 1))
    assert world.forks == 0
    assert seqs == list(range(1, world.journal.next))


@given(seed=st.integers(min_value=0, max_value=2**32))
@settings(max_examples=25, deadline=None)
def test_a_rolled_back_disk_forks_and_loses_nothing_it_still_had(seed: int) -> None:
    """A disk image put back continues under a new epoch; what was written since all arrives."""
    world = World(seed)
    since: list[int] = []
    for _ in range(10):
        action = world.random.choice(["append", "append", "image", "roll_back"])
        if action == "append":
            world.append()
        elif action == "image":
            world.images.append(world.store.copy())
        else:
            world.store = world.random.choice(world.images)
            world.images = [world.store.copy()]
            since = [len(world.numbers)]
            world.start()
        world.run(world.random.uniform(0, 30))
    world.settle()
    first = since[0] if since else 0
    arrived = [number for number in numbers_of(world) if number >= first]
    assert arrived == sorted(set(arrived))
    # What is missing was unreadable; a stand-in may also be for an event from before the image.
    assert len(world.numbers) - first - len(arrived) <= len(stand_ins(world))
    # A fork with nothing to bring is an epoch that the service has not heard of yet.
    assert world.journal.epoch >= max(world.service.journals, default=0)


@given(seed=st.integers(min_value=0, max_value=2**32))
@example(seed=72142)  # restored while the present epoch had nothing: its position never went back
@settings(max_examples=40, deadline=None)
def test_a_service_restored_to_before_a_fork_gets_the_older_epoch_too(seed: int) -> None:
    """What was acknowledged under an epoch that a fork has left comes again, before the present."""
    world = World(seed)
    for _ in range(12):
        action = world.random.choice(
            ["append", "append", "backup", "restore", "image", "roll_back", "crash"]
        )
        if action == "append":
            world.append()
        elif action == "backup":
            world.backups.append(world.service.backup())
        elif action == "restore":
            world.service.restore(world.random.choice(world.backups))
        elif action == "image":
            world.images.append(world.store.copy())
        elif action == "roll_back":
            world.store = world.random.choice(world.images)
            world.images = [world.store.copy()]
            world.start()
        else:
            world.crash()
        world.run(world.random.uniform(0, 30))
    # A restore while the present epoch is empty is seen at its next event, or when it starts again.
    world.append()
    world.settle()
    assert world.uplink.settled
    for epoch, seqs in world.store.held().items():
        journal = world.service.journals[epoch]
        ours = world.journal.older_mark(Epoch(epoch), journal.next - 1)
        if epoch != world.journal.epoch and ours is not None and ours != journal.mark:
            continue  # A backup brought another history of it back: a disk had been rolled back.
        copy = journal.rows
        declared = [
            range(seq, event["through"] + 1)
            for seq, event in copy.items()
            if event["kind"] == "journal_lost"
        ]
        missing = [
            seq for seq in seqs if seq not in copy and not any(seq in lost for lost in declared)
        ]
        assert missing == []
