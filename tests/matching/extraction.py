"""Reads files of example reports and scores what the facts grammar finds in them, by kind of fact.

A set is a text file in `tests/matching/examples/`; drop another one in and name it:

    .venv/bin/python tests/matching/extraction.py [NAME …] [--wrong]

Format: `=== name`; `--- origin [YYYY-MM-DD HH:MM]` begins a passage (`subject`, `new`, `forwarded`,
`quoted`, `signature`, `attachment`, `field`), written Monday 2026-11-23 10:15 Moscow time unless
said; `--- expect` begins the expected facts, one a line:

    amount ROLE ROUBLES         inserted, credited, fee, intended, returned
    paid_at FROM..TO            local times that the moment lies between
    account ROLE DIGITS         paid, intended; or `tail` and the last digits
    contact|terminal|receipt|operation|symptom|request|service VALUE
    fiscal FN/I/FP
    place TERMINAL              must be among the weighted candidates
    maybe …                     right if found, not missed if not

A `paid_at` is right when its interval (or the best of an alternative) holds the middle of the
expected one and is no wider than three times that (a whole day for a day, at least 100 minutes).
It is *vague* when it is wider, and *wrong* when it does not hold it. Topics are not scored;
a service that nobody listed is no mistake.
"""

import csv
import re
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

sys.path.insert(0, str(Path(__file__).parents[2]))

from incidents.matching.facts import read_facts
from incidents.matching.gazetteer import Gazetteer, Row
from incidents.matching.passage import Fact, Origin, Passage

EXAMPLES = Path(__file__).parent / "examples"
ZONE = ZoneInfo("Europe/Moscow")
WRITTEN = datetime(2026, 11, 23, 10, 15, tzinfo=ZONE)
KINDS = (
    "paid_at", "amount", "account", "contact", "terminal", "receipt", "operation", "fiscal",
    "place", "symptom", "request", "service",
)  # fmt: skip


@dataclass(slots=True)
class Example:
    """A report, and the facts that a person reads in it."""

    name: str
    passages: list[Passage] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Score:
    """How one kind of fact fared."""

    wanted: int = 0
    right: int = 0
    vague: int = 0
    wrong: int = 0
    """Found, and nobody said so."""
    missed: int = 0


def load(name: str) -> list[Example]:
    """Return the examples of a set."""
    text = (EXAMPLES / f"{name}.txt").read_text(encoding="utf-8")
    return [_example(part) for part in re.split(r"^=== ", text, flags=re.MULTILINE)[1:]]


def _example(text: str) -> Example:
    name, _, body = text.partition("\n")
    example = Example(name.strip())
    start = 0
    for part in re.split(r"^--- ", body, flags=re.MULTILINE)[1:]:
        head, _, content = part.partition("\n")
        origin, _, when = head.strip().partition(" ")
        content = content.strip("\n")
        if origin == "expect":
            lines = (line.strip() for line in content.splitlines())
            example.expected = [line for line in lines if line and not line.startswith("#")]
            continue
        written = datetime.fromisoformat(when).replace(tzinfo=ZONE) if when else WRITTEN
        example.passages.append(
            Passage(origin=Origin(origin), text=content, written_at=written, start=start)
        )
        start += len(content) + 1
    return example


def fleet() -> list[Row]:
    """Return the terminals of the examples."""
    with (EXAMPLES / "fleet.csv").open(encoding="utf-8") as file:
        return [
            Row(each["terminal"], *(each[key] or None for key in Row._fields[1:]))
            for each in csv.DictReader(file)
        ]


def told(fact: Fact) -> str:
    """Return a fact as a line of the format; a time as its interval."""
    value = fact.value
    if isinstance(value, dict):
        if fact.kind == "amount":
            minor = value["minor"]
            roubles = f"{minor // 100}" + (f".{minor % 100:02d}" if minor % 100 else "")
            return f"amount {value['role']} {roubles}"
        if fact.kind == "account":
            role = "tail" if value["form"] == "tail" else value["role"]
            return f"account {role} {value['digits']}"
        if fact.kind == "fiscal":
            return f"fiscal {value['fn']}/{value['i']}/{value['fp']}"
        if fact.kind == "paid_at":
            low, high = (_local(value[key]).strftime("%Y-%m-%d %H:%M") for key in ("from", "to"))
            return f"paid_at {low}..{high} ({value['precision']})"
        if fact.kind == "place":
            return f"place {value['words']} → {list(value['terminals'])[:5]}"
    return f"{fact.kind} {value}"


