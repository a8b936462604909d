"""Findings become incidents, and incidents open, resolve and reopen cases; no I/O.

The door fills a ledger with what stands in the database under the findings' keys, `record`s each
finding in order, and writes what changed, all under the lock of the terminals' folds.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from incidents.calendar import ANNOUNCED, Calendar, due
from incidents.cases import DETECTOR, WORK_ORDER, Case
from incidents.findings import DEVICE, MONEY, Finding, Position, bounded
from incidents.thresholds import Thresholds

WITHDRAWN: Final = "incident_withdrawn"
OPENED: Final = "incident_opened"
REOPENED: Final = "incident_reopened"
CLEARED: Final = "incident_cleared"


@dataclass(slots=True, kw_only=True)
class Incident:
    """What holds, under its key; `id` is None until it is written."""

    id: int | None
    terminal: str
    finding: Finding
    detected_at: datetime
    case: Case | None
    changed: bool = False
    deleted: bool = False

    @property
    def is_open(self) -> bool:
        """Whether it holds now."""
        return self.finding.cleared_at is None and not self.deleted


@dataclass(slots=True)
class Ledger:
    """A terminal's incidents and cases that a run may touch, and what became of them."""

    numbers: Thresholds
    now: datetime
    zone_name: str | None = None
    calendar: Calendar = ANNOUNCED
    incidents: list[Incident] = field(default_factory=list)
    cases: list[Case] = field(default_factory=list)
    opened: list[str] = field(default_factory=list)
    """The rules of incidents that were opened, for the metrics."""

    def record(self, terminal: str, finding: Finding) -> None:
        """Take one finding."""
        incident = self._under(terminal, finding)
        if finding.withdrawn:
            if incident is not None and incident.finding.provisional:
                self._withdraw(incident)
            return
        if incident is None:
            incident = Incident(
                id=None, terminal=terminal, finding=finding, detected_at=self.now, case=None
            )
            incident.changed = True
            self.incidents.append(incident)
            self.opened.append(finding.rule)
            self._open_case(incident, OPENED)
            if not incident.is_open:
                self._cleared(incident)
            return
        self._replace(incident, finding)

    def open_overdue(self, terminal: str) -> None:
        """Make the terminal's provisional incidents a person's work where they waited long."""
        wait = timedelta(seconds=self.numbers.provisional_case_s)
        for incident in self.incidents:
            if (
                incident.terminal == terminal
                and incident.finding.provisional
                and incident.is_open
                and incident.case is None
                and self.now - incident.detected_at >= wait
            ):
                self._join(incident, self._money_case(incident), OPENED)

    def _under(self, terminal: str, finding: Finding) -> Incident | None:
        for incident in reversed(self.incidents):
            one = incident.finding
            if (
                incident.terminal == terminal
                and not incident.deleted
                and (one.rule, one.epoch, one.subject)
                == (finding.rule, finding.epoch, finding.subject)
                and (
                    finding.epoch is not None
                    or one.opened_at == finding.opened_at
                    or (finding.counted and incident.is_open)
                )
            ):
                return incident
        return None

    def _replace(self, incident: Incident, finding: Finding) -> None:
        before = incident.finding
        if finding.counted:
            if finding.proof[0] not in before.proof:
                proof: tuple[Position, ...] = (*before.proof, *finding.proof)
                incident.finding = replace(
                    before,
                    times=before.times + 1,
                    proof=bounded(proof, self.numbers.proof_max),
                )
                incident.changed = True
            return
        if finding == before:
            return
        incident.finding = finding
        incident.changed = True
        if finding.provisional:
            return
        if before.provisional or (before.cleared_at is not None and finding.cleared_at is None):
            self._open_case(incident, OPENED if before.provisional else REOPENED)
        if not incident.is_open and (before.cleared_at is None or before.provisional):
            self._cleared(incident)

    def _withdraw(self, incident: Incident) -> None:
        incident.deleted = incident.changed = True
        case, incident.case = incident.case, None
        if case is None:
            return
        case.note(self.now, WITHDRAWN, "The journal has come: the payment came to a good end.")
        self._resolve(case)

    def _cleared(self, incident: Incident) -> None:
        case = incident.case
        if case is not None:
            case.note(self.now, CLEARED, incident.finding.rule)
            self._resolve(case)

    def _resolve(self, case: Case) -> None:
        if case.resolves_itself and not any(
            one.is_open for one in self.incidents if one.case is case
        ):
            case.move("resolve", at=self.now, actor=DETECTOR, text="All its incidents are over.")

    def _open_case(self, incident: Incident, action: str) -> None:
        finding = incident.finding
        if finding.rule in MONEY and not finding.provisional:
            self._join(incident, self._money_case(incident), action)
        elif finding.rule in DEVICE and incident.is_open:
            self._join(incident, self._work_order(incident), action)

    def _join(self, incident: Incident, case: Case, action: str) -> None:
        if incident.case is not case:
            incident.case = case
            incident.changed = True
        case.note(self.now, action, incident.finding.rule)
        if case.finished:
            case.move("reopen", at=self.now, actor=DETECTOR, text=f"{incident.finding.rule} again")

    def _money_case(self, incident: Incident) -> Case:
        key = (incident.terminal, incident.finding.epoch, incident.finding.subject)
        for case in self.cases:
            if (case.terminal, case.epoch, case.tx) == key:
                return case
        return self._new_case(incident, incident.finding.rule)

    def _work_order(self, incident: Incident) -> Case:
        for case in self.cases:
            if (
                case.terminal == incident.terminal
                and case.topic == WORK_ORDER
                and not case.finished
            ):
                return case
        return incident.case or self._new_case(incident, WORK_ORDER)

    def _new_case(self, incident: Incident, topic: str) -> Case:
        end = due(
            self.now,
            zone_name=self.zone_name,
            working_days=self.numbers.due_working_days,
            calendar=self.calendar,
        )
        money = topic != WORK_ORDER
        case = Case(
            number=None,
            topic=topic,
            state="new",
            terminal=incident.terminal,
            epoch=incident.finding.epoch if money else None,
            tx=incident.finding.subject if money else None,
            opened_at=self.now,
            due_at=end.at,
            new=True,
        )
        case.note(self.now, "opened", f"due by {end.at:%Y-%m-%d}")
        if end.guessed:
            years = ", ".join(str(year) for year in end.guessed)
            case.note(self.now, "due_guessed", f"the transferred days of {years} are not announced")
        self.cases.append(case)
        return case
