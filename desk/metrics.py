"""What the desk counts, and what it tells Prometheus for all processes."""

from pathlib import Path
from typing import Final

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

REQUESTS: Final = Counter(
    "kvitok_desk_requests",
    "Requests answered, by route (never by address: addresses hold numbers).",
    ["route", "method", "status"],
)
SECONDS: Final = Histogram(
    "kvitok_desk_request_seconds",
    "How long answers took, by route.",
    ["route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)
REPORTS: Final = Counter("kvitok_desk_reports", "Reports taken, by channel.", ["channel"])
MATCHES: Final = Counter(
    "kvitok_desk_report_matches",
    "Reports matched, by what came of it; `failed` is tried again.",
    ["status"],
)


def exposition(folder: Path | None) -> tuple[bytes, str]:
    """Return the metrics of all processes that count in the folder, or of this one."""
    if folder is None:
        return generate_latest(REGISTRY), CONTENT_TYPE_LATEST
    registry = CollectorRegistry()
    # Every scrape reads the files anew: a process that died keeps its counts.
    MultiProcessCollector(registry, path=str(folder))  # type: ignore[no-untyped-call]  # untyped
    return generate_latest(registry), CONTENT_TYPE_LATEST
