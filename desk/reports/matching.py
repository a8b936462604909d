"""Understands a report: what it says, which case it belongs to, which transaction it means.

What was understood and what follows (attached, put into a case, given one of its own) is one
commit. It is decided beforehand, without a lock; if by then somebody has decided about the same
customer, it is decided again. So two desks at once, or one that dies, make one case.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from desk.database import one_connection
from desk.metrics import MATCHES
from desk.queries.conversation import decide_answer, has_written_before, read_standing
from desk.queries.report_keeping import Understood, keep_understood
from desk.reports.answering import Sender, answer_to
from desk.reports.conversation import Opened, Plan, is_vouched, make_plan, open_report
from desk.reports.masking import stored_facts
from desk.reports.together import told_together
from desk.state import Desk
from incidents.actions import Refused, Word
from incidents.cases import DETECTOR
from incidents.matching.link import (
    TOPIC_UNKNOWN,
    Link,
    attach_locked,
    join_case,
    lock,
    open_unplaced,
)
from incidents.matching.matcher import Asked, Match, match
from incidents.matching.passage import Fact
from incidents.matching.unplaced import named
from wire.accounts import account_hash

SAME_SENDER: Final = "same_sender"
"""Why a report that answers nothing is in a case."""
PLANS_MAX: Final = 5
"""Times that a decision is made anew because somebody decided about the same customer."""


class Restless(Exception):  # noqa: N818 - says what is
    """Others kept deciding about the same customer; the report is taken up again later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What a report was found to mean, and what follows."""

    match: Match
    link: Link | None
    word: Word


async def match_report(desk: Desk, report: int) -> bool:
    """Read a report anew and match it; False if there is none.

    Raises:
        SealBroken: its content cannot be opened.
        Restless: somebody else decided about its customer again and again.
    """
    it = await open_report(desk, report)
    if it is None:
        return False
    for _ in range(PLANS_MAX):
        plan = await make_plan(desk, it)
        if plan is None:
            return False
        if await _follow(desk, it, plan):
            return True
    raise Restless


async def _follow(desk: Desk, it: Opened, plan: Plan) -> bool:
    """Write what was understood and do what follows; False if that was decided on the past."""
    async with one_connection(desk.database) as connection:
        found = await _find(connection, desk, it, plan)
        understood = _understood(desk, it, plan, found.match)
        link = found.link
        async with connection.transaction():
            await lock(connection, plan.customers, None if link is None else link.place)
            now = await read_standing(connection, plan.asked, locked=True)
            if now is None or not plan.holds(now):
                return False
            await keep_understood(connection, it.id, understood)
            attached = False
            if understood.set_aside is None:
                attached = await _settle(connection, it, plan, found)
                await _decide_answer(connection, desk, it, plan)
        MATCHES.labels("attached" if attached else understood.status).inc()
    return True


async def _find(connection: Any, desk: Desk, it: Opened, plan: Plan) -> _Found:  # noqa: ANN401 - asyncpg's
    """Match a report with what its customer wrote of it before, else by itself."""
    key = desk.settings.account_key

    async def find(letters: Sequence[Opened]) -> Match:
        facts = [each.facts for each in letters]
        asked = Asked(
            facts=facts[0] if len(facts) == 1 else told_together(facts),
            received_at=min(each.read.content.told_at for each in letters),
            hash_of=lambda digits: account_hash(digits, key),
            suspended=it.read.content.suspicion is not None,
        )
        return await match(connection, asked, scenes=desk.scenes)

    letters = sorted((it, *plan.letters), key=lambda each: (each.received.at, each.id))
    found = await find(letters[::-1])
    alone = False
    if plan.letters and found.decision.status != "attached":
        # What was told before may be about something else: then this letter goes by itself.
        own = await find([it])
        alone = own.decision.status == "attached"
        found = own if alone else found
    link = _sure(it, plan, found, alone=alone)
    if link is not None:
        word = desk.word(DETECTOR, _by_matcher(link, found))
        return _Found(match=found, link=_free(plan, link), word=word)
    text = named(it.id) if plan.thread is None else f"{named(it.id)}: {plan.thread.trace}"
    word = desk.word(DETECTOR, text)
    return _Found(match=found, link=_free(plan, _answering(it, plan)), word=word)


def _sure(it: Opened, plan: Plan, found: Match, *, alone: bool) -> Link | None:
    """Return what the matcher is sure of; a terminal alone is no transaction."""
    decision = found.decision
    if decision.status != "attached" or decision.terminal is None or decision.tx is None:
        return None
    return _link(it, plan, (decision.terminal, decision.epoch, decision.tx), alone=alone)


def _answering(it: Opened, plan: Plan) -> Link | None:
    """Return the transaction of the case that a letter answers."""
    home = plan.home
    if not plan.answers or home is None or home.terminal is None:
        return None
    return _link(it, plan, (home.terminal, home.epoch, home.tx))


def _link(
    it: Opened, plan: Plan, place: tuple[str, int | None, str | None], *, alone: bool = False
) -> Link:
    terminal, epoch, tx = place
    return Link(
        report=it.id, terminal=terminal, epoch=epoch, tx=tx, by="matcher", topic=_topic(it.facts),
        case=plan.home.number if plan.answers and plan.home is not None else None, alone=alone,
    )  # fmt: skip


def _free(plan: Plan, link: Link | None) -> Link | None:
    """Return what the matcher may do; what a person has decided stays."""
    standing = plan.standing
    return link if standing.attached_by is None and not standing.held else None


async def _settle(connection: Any, it: Opened, plan: Plan, found: _Found) -> bool:  # noqa: ANN401 - asyncpg's
    """See that a customer's report is in a case; return whether it was attached."""
    home, link, is_new = plan.home, found.link, plan.standing.case is None
    if plan.standing.attached_by is not None:
        return False
    joins = replace(found.word, text=_joins(it, plan))
    if is_new and home is not None and home.terminal is None:
        await join_case(connection, it.id, home.number, joins)
        is_new = False
    if link is not None:
        number = await attach_locked(connection, link, found.word)
        if not isinstance(number, Refused):
            return True
    if is_new and home is not None:
        await join_case(connection, it.id, home.number, joins)
    elif is_new:
        await open_unplaced(connection, it.id, found.word, topic=_topic(it.facts))
    return False


