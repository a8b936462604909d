"""The codec and the law of the note under anything a line can do."""

import itertools
import random
from collections import Counter, deque
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from agent.devices.ccnet.bill_table import TABLE_BYTES, read_bill_table
from agent.devices.ccnet.frame import FRAME_BYTES_MAX, Decoder, Frame, FrameDamaged, encode
from agent.devices.ccnet.machine import NoteAcceptor
from agent.devices.ccnet.passage import Memory
from agent.devices.machine import (
    Instant,
    NoteReturned,
    NoteStacked,
    NoteUnaccounted,
    Output,
    Send,
    StackOrdered,
)

frames = st.binary(min_size=1, max_size=300).map(lambda body: encode(3, body))
streams = st.lists(frames | st.binary(max_size=40), max_size=8).map(b"".join)


def in_portions(data: bytes, cuts: list[int]) -> list[bytes]:
    """Return the bytes cut at these places."""
    places = sorted({min(cut, len(data)) for cut in cuts} | {0, len(data)})
    return [data[start:end] for start, end in itertools.pairwise(places)]


@given(streams, st.lists(st.integers(0, 2000)))
def test_portions_do_not_matter(data: bytes, cuts: list[int]) -> None:
    """Fed byte by byte, or cut anywhere, a stream gives what it gives at once."""
    whole, single, cut = Decoder(3), Decoder(3), Decoder(3)
    at_once = list(whole.feed(data))
    assert [each for byte in data for each in single.feed(bytes((byte,)))] == at_once
    assert [each for part in in_portions(data, cuts) for each in cut.feed(part)] == at_once
    assert whole.flush() == single.flush() == cut.flush()


@given(st.binary(min_size=1, max_size=900))
def test_every_body_comes_back(body: bytes) -> None:
    """What is written is read."""
    assert Decoder(3).feed(encode(3, body)) == [Frame(3, body)]


@given(st.lists(st.binary(min_size=1, max_size=60), min_size=1, max_size=6), st.binary(max_size=80))
def test_no_good_frame_is_lost_after_noise(bodies: list[bytes], noise: bytes) -> None:
    """Whatever came before, every whole frame is found, at the latest when no more comes."""
    decoder = Decoder(3)
    found = list(decoder.feed(noise + b"".join(encode(3, body) for body in bodies)))
    found += decoder.flush()
    good = [each.body for each in found if isinstance(each, Frame)]
    assert good[-len(bodies) :] == bodies


@given(st.binary(max_size=4000))
def test_noise_is_bounded_and_harmless(noise: bytes) -> None:
    """Anything may come: values, no exception, and at most one frame is held back."""
    decoder = Decoder(3)
    for each in decoder.feed(noise):
        assert isinstance(each, Frame | FrameDamaged)
    assert decoder.held_bytes <= FRAME_BYTES_MAX
    decoder.flush()
    assert decoder.held_bytes == 0


@given(st.binary(min_size=TABLE_BYTES, max_size=TABLE_BYTES))
def test_any_bill_table_is_read(body: bytes) -> None:
    """120 bytes of anything: notes of positive worth, or none."""
    table = read_bill_table(body)
    assert table is not None
    assert all(note.amount > 0 and len(note.currency) == 3 for note in table.values())


@given(st.lists(st.binary(max_size=60), max_size=30))
def test_noise_on_the_line_never_breaks_the_machine(portions: list[bytes]) -> None:
    """No exception, and always a deadline to go on by."""
    machine, now = NoteAcceptor(), Instant(0.0)
    machine.line_opened(now)
    machine.enable(now)
    for portion in portions:
        machine.elapsed(now)
        machine.received(portion, now)
        due = machine.deadline()
        assert due is not None
        now = max(due, now)


class Validator:
    """A small validator: takes notes when enabled, repeats its news until they are ACKed.

    A power cut while it stacks, or before the news of it is ACKed, is remembered (12, then 81).
    """

    def __init__(self, notes: Sequence[int]) -> None:
        self.waiting = deque(notes)
        self.cassette: list[int] = []
        self.state = "10"
        self.ticks = 0
        self.note = 0
        self.news: str | None = None
        self.enabled = False
        self.last = b""
        self.decoder = Decoder(3)

    def received(self, data: bytes) -> bytes:
        """Answer what comes."""
        out = b""
        for frame in self.decoder.feed(data):
            if isinstance(frame, FrameDamaged):
                out += encode(3, b"\xff")
            elif frame.body == b"\x00":
                if self.news is not None and self.last == bytes.fromhex(self.news):
                    self.news = None
                self.last = b""
            elif frame.body == b"\xff":
                out += encode(3, self.last) if self.last else b""
            else:
                out += encode(3, self._obey(frame.body))
        if not data:
            self.decoder.flush()
        return out

    def power_cut(self) -> None:
        """Lose power and get it back at once."""
        self.last, self.enabled = b"", False
        if self.state == "17":
            self.cassette.append(self.note)
            self.news = f"81{self.note:02X}"
        if self.news is not None and self.news.startswith("81"):
            self.state = "12"
        else:
            self.news = None
            self.state = "11" if self.state in {"15", "80", "18"} else "10"

    def _obey(self, body: bytes) -> bytes:
        if body == b"\x33":
            self.last = self._poll()
            return self.last
        if body == b"\x41":
            return b"".join(bytes((1,)) + b"RUS" + bytes((n,)) for n in range(5)).ljust(120, b"\0")
        if body == b"\x37":
            return bytes(34)
        if body == b"\x30" and self.state in {"10", "11", "12"}:
            self.state, self.ticks = "13", 0
        elif body[:1] == b"\x34" and self.state in {"14", "19"}:
            self.enabled = any(body[1:4])
            self.state = "14" if self.enabled else "19"
        elif body == b"\x35" and self.state == "80":
            self.state, self.ticks = "17", 0
        elif body == b"\x36" and self.state == "80":
            self.state, self.ticks = "18", 0
        elif body[:1] != b"\x32":
            return b"\x30"
        return b"\x00"

    def _poll(self) -> bytes:
        if self.news is not None and self.state not in {"12", "13"}:
            return bytes.fromhex(self.news)
        self._move()
        if self.news is not None:
            return bytes.fromhex(self.news)
        return bytes.fromhex(f"80{self.note:02X}" if self.state == "80" else self.state)

    def _move(self) -> None:
        self.ticks += 1
        if self.state == "14" and self.waiting and self.ticks > 2:
            self.note, self.state, self.ticks = self.waiting.popleft(), "15", 0
        elif self.ticks < 3:
            return
        elif self.state == "13":
            self.state = "19"
        elif self.state == "15":
            self.state = "80"
        elif self.state == "17":
            self.cassette.append(self.note)
            self.news, self.state, self.ticks = f"81{self.note:02X}", "14", 0
        elif self.state == "18":
            self.news, self.state, self.ticks = f"82{self.note:02X}", "14", 0


