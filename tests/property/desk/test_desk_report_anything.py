"""Whatever somebody sends as a report, what is kept of it can be kept, and shows no account."""

import json
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from desk.mail.letter import OwnAddresses
from desk.pages.marked import pieces
from desk.queries.report_keeping import _json, _storable
from desk.queries.reports import Fact as Shown
from desk.reports.content import Received, joined, read_content
from desk.reports.masking import stored_facts
from incidents.matching.facts import read_facts

KEY = b"a key of the tests"
ZONE = ZoneInfo("Europe/Moscow")
NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
WORDS = st.sampled_from(
    ["терминал 104233", "8 916 123-45-67", "9161234567", "вместо", "500 рублей", "вчера в 11:20",
     "чек", "№ 4471", "не пришли деньги", "\0", "\n", "\\u0000", "лицевой счёт 1234567890", " "]
)  # fmt: skip
TEXTS = st.lists(WORDS | st.text(max_size=8), max_size=12).map(" ".join)


@given(
    TEXTS,
    st.none() | TEXTS.map(lambda text: text[:100]),
    st.none() | st.integers(0, 2**53),
    st.sampled_from(["mail", "form"]),
)
def test_anything_can_be_kept(
    text: str, account: str | None, amount: int | None, channel: str
) -> None:
    """JSON without what PostgreSQL refuses; spans inside the text; the same digits nowhere."""
    fields = {"account": account, "amount": amount, "terminal": (account or "")[:64]}
    written = {"channel": "form", "text": text, "reported_at": NOW.isoformat(), **fields}
    plain = f"Subject: x\n\n{text}".encode("utf-8", "replace")
    raw = plain if channel == "mail" else json.dumps(written).encode()
    if any("\ud800" <= each <= "\udfff" for each in text + (account or "")):
        return
    received = Received(channel=channel, at=NOW, reported_at=None)
    content = read_content(raw, received, own=OwnAddresses(), zone=ZONE)
    read = read_facts(content.passages, zone=ZONE, gazetteer=None)
    facts = joined(content.fields, read, frozenset())
    kept = stored_facts(facts, KEY)
    assert len(kept) == len(facts)
    for fact, raw_fact in zip(kept, facts, strict=True):
        packed = _json(fact.value)
        json.loads(packed)
        assert "\0" not in _storable(fact.text) + packed
        begin, end = fact.span
        assert 0 <= begin <= end <= len(content.text)
        if raw_fact.kind == "account" and isinstance(raw_fact.value, dict):
            digits = str(raw_fact.value["digits"])
            if digits.isdigit() and len(digits) >= 7:
                assert digits not in packed + fact.text
    shown = [Shown(f.kind, f.value, f.text, f.span, f.confidence) for f in kept]
    assert "".join(piece.text for piece in pieces(content.text, shown)) == content.text[:20_000]
