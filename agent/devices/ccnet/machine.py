"""The note acceptor: a CCNET bill validator, polled.

Laws:
- One request is on the line at a time. An answer is acknowledged, a damaged one refused (NAK).
- No order is ever repeated for want of an answer. The next poll says how things are, and what is
  sent then follows from state and wish alone (`_order_for`). So an order can be lost, or a
  validator reset itself, and nothing has to be remembered about it.
- **Only what surely answers the last request is acknowledged.** An ACK does not say what it
  acknowledges: given for a late answer, it would make the validator forget a newer one that we
  have not seen (a stacked note!). So a request that went unanswered, or an answer that had to be
  refused, is followed by `QUIET_S` of silence; what comes late in it, or has not the shape of an
  answer to what was asked, is taken (in order, it is still true) but not acknowledged.
- Silence for `OFFLINE_AFTER_S` is `offline`; before the first answer the state is `unknown`.
- What a note is worth and when it counts is the law of `passage`.
"""

from collections.abc import Sequence

from agent.devices.ccnet import orders
from agent.devices.ccnet.answers import ANSWERS, ESCROW_ORDERS, ORDER_ANSWERS, Answer, kind_of
from agent.devices.ccnet.bill_table import (
    BillTable,
    Note,
    read_bill_table,
    type_mask,
)
from agent.devices.ccnet.frame import Decoder, Frame, FrameDamaged, encode
from agent.devices.ccnet.passage import Memory, Passage
from agent.devices.ccnet.states import (
    BUSY_UNIT_S,
    FAULTY,
    POWERED_UP,
    READY,
    Poll,
    code_of,
    meaning_of,
    rejection_code,
)
from agent.devices.ccnet.timing import (
    BUSY_S_MAX,
    GAP_S,
    IDENTIFICATION_TRIES_MAX,
    NAKS_MAX,
    OFFLINE_AFTER_S,
    ORDER_AGAIN_S,
    POLL_OFFLINE_S,
    POLL_S,
    QUIET_S,
    RESET_FAULTY_S,
    RESPONSE_S,
    STALE_ESCROW_S,
    TABLE_TRIES_MAX,
    UNSURE_ESCROW_S,
)
from agent.devices.machine import (
    CassetteReplaced,
    DeviceIdentified,
    DeviceState,
    Instant,
    NoteRejected,
    Output,
    Send,
    StateChanged,
)
from wire.vocabulary import Storage