class Line:
    """A serial line in memory: damages what passes, keeps the order, delays."""

    def __init__(self, chance: random.Random, damage: float) -> None:
        self.chance = chance
        self.damage = damage

    def pass_on(self, data: bytes) -> bytes:
        """Return what arrives of the bytes."""
        chance = self.chance
        if not data or chance.random() >= self.damage:
            return data
        hurt = bytearray(data)
        match chance.randrange(4):
            case 0:
                return b""
            case 1:
                hurt[chance.randrange(len(hurt))] ^= 1 << chance.randrange(8)
            case 2:
                del hurt[chance.randrange(len(hurt)) :]
            case _:
                hurt[:0] = chance.randbytes(chance.randrange(1, 9))
        return bytes(hurt)


class World:
    """Machine, line and validator; the agent's disk survives the agent."""

    def __init__(self, seed: int, damage: float) -> None:
        self.chance = random.Random(seed)
        self.line = Line(self.chance, damage)
        self.validator = Validator([self.chance.randrange(5) for _ in range(8)])
        self.memory: Memory = "settled"
        self.told: list[Output] = []
        self.now = Instant(0.0)
        self.arriving: deque[tuple[float, bytes]] = deque()
        self.machine = NoteAcceptor()
        self.start()

    def start(self) -> None:
        """Start the agent, for the first time or after a crash."""
        self.machine = NoteAcceptor(memory=self.memory)
        self.arriving.clear()
        self.take(self.machine.line_opened(self.now))
        self.take(self.machine.enable(self.now))

    def take(self, outputs: Sequence[Output]) -> None:
        """Carry out the outputs in their order: journal first, then the line."""
        for output in outputs:
            if isinstance(output, Send):
                answer = self.validator.received(self.line.pass_on(output.data))
                delay = self.chance.choice([0.005, 0.02, 0.2, 0.4]) if self.line.damage else 0.005
                at = max([self.now + delay, *(time for time, _ in self.arriving)])
                self.arriving.append((at, self.line.pass_on(answer)))
                continue
            self.told.append(output)
            if isinstance(output, StackOrdered):
                self.memory = output
            elif isinstance(output, NoteStacked | NoteReturned | NoteUnaccounted):
                self.memory = "settled"

    def step(self) -> None:
        """Go on to whatever comes next."""
        due = self.machine.deadline()
        assert due is not None
        if self.arriving and self.arriving[0][0] <= due:
            at, data = self.arriving.popleft()
            self.now = Instant(max(self.now, at))
            self.take(self.machine.received(data, self.now))
        else:
            self.now = max(self.now, due)
            self.take(self.machine.elapsed(self.now))

    def run(self, steps: int, *, crashes: float = 0.0, cuts: float = 0.0) -> None:
        """Live for so many steps with crashes of the agent and power cuts of the validator."""
        for _ in range(steps):
            self.step()
            if self.chance.random() < crashes:
                self.start()
            if self.chance.random() < cuts:
                self.validator.power_cut()
                self.arriving.clear()


@given(
    st.integers(0, 2**32),
    st.sampled_from([0.0, 0.05, 0.2]),
    st.sampled_from([0.0, 0.01]),
    st.sampled_from([0.0, 0.01]),
)
def test_each_note_is_told_exactly_once(
    seed: int, damage: float, crashes: float, cuts: float
) -> None:
    """Damaged and late frames, crashes of the agent, power cuts: told is what is inside."""
    world = World(seed, damage)
    world.run(600, crashes=crashes, cuts=cuts)
    world.line.damage = 0.0
    world.run(300)
    told = Counter(each.amount for each in world.told if isinstance(each, NoteStacked))
    unsure = Counter(each.amount for each in world.told if isinstance(each, NoteUnaccounted))
    assert told == Counter(100 * 10**note for note in world.validator.cassette)
    # A crash just when the validator gave a note back over a power cut: nobody is left who knows.
    assert not unsure or (crashes and cuts)
