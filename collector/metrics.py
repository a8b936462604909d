"""What Prometheus is told of the collector; safe with several processes in one folder."""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

MESSAGES: Final = Counter("kvitok_collector_messages_total", "MQTT messages received.", ["channel"])
BATCHES: Final = Counter(
    "kvitok_collector_batches_total",
    "Readable batches by what became of them: taken, repetition, overlap, hole, fork.",
    ["outcome"],
)
EVENTS: Final = Counter("kvitok_collector_events_stored_total", "Journal events committed.")
QUARANTINED: Final = Counter(
    "kvitok_collector_events_quarantined_total", "Of the stored events, those not readable."
)
REFUSED: Final = Counter("kvitok_collector_refused_total", "Payloads refused whole.", ["channel"])
PULSES_CUT: Final = Counter(
    "kvitok_collector_pulses_cut_total", "Pulses taken without a part that could not be read."
)
DROPPED: Final = Counter(
    "kvitok_collector_dropped_total",
    "Messages dropped at a bound; terminals send journals again.",
    ["why"],
)
ACKS: Final = Counter("kvitok_collector_acks_total", "Acknowledgements published.")
RETRIES: Final = Counter(
    "kvitok_collector_database_retries_total", "Commits tried again after the database failed."
)
FLUSH_SECONDS: Final = Histogram(
    "kvitok_collector_flush_seconds",
    "Time of one commit of journals.",
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 5, 30),
)
WAIT_SECONDS: Final = Histogram(
    "kvitok_collector_ack_seconds",
    "Longest time from receipt of a batch to its acknowledgement, per commit.",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60),
)
QUEUE_BYTES: Final = Gauge(
    "kvitok_collector_queue_bytes",
    "Journal messages waiting for the database.",
    multiprocess_mode="livesum",
)
MQTT_CONNECTED: Final = Gauge(
    "kvitok_collector_mqtt_connected", "1 while subscribed.", multiprocess_mode="livemin"
)