def _local(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(ZONE).replace(tzinfo=None)


def _wanted_times(line: str) -> tuple[datetime, datetime]:
    first, _, last = line.removeprefix("paid_at ").partition("..")
    low = datetime.fromisoformat(first.strip())
    last = last.strip()
    high = datetime.fromisoformat(last if len(last) > 8 else f"{first[:10]} {last}")
    return low, high


def judge_time(line: str, fact: Fact) -> str:
    """Return `right`, `vague` or `wrong` for a time against what was expected."""
    low, high = _wanted_times(line)
    middle = low + (high - low) / 2
    room = max((high - low) * 3, timedelta(minutes=100))
    if timedelta(hours=20) <= high - low:
        room = (high - low) * 1.6
    value = fact.value
    assert isinstance(value, dict)
    first, last = _local(value["from"]), _local(value["to"])
    if first <= middle <= last:
        return "right" if last - first <= room else "vague"
    day = high - low >= timedelta(hours=20) and first.date() <= middle.date() <= last.date()
    if day:
        return "right"
    for other in value.get("alternatives", ()):
        if _local(other["from"]) <= middle <= _local(other["to"]):
            return "vague"
    return "wrong"


def score(
    examples: list[Example], gazetteer: Gazetteer
) -> tuple[dict[str, Score], list[str], list[float]]:
    """Return scores by kind, a line for each thing not right, and seconds per report."""
    scores = {kind: Score() for kind in KINDS}
    notes: list[str] = []
    seconds = []
    for example in examples:
        began = time.process_time()
        facts = read_facts(example.passages, zone=ZONE, gazetteer=gazetteer)
        seconds.append(time.process_time() - began)
        for kind in KINDS:
            found = [fact for fact in facts if fact.kind == kind]
            notes += (
                f"[{example.name}] {note}" for note in _judge(kind, example, found, scores[kind])
            )
    return scores, notes, seconds


def _judge(kind: str, example: Example, found: list[Fact], kept: Score) -> Iterator[str]:
    optional = [
        line.removeprefix("maybe ") for line in example.expected if line.startswith("maybe ")
    ]
    wanted = [line for line in example.expected if line.split()[0] == kind]
    left = list(found)
    kept.wanted += len(wanted)
    for line in wanted:
        verdict, fact = _best(kind, line, left)
        if fact is not None:
            left.remove(fact)
        if verdict == "right":
            kept.right += 1
        elif verdict == "vague":
            kept.vague += 1
            yield f"vague {line}: {fact and told(fact)}"
        else:
            kept.missed += 1
            yield f"missed {line}"
    for fact in left:
        if kind == "service" and not wanted:
            continue
        if any(
            _best(kind, line, [fact])[0] != "none" for line in optional if line.split()[0] == kind
        ):
            continue
        kept.wrong += 1
        yield f"wrong {told(fact)} in {fact.text!r} ({fact.confidence})"


def _best(kind: str, line: str, found: list[Fact]) -> tuple[str, Fact | None]:
    for verdict in ("right", "vague"):
        for fact in found:
            if kind == "paid_at":
                if judge_time(line, fact) == verdict:
                    return verdict, fact
            elif kind == "place":
                value = fact.value
                assert isinstance(value, dict)
                terminals = list(value["terminals"])
                if verdict == "right" and line.split()[1] in terminals[:20]:
                    return verdict, fact
            elif verdict == "right" and told(fact) == line:
                return verdict, fact
    return "none", None


def report(name: str, *, wrong: bool) -> Iterator[str]:
    """Yield the lines that tell how a set fared."""
    examples = load(name)
    gazetteer = Gazetteer(fleet())
    read_facts(examples[0].passages, zone=ZONE, gazetteer=gazetteer)
    scores, notes, seconds = score(examples, gazetteer)
    yield f"{name}: {len(examples)} reports"
    yield f"{'':10} {'wanted':>7} {'right':>7} {'vague':>7} {'missed':>7} {'wrong':>7}"
    for kind, s in scores.items():
        yield f"{kind:10} {s.wanted:7} {s.right:7} {s.vague:7} {s.missed:7} {s.wrong:7}"
    seconds.sort()
    yield (
        f"time per report: median {seconds[len(seconds) // 2] * 1000:.1f} ms, "
        f"p95 {seconds[int(len(seconds) * 0.95)] * 1000:.1f} ms, worst {seconds[-1] * 1000:.1f} ms"
    )
    clean = len(examples) - len({note.split("]")[0] for note in notes})
    yield f"reports with nothing vague, missed or wrong: {clean}"
    if wrong:
        yield from notes


if __name__ == "__main__":
    asked = [each for each in sys.argv[1:] if not each.startswith("--")]
    for each in asked or sorted(path.stem for path in EXAMPLES.glob("*.txt")):
        lines = report(each, wrong="--wrong" in sys.argv)
        sys.stdout.writelines(f"{line}\n" for line in lines)