class NoteAcceptor:
    """Drives one bill validator; told to enable or disable at any time, it keeps to that."""

    _awaiting: bytes | None
    _order: bytes | None
    _last_order: bytes | None
    _reset_faulty_at: Instant | None
    _enabled_by: bytes | None
    _escrow_over_until: Instant | None

    def __init__(
        self,
        *,
        currency: str = "RUB",
        address: int = orders.ADDRESS_BILL_VALIDATOR,
        accept: frozenset[int] | None = None,
        memory: Memory = "unknown",
    ) -> None:
        """Notes of other currencies, or (if given) of other amounts than `accept`, are refused."""
        self._currency = currency
        self._address = address
        self._accept = accept
        self._passage = Passage(memory)
        self._enabled = False
        self._told: DeviceState | None = None
        self._told_identity: str | None = None
        self._storage: Storage = "unknown"
        self._cassette_out = False
        self._table: BillTable | None = None
        self._open = False
        self._decoder = Decoder(address)
        self._begin(Instant(0.0))

    def enable(self, now: Instant) -> Sequence[Output]:
        """Take notes from now on, through resets of the validator too, until `disable`."""
        return self._wish(now, enabled=True)

    def disable(self, now: Instant) -> Sequence[Output]:
        """Take no more notes; one already ordered into the cassette still counts."""
        return self._wish(now, enabled=False)

    def line_opened(self, now: Instant) -> Sequence[Output]:
        """Begin to poll; the state is unknown until the validator answers."""
        self._open = True
        self._begin(now)
        if self._told is None:
            return self._tell(DeviceState(device="note_acceptor", status="unknown"))
        return ()

    def line_closed(self, now: Instant) -> Sequence[Output]:
        """The validator cannot be reached: offline."""
        self._open = False
        self._begin(now)
        return self._offline("line")

    def received(self, data: bytes, now: Instant) -> Sequence[Output]:
        """Take answers, late ones and damaged ones too."""
        return self._take_all(self._decoder.feed(data), now) if self._open else ()

    def elapsed(self, now: Instant) -> Sequence[Output]:
        """Give up on an answer, or send what is due."""
        if not self._open:
            return ()
        told: list[Output] = []
        if self._overdue(now):
            # What waits in the decoder will not be completed any more: look into it.
            told.extend(self._take_all(self._decoder.flush(), now))
            if self._overdue(now):
                told.extend(self._unanswered(now))
        if self._awaiting is None and now >= self._send_at:
            told.append(self._request(now))
        return told

    def deadline(self) -> Instant | None:
        """Return when an answer is overdue or a request due."""
        if not self._open:
            return None
        return self._send_at if self._awaiting is None else self._answer_by

    def _begin(self, now: Instant) -> None:
        self._decoder = Decoder(self._address)
        self._awaiting = None
        self._answer_by = now
        self._send_at = now
        self._heard_at = now
        self._naks = 0
        self._order = None
        self._last_order = None
        self._order_again_at = now
        self._starting = False
        self._withheld = False
        self._escrow_over_until = None
        self._reset_faulty_at = None
        self._rejecting = False
        self._powered_up()

    def _powered_up(self) -> None:
        """Forget what a validator forgets when it starts."""
        self._identified = False
        self._identification_tries = 0
        self._table_tries = 0
        self._table_read = False
        self._secured = False
        self._enabled_by = None

    def _wish(self, now: Instant, *, enabled: bool) -> Sequence[Output]:
        if enabled != self._enabled:
            self._enabled = enabled
            self._order_again_at = now
            if self._awaiting is None:
                self._send_at = min(self._send_at, now)
        return ()

    def _overdue(self, now: Instant) -> bool:
        return self._awaiting is not None and now >= self._answer_by

    def _request(self, now: Instant) -> Send:
        body = self._order or orders.POLL
        self._order = None
        self._awaiting = body
        self._answer_by = Instant(now + RESPONSE_S)
        self._naks = 0
        return self._send(body)

    def _send(self, body: bytes) -> Send:
        return Send(encode(self._address, body))

    def _unanswered(self, now: Instant) -> Sequence[Output]:
        if self._awaiting in ESCROW_ORDERS:
            self._escrow_over_until = Instant(now + UNSURE_ESCROW_S)
        self._awaiting = None
        silent = now - self._heard_at >= OFFLINE_AFTER_S
        self._send_at = Instant(now + (POLL_OFFLINE_S if silent else QUIET_S))
        return self._offline("silent") if silent else ()

    def _take_all(self, found: Sequence[Frame | FrameDamaged], now: Instant) -> Sequence[Output]:
        told: list[Output] = []
        for each in found:
            if isinstance(each, FrameDamaged):
                told.extend(self._refuse(now))
            else:
                told.extend(self._take(each.body, now))
        return told

    def _refuse(self, now: Instant) -> Sequence[Output]:
        if self._awaiting is None or self._naks >= NAKS_MAX:
            return ()
        self._naks += 1
        self._answer_by = Instant(now + RESPONSE_S)
        return (self._send(orders.NAK),)

    def _take(self, body: bytes, now: Instant) -> Sequence[Output]:
        asked = self._awaiting
        kind = kind_of(body)
        self._heard_at = now
        fits = asked is not None and kind in ANSWERS.get(asked, ORDER_ANSWERS)
        if fits:
            self._awaiting = None
            self._send_at = Instant(now + (QUIET_S if self._naks else GAP_S))
        told: Sequence[Output] = ()
        if asked in ESCROW_ORDERS and body in {orders.ACK, orders.ILLEGAL_COMMAND}:
            self._escrow_over_until = Instant(now + STALE_ESCROW_S)
        if kind is Answer.TABLE:
            self._table, self._table_read = read_bill_table(body), True
        elif kind is Answer.IDENTIFICATION and fits:
            told = self._identity(body)
        elif kind is Answer.STATE:
            self._withheld = self._first_needs_table(body[0])
            if self._withheld:
                return ()
            told = self._state(body[0], body[1] if len(body) > 1 else None, now)
        # Told before acknowledged (law 3 of `passage`).
        if not fits or kind is Answer.PLAIN or self._withheld:
            return told
        return (*told, self._send(orders.ACK))

    def _first_needs_table(self, state: int) -> bool:
        """Return whether the state must wait, unacknowledged, for the bill table."""
        if state != Poll.STACKED or self._table is not None or self._passage.worth_known():
            return False
        self._table_tries += 1
        self._order = orders.GET_BILL_TABLE
        return self._table_tries <= TABLE_TRIES_MAX

    def _identity(self, body: bytes) -> Sequence[Output]:
        self._identified = True
        text = orders.read_identification(body)
        if text in {"", self._told_identity}:
            return ()
        self._told_identity = text
        return (DeviceIdentified(device="note_acceptor", text=text),)

    def _state(self, state: int, detail: int | None, now: Instant) -> Sequence[Output]:
        starting = state in POWERED_UP or state == Poll.INITIALIZE
        if starting and not self._starting:
            self._powered_up()
        self._starting = starting
        told = [*self._note_outputs(state, detail, now), *self._device_outputs(state, detail)]
        if self._order is None:
            self._order = self._order_for(state, now)
        if self._order is None:
            self._send_at = max(self._send_at, Instant(now + _pause_s(state, detail)))
        return told

    def _note(self, bill_type: int | None) -> Note | None:
        return None if bill_type is None or not self._table else self._table.get(bill_type)

    def _note_outputs(self, state: int, detail: int | None, now: Instant) -> Sequence[Output]:
        if state != Poll.REJECTING:
            self._rejecting = False
        if state != Poll.ESCROW:
            self._escrow_over_until = None
        match state:
            case Poll.ESCROW if self._escrow_over_until and now < self._escrow_over_until:
                return ()
            case Poll.ESCROW:
                told, stack = self._passage.escrowed(self._note(detail), stack=self._enabled)
                self._order = orders.STACK if stack else orders.RETURN
                return told
            case Poll.STACKED:
                return self._passage.stacked(self._note(detail))
            case Poll.RETURNED:
                return self._passage.returned(self._note(detail))
            case Poll.REJECTING if not self._rejecting:
                self._rejecting = True
                return (*self._passage.seen(state), NoteRejected(rejection_code(detail)))
            case _:
                return self._passage.seen(state)

    def _device_outputs(self, state: int, detail: int | None) -> Sequence[Output]:
        meaning = meaning_of(state, detail)
        if meaning is None:
            return ()
        told: list[Output] = []
        if state == Poll.CASSETTE_OUT:
            self._cassette_out = True
        elif self._cassette_out and meaning.storage in {"ok", "full"}:
            self._cassette_out = False
            told.append(CassetteReplaced())
        self._storage = meaning.storage or self._storage
        told.extend(
            self._tell(
                DeviceState(
                    device="note_acceptor",
                    status=meaning.status,
                    storage=self._storage,
                    cause=meaning.cause,
                    code=code_of(state, detail),
                )
            )
        )
        return told

    def _order_for(self, state: int, now: Instant) -> bytes | None:
        """Return what the state, and our wish, ask for next; None: the next poll."""
        order = self._wanted(state, now)
        if order is None or (order == self._last_order and now < self._order_again_at):
            return None
        self._last_order = order
        self._order_again_at = Instant(now + ORDER_AGAIN_S)
        if order == orders.IDENTIFICATION:
            self._identification_tries += 1
        elif order == orders.GET_BILL_TABLE:
            self._table_tries += 1
        elif order == orders.SET_SECURITY:
            self._secured = True
        return order

    def _wanted(self, state: int, now: Instant) -> bytes | None:
        if state not in FAULTY:
            self._reset_faulty_at = None
        if state in POWERED_UP:
            # The table first where it is given at once: a recovered note then has its worth.
            return orders.RESET if self._table_tries else orders.GET_BILL_TABLE
        if state in READY:
            return self._setup() or self._reconcile(state)
        if state in FAULTY:
            due = self._reset_faulty_at
            self._reset_faulty_at = due if due and now < due else Instant(now + RESET_FAULTY_S)
            return orders.RESET if due and now >= due else None
        return None

    def _setup(self) -> bytes | None:
        if not self._identified and self._identification_tries < IDENTIFICATION_TRIES_MAX:
            return orders.IDENTIFICATION
        if not self._table_read:
            return orders.GET_BILL_TABLE
        return None if self._secured else orders.SET_SECURITY

    def _reconcile(self, state: int) -> bytes | None:
        taking = state == Poll.IDLING
        if not self._enabled:
            return orders.DISABLE if taking else None
        order = orders.enable(type_mask(self._types()))
        # A validator that takes notes already may take others than we mean (a former run's).
        if (taking and order == self._enabled_by) or order == orders.DISABLE:
            return None
        self._enabled_by = order
        return order

    def _types(self) -> frozenset[int]:
        return frozenset(
            bill_type
            for bill_type, note in (self._table or {}).items()
            if note.currency == self._currency
            and (self._accept is None or note.amount in self._accept)
        )

    def _offline(self, code: str) -> Sequence[Output]:
        self._storage = "unknown"
        return self._tell(
            DeviceState(
                device="note_acceptor",
                status="offline",
                storage="unknown",
                cause="offline",
                code=code,
            )
        )

    def _tell(self, state: DeviceState) -> Sequence[Output]:
        if state == self._told:
            return ()
        self._told = state
        return (StateChanged(state),)


def _pause_s(state: int, detail: int | None) -> float:
    if state == Poll.BUSY and detail:
        return min(max(detail * BUSY_UNIT_S, POLL_S), BUSY_S_MAX)
    return POLL_S
