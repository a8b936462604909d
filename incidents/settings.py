"""Settings of the incidents process: section `[incidents]`."""

from dataclasses import dataclass, fields

from incidents.thresholds import Thresholds

_DEFAULT = Thresholds()


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentsSettings:
    """What the process needs; every number of the rules may be named here too."""

    dsn: str
    """The database."""

    lanes: int = 2
    """Commits under way at once in each process."""

    terminals_per_commit: int = 300
    """Terminals folded in one commit."""

    events_per_commit: int = 20_000
    """Events folded in one commit; what is left follows in the next."""

    poll_s: float = 5.0
    """How often to look for what no notification told of, and for silence."""

    metrics_port: int = 0
    """Port on loopback for this process's own metrics; 0 = none."""

    hold_s: float = _DEFAULT.hold_s
    """A device must be bad so long before it is an incident, and good so long before it is over."""

    reopen_window_s: float = _DEFAULT.reopen_window_s
    """Bad again within this time: the same incident."""

    backlog_age_s: float = _DEFAULT.backlog_age_s
    """Older events than this, while they arrive, open no device incident."""

    silent_intervals: int = _DEFAULT.silent_intervals
    """Missed pulses after which a terminal is silent."""

    pulse_interval_s: int = _DEFAULT.pulse_interval_s
    """The pulse interval of a terminal that does not name another."""

    grace_s: float = _DEFAULT.grace_s
    """No silence so soon after the service began to listen."""

    deaf_s: float = _DEFAULT.deaf_s
    """A collector that has not said for so long that it listens does not listen."""

    provisional_case_s: float = _DEFAULT.provisional_case_s
    """A payment left open by silence becomes a case after this."""

    clash_window_s: float = _DEFAULT.clash_window_s
    """A smaller epoch that moves twice within this time is a second living journal."""

    due_working_days: int = _DEFAULT.due_working_days
    """A case is due at the end of this working day; the desk and the mails read it here too."""

    open_transactions_max: int = _DEFAULT.open_transactions_max
    """More open transactions than this cannot be: the oldest counts as over."""

    proof_max: int = _DEFAULT.proof_max
    """Journal positions kept as proof of one incident."""

    @property
    def numbers(self) -> Thresholds:
        """The thresholds with these settings in them."""
        return Thresholds(**{one.name: getattr(self, one.name) for one in fields(Thresholds)})
