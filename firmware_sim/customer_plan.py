"""What happens to a full kiosk's customers, and to the kiosk between them, as tables."""

from dataclasses import dataclass
from random import Random
from typing import Final, Literal

from firmware_sim import validator
from firmware_sim.printer import Breakage
from wire.vocabulary import Cause, Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One customer's visit: good unless something is named."""

    cash: bool = True
    bad_note: bool = False
    outcome: Outcome | None = "accepted"
    """None: the program hangs before it asks, and starts again."""
    without_receipt: bool = False
    breaks: Breakage | Literal["paper_out", "cable"] | None = None
    power_cut: Literal["transit", "stacking", "idle"] | None = None
    agent_killed: Literal["cash", "result"] | None = None
    models: tuple[str, ...] = ()
    """Only on these printers; empty: on all."""


GOOD: Final = Plan()
PLANS: Final[dict[str, Plan]] = {
    "paper_out": Plan(breaks="paper_out"),
    "declined": Plan(outcome="declined"),
    "power_cut_stacking": Plan(power_cut="stacking"),
    "cutter": Plan(breaks="cutter"),
    "no_answer": Plan(outcome="unknown"),
    "agent_killed_with_cash": Plan(agent_killed="cash"),
    "bad_note": Plan(bad_note=True),
    "cover_open": Plan(breaks="cover_open"),
    "program_hangs": Plan(outcome=None),
    "power_cut_transit": Plan(power_cut="transit"),
    "printer_power": Plan(breaks="power"),
    "printer_cable": Plan(breaks="cable"),
    "without_receipt": Plan(without_receipt=True),
    "failed": Plan(outcome="failed"),
    "agent_killed_before_receipt": Plan(agent_killed="result"),
    "went_away": Plan(cash=False),
    "power_cut_after_cash": Plan(power_cut="idle"),
    "paper_jammed": Plan(breaks="paper_jammed", models=("custom-vkp80", "custom-kpm")),
}


@dataclass(frozen=True, slots=True)
class Trouble:
    """A way for the validator to be bad between customers."""

    state: bytes
    cause: Cause


TROUBLES: Final[dict[str, Trouble]] = {
    "cassette_removed": Trouble(validator.CASSETTE_REMOVED, "cassette_missing"),
    "cassette_full": Trouble(validator.CASSETTE_FULL, "cassette_full"),
    "note_jammed": Trouble(validator.JAMMED, "note_jammed"),
    "cheated": Trouble(validator.CHEATED, "cheated"),
    "stack_motor": Trouble(validator.failure(0x50), "hardware"),
}


def deck(chance: Random, index: int, model: str) -> list[str]:
    """Return the order in which this kiosk goes through all plans and one trouble; forever again.

    Neighbours begin at different places, so that even a short run of a fleet sees every plan.
    """
    names = [name for name, plan in PLANS.items() if not plan.models or model in plan.models]
    turn = 3 * index % len(names)
    names = names[turn:] + names[:turn]
    names.insert(index % 4, chance.choice(sorted(TROUBLES)))
    return names
