"""The receipt printer: status polled in rounds, one receipt at a time.

Laws:
- Status is asked every `IDLE_S`, and as fast as it is answered while a receipt is in work.
- Silence for `OFFLINE_AFTER_S` is `offline` with the paper unknown: never "full", never "out".
- One receipt is in work and one may wait; a third is refused at once (`failed`, cause `unknown`).
  An order with the name of one in work or waiting is the same order.
- When a receipt counts is the law of `job`; what to believe of the answers that of `inquiry`.
- `watch_only`: the payment program prints; nothing but status queries is ever sent.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from agent.devices.escpos.inquiry import OPTIONAL_MISSES_MAX, Belief, Round
from agent.devices.escpos.job import Job, Order, Stage
from agent.devices.escpos.profiles import Profile
from agent.devices.escpos.status import (
    Query,
    Sign,
    Signs,
    device_state,
    is_status,
    silent_state,
    verdict,
)
from agent.devices.escpos.text import encode_text
from agent.devices.machine import (
    DeviceState,
    Instant,
    Output,
    ReceiptFinished,
    Send,
    StateChanged,
)
from wire.vocabulary import Cause

IDLE_S: Final = 2.0
"""From round to round while nothing is printed."""
BUSY_S: Final = 0.1
"""The same while a receipt is in work, or a change waits to be confirmed."""
QUIET_S: Final = 0.5
"""After a missed answer: time for it to come late and be dropped."""
OFFLINE_AFTER_S: Final = 8.0
BITS_PER_BYTE: Final = 10
"""On the line, with start and stop bit."""
_FENCE_ANSWERS: Final = frozenset({0x00, 0x03, 0x0C, 0x0F})


class ReceiptPrinter:
    """Drives, or only watches, one printer."""

    _round: Round | None
    _fence_open: bool

    def __init__(
        self,
        profile: Profile,
        *,
        encoding: str = "cp866",
        codepage: int | None = None,
        presenter: bool | None = None,
        watch_only: bool = False,
        baud: int = 9600,
    ) -> None:
        """`codepage` and `presenter` overrule the profile for a unit that is set up differently."""
        self._profile = profile
        self._encoding = encoding
        page = codepage if codepage is not None else profile.codepages.get(encoding)
        self._select_page = b"" if page is None else bytes((0x1B, 0x74, page))
        self._presenter = profile.presenter if presenter is None else presenter
        self._watch_only = watch_only
        self._baud = baud
        self._told: DeviceState | None = None
        self._job: Job | None = None
        self._waiting: Order | None = None
        self._fence_answered = False
        self._missed: dict[Query, int] = {}
        self._open = False
        self._begin(Instant(0.0))

    def print_receipt(self, job: str, text: str, now: Instant) -> Sequence[Output]:
        """Print a text as a receipt; its outcome comes as `ReceiptFinished` under this name."""
        order = Order(job, encode_text(text, self._encoding), len(text.splitlines()))
        if self._names(job):
            return ()
        if not self._open or self._watch_only:
            cause: Cause = "unknown" if self._watch_only else "offline"
            return (ReceiptFinished(job=job, outcome="failed", cause=cause),)
        if self._at_work() is None:
            return self._start(order, now)
        if self._waiting is None:
            self._waiting = order
            return ()
        return (ReceiptFinished(job=job, outcome="failed", cause="unknown"),)

    def line_opened(self, now: Instant) -> Sequence[Output]:
        """Begin to ask; the state is unknown until the printer answers."""
        self._open = True
        self._begin(now)
        return () if self._told else self._tell(silent_state("", offline=False))

    def line_closed(self, now: Instant) -> Sequence[Output]:
        """The printer cannot be reached: offline, and a receipt in work has its outcome now."""
        self._open = False
        self._begin(now)
        told: list[Output] = []
        if self._job is not None:
            self._job.interrupt()
            told.extend(self._finished(self._job.cut_short(now), now))
        if self._waiting is not None:
            told.append(ReceiptFinished(job=self._waiting.job, outcome="failed", cause="offline"))
            self._waiting = None
        return (*told, *self._tell(silent_state("line", offline=True)))

    def received(self, data: bytes, now: Instant) -> Sequence[Output]:
        """Take answers; what answers nothing that was asked is dropped."""
        if not self._open:
            return ()
        if self._fence_open and _answers_fence(data):
            self._fence_open, self._fence_answered = False, True
            if self._job is not None:
                self._job.fenced = True
        if self._round is None:
            return ()
        told: list[Output] = []
        request = self._round.received(data, now)
        if request:
            told.append(Send(request))
        return (*told, *self._over(now))

    def elapsed(self, now: Instant) -> Sequence[Output]:
        """Give up on an answer or a receipt, or begin a round."""
        if not self._open:
            return ()
        told: list[Output] = []
        if self._round is not None and now >= self._round.answer_by:
            request = self._round.unanswered(now)
            if request:
                told.append(Send(request))
            told.extend(self._over(now))
        if self._job is not None:
            told.extend(self._finished(self._job.expired(now), now))
        if self._round is None and now >= self._round_at:
            told.extend(self._ask(now))
        return told

    def deadline(self) -> Instant | None:
        """Return when an answer or an outcome is overdue, or a round due."""
        if not self._open:
            return None
        due = self._round_at if self._round is None else self._round.answer_by
        return due if self._job is None else min(due, self._job.deadline)

    def _begin(self, now: Instant) -> None:
        self._round = None
        self._round_at = now
        self._round_begun_at = now
        self._heard_at = now
        self._belief = Belief()
        self._fence_open = False

    def _at_work(self) -> Job | None:
        job = self._job
        return job if job and job.stage in {Stage.CHECK, Stage.PRINT} else None

    def _names(self, job: str) -> bool:
        work = self._at_work()
        return bool(
            (work and work.order.job == job) or (self._waiting and self._waiting.job == job)
        )

    def _start(self, order: Order, now: Instant) -> Sequence[Output]:
        # An answer that was asked for before the order is no answer to it: a new round begins.
        self._job = Job(order, now, presenter=self._presenter)
        self._job_begun_at = now
        if self._round is None:
            self._round_at = now
        return ()

    def _ask(self, now: Instant) -> Sequence[Output]:
        queries = [
            each
            for each in self._profile.queries
            if self._missed.get(each, 0) < OPTIONAL_MISSES_MAX
        ]
        self._round = Round(queries)
        self._round_begun_at = now
        return (Send(self._round.next_request(now)),)

    def _over(self, now: Instant) -> Sequence[Output]:
        ended = self._round
        if ended is None or not ended.over:
            return ()
        self._round = None
        if ended.silent:
            return self._silence(now)
        for query in self._profile.queries:
            if query.optional and query in ended.asked:
                self._missed[query] = self._missed.get(query, 0) + 1 if query in ended.missed else 0
        self._heard_at = now
        believed = self._belief.heard(ended.signs, ended.code)
        hurry = not believed or self._at_work() is not None
        self._round_at = Instant(now + (BUSY_S if hurry else IDLE_S))
        return self._believed(now) if believed else ()

    def _silence(self, now: Instant) -> Sequence[Output]:
        self._round_at = Instant(now + QUIET_S)
        self._belief.silent()
        if self._job is not None:
            self._job.silence()
        if now - self._heard_at < OFFLINE_AFTER_S:
            return ()
        self._round_at = Instant(now + IDLE_S)
        return self._tell(silent_state("silent", offline=True))

    def _believed(self, now: Instant) -> Sequence[Output]:
        signs = self._belief.signs
        assert signs is not None
        told = list(self._tell(device_state(signs - {Sign.TICKET}, self._belief.code)))
        job = self._job
        if job is None or self._round_begun_at < self._job_begun_at:
            return told
        if job.stage is Stage.CHECK:
            refused = job.cannot(signs)
            if refused is not None:
                return [*told, *self._finished(refused, now)]
            return [*told, self._print(job, signs, now)] if verdict(signs) is None else told
        outcome = job.heard(signs, self._round_begun_at)
        if outcome is not None and outcome.outcome == "failed" and self._profile.cancel:
            told.append(Send(self._profile.cancel))
        return [*told, *self._finished(outcome, now)]

    def _print(self, job: Job, signs: Signs, now: Instant) -> Send:
        profile = self._profile
        release = profile.release if Sign.TICKET in signs else b""
        text = self._select_page + job.order.data
        data = release + profile.before + text + profile.after + profile.fence
        line_s = len(data) * BITS_PER_BYTE / self._baud
        job.sent(signs, now, line_s=line_s, needs_fence=self._fence_answered)
        self._job_begun_at = now
        self._fence_open = bool(profile.fence)
        return Send(data)

    def _finished(self, outcome: ReceiptFinished | None, now: Instant) -> Sequence[Output]:
        job = self._job
        if job is None:
            return ()
        told: list[Output] = [] if outcome is None else [outcome]
        if outcome is not None and outcome.outcome == "unknown":
            self._fence_answered = False  # it may not know the fence after all: learn again
        if job.stage is Stage.OVER:
            self._job = None
            self._fence_open = False
        if self._at_work() is None and self._waiting is not None and self._open:
            order, self._waiting = self._waiting, None
            told.extend(self._start(order, now))
        return told

    def _tell(self, state: DeviceState) -> Sequence[Output]:
        # The code holds bits that say nothing of health (a ticket at the presenter): not compared.
        if self._told is not None and replace(state, code=None) == replace(self._told, code=None):
            return ()
        self._told = state
        return (StateChanged(state),)


def _answers_fence(data: bytes) -> bool:
    """Return whether a fence's answer came, alone or beside status answers: not among noise."""
    others = [byte for byte in data if not is_status(byte)]
    return len(others) == 1 and others[0] in _FENCE_ANSWERS
