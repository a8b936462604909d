"""A process that appends for ever and says on its output what it was told is durable.

Run by test_agent_kill.py and killed at random instants: `python agent_writer.py PATH`.
"""

import json
import sys
import time
from pathlib import Path
from random import Random

from agent.journal import Journal
from agent.shape import Entry
from agent.store_sqlite import open_store


def main(path: Path) -> None:
    """Append, acknowledge, fork now and then; print `epoch seq n` after each durable append."""
    at = time.time_ns() // 1_000_000
    random = Random(at)
    journal = Journal(open_store(path, reserve_bytes=0, at=at).store, at=at)
    while True:
        number = time.monotonic_ns()
        event = {"kind": "k", "at": at, "n": number, "pad": "x" * random.randrange(2_000)}
        data = json.dumps(event).encode()
        first = journal.append([Entry(at=at, money=True, event=data)] * random.choice([1, 1, 3]))
        print(journal.epoch, first, journal.next, number, flush=True)  # noqa: T201 - its whole point
        if random.random() < 0.1:
            journal.acknowledged(random.randrange(journal.acked, journal.next + 1))
        if random.random() < 0.02:
            journal.fork(at)
            print(journal.epoch, 0, journal.next, 0, flush=True)  # noqa: T201 - the same


main(Path(sys.argv[1]))
