"""What the incidents process counts."""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

EVENTS: Final = Counter("kvitok_incidents_events_total", "Events folded")
COMMITS: Final = Counter("kvitok_incidents_commits_total", "Commits of the fold")
COMMIT_S: Final = Histogram(
    "kvitok_incidents_commit_seconds",
    "Time of one commit of the fold",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)
LAG_S: Final = Gauge(
    "kvitok_incidents_lag_seconds",
    "How long the oldest row that is not folded has waited",
    multiprocess_mode="mostrecent",
)
OPENED: Final = Counter("kvitok_incidents_opened_total", "Incidents opened", ["rule"])
CASES: Final = Counter("kvitok_incidents_cases_total", "Cases opened by the detector")
FAILED: Final = Counter(
    "kvitok_incidents_failed_total", "Terminals whose rows could not be folded, tries"
)
WAITING: Final = Gauge(
    "kvitok_incidents_waiting_terminals",
    "Terminals that wait for a lane",
    multiprocess_mode="livesum",
)
UNREADABLE: Final = Counter(
    "kvitok_incidents_unreadable_total", "Rows that no rule could read and that were passed over"
)