def _joins(it: Opened, plan: Plan) -> str:
    answers = plan.thread is not None and plan.answers
    return f"{named(it.id)}: {plan.thread.trace if answers and plan.thread else SAME_SENDER}"


async def _decide_answer(connection: Any, desk: Desk, it: Opened, plan: Plan) -> None:  # noqa: ANN401 - asyncpg's
    own, address = desk.reader.own, it.read.content.customer
    sender = Sender(
        address=address,
        is_staff=address is not None and own.is_staff(address),
        is_vouched=bool(plan.customers) and (plan.answers or is_vouched(it, own)),
        wrote_before=await has_written_before(connection, it.id, plan.customers),
        received_at=it.received.at,
    )
    await decide_answer(connection, it.id, answer_to(sender, desk.now()))


def _understood(desk: Desk, it: Opened, plan: Plan, found: Match) -> Understood:
    key = desk.settings.account_key
    return Understood(
        facts=stored_facts(it.read.shown, key),
        customers=plan.customers,
        reading=desk.seal.seal(it.read.reading.packed()),
        set_aside=it.read.content.suspicion,
        match=found,
        at=desk.now(),
        hint_case=plan.hint,
    )


def _topic(facts: Sequence[Fact]) -> str:
    return next((str(fact.value) for fact in facts if fact.kind == "topic"), TOPIC_UNKNOWN)


def _by_matcher(link: Link, found: Match) -> str:
    probability = next(
        (one.probability for one in found.candidates
         if (one.terminal, one.epoch, one.tx) == link.place),
        0.0,
    )  # fmt: skip
    return f"{named(link.report)}: probability {probability:.4f}, model {found.model}"
