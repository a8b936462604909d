"""The named bounds of a collector's memory, looked at from inside."""

from collector.app import Collector
from collector.journals import WAITING_PER_TERMINAL_MAX
from collector.known import KNOWN_MAX
from collector.pulses import TERMINALS_MAX

# ruff: noqa: SLF001 - a bound is looked at from inside


def over_bounds(collector: Collector) -> list[str]:
    """Return which of a collector's named bounds it is over."""
    found = []
    for queue in collector._queues:
        if queue._bytes > queue._bytes_max:
            found.append(f"{queue._bytes} bytes wait")
        most = max(queue._count.values(), default=0)
        if most > WAITING_PER_TERMINAL_MAX:
            found.append(f"{most} messages of one terminal wait")
        if queue._bytes < 0 or sum(queue._count.values()) != len(queue._waiting):
            found.append("what waits is miscounted")
    sizes = {
        "terminals are known": (len(collector._known._names), KNOWN_MAX),
        "terminals have news": (len(collector._bulletin._news), TERMINALS_MAX),
        "pulses ask": (len(collector._questions._asked), TERMINALS_MAX),
        "answers are remembered": (len(collector._questions._answered), TERMINALS_MAX),
    }
    return found + [f"{size} {what}" for what, (size, most) in sizes.items() if size > most]
