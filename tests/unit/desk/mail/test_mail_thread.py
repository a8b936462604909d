"""Which case a letter belongs to, and that no stranger gets into one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk.mail.thread import Home, MessageIds, Thread, Trace, find_thread, traces
from tests.unit.desk.mail.mail_letters import OWN, mail, read

IDS = MessageIds(b"k" * 16, "kassy.example")
CASE, OTHER = "K-2026-000123", "K-2026-000777"
PEOPLE = {CASE: {"ivan.petrov@mail.example"}, OTHER: {"anna@mail.example"}}
KNOWN = {"first@mail.example": CASE}
STRANGER = "Мария <maria@evil.example>"
SIGNED = f"<{IDS.issue(CASE, 3)}>"


def thread(**headers: str) -> Thread | None:
    """Return the thread of a letter with these headers."""
    text = headers.pop("text", "Когда придут деньги?")
    letter = read(mail(text, **headers)).letter
    homes = {
        case: Home(case, own=case if letter.sender.address in people else None)
        for case, people in PEOPLE.items()
    }
    return find_thread(letter, OWN, traces(letter, IDS, known=KNOWN), homes)


@pytest.mark.parametrize(
    ("headers", "trace"),
    [({"In_Reply_To": SIGNED}, Trace.SIGNED_ID),
     ({"References": f"<a@b> {SIGNED} <c@d>"}, Trace.SIGNED_ID),
     ({"References": SIGNED.replace("@kassy", "@rewritten.by.gateway")}, Trace.SIGNED_ID),
     ({"References": SIGNED.upper()}, Trace.SIGNED_ID),
     ({"In_Reply_To": "<first@mail.example>"}, Trace.KNOWN_ID),
     ({"Subject": f"Re: Ваше обращение [{CASE}]"}, Trace.TOKEN),
     ({"Subject": f"По обращению {CASE.lower()}"}, Trace.TOKEN),
     ({"text": f"Мой номер [{CASE}]"}, Trace.TOKEN)],
)  # fmt: skip
def test_a_customer_comes_back_to_the_case(headers: dict[str, str], trace: Trace) -> None:
    """By the answer's own ids, or by the number and the address."""
    assert thread(**headers) == Thread(CASE, trace, joined=True)


@pytest.mark.parametrize(
    "headers",
    [{"In_Reply_To": SIGNED}, {"References": SIGNED}, {"In_Reply_To": "<first@mail.example>"},
     {"Subject": f"Re: [{CASE}]"}, {"text": f"[{CASE}]"},
     {"Subject": f"[{CASE}]", "In_Reply_To": SIGNED}],
)  # fmt: skip
@pytest.mark.parametrize(
    "sender",
    [STRANGER, "Иван Петров <ivan.petrov@evil.example>", "ivan.petrov@mail.example.evil.example",
     '"ivan.petrov@mail.example" <maria@evil.example>', "anna@mail.example",
     "ivan.petrov@mail.example, maria@evil.example",
     "ivan.petrov@mail.example <maria@evil.example>",
     "maria@evil.example (ivan.petrov@mail.example)",
     "<ivan.petrov@mail.example>maria@evil.example"],
)  # fmt: skip
def test_a_stranger_never_lands_in_a_case(sender: str, headers: dict[str, str]) -> None:
    """Whatever the letter carries: a person sees a hint, and the case nothing."""
    found = thread(From=sender, **headers)
    assert found is not None
    assert found.case == CASE
    assert not found.joined


def test_a_reply_address_is_no_sender() -> None:
    """Who asks for answers at a customer's address is not the customer."""
    found = thread(From=STRANGER, Reply_To="ivan.petrov@mail.example", Subject=f"[{CASE}]")
    assert found == Thread(CASE, Trace.TOKEN, joined=False)


@pytest.mark.parametrize(
    "results",
    ["mx.kassy.example; dmarc=fail header.from=mail.example",
     "mx.kassy.example; spf=fail smtp.mailfrom=x; dkim=none"],
)  # fmt: skip
def test_a_forged_sender_needs_more_than_the_number(results: str) -> None:
    """Our own server saw that it is forged; an id that only the customer got outweighs it."""
    forged = {"Authentication_Results": results, "Subject": f"[{CASE}]"}
    assert thread(**forged) == Thread(CASE, Trace.TOKEN, joined=False)
    assert thread(**forged, In_Reply_To=SIGNED) == Thread(CASE, Trace.SIGNED_ID, joined=True)


@pytest.mark.parametrize(
    "results",
    ["mx.kassy.example; dmarc=pass", "mx.kassy.example; spf=fail; dkim=pass",
     "mx.evil.example; dmarc=fail", "mx.kassy.example; none"],
)  # fmt: skip
def test_only_our_own_server_says_who_is_forged(results: str) -> None:
    """Anybody can write such a header."""
    found = thread(Authentication_Results=results, Subject=f"[{CASE}]")
    assert found == Thread(CASE, Trace.TOKEN, joined=True)


def test_the_case_of_the_sender_wins_over_others_that_are_named() -> None:
    """A customer who quotes somebody's number stays in the own case."""
    found = thread(Subject=f"[{OTHER}]", text=f"[{CASE}]")
    assert found == Thread(CASE, Trace.TOKEN, joined=True)


def test_a_number_that_no_case_has_is_no_hint() -> None:
    """There is nothing to show."""
    assert thread(Subject="[K-2026-999999]") is None
    assert thread() is None


def test_a_case_that_goes_on_as_another_leads_there() -> None:
    """The customer by where the report is now, a stranger's hint by where the case is."""
    letter = read(mail("Ну что?", Subject=f"[{CASE}]")).letter
    named = list(traces(letter, IDS, known={}))
    for own, found in (("K-2026-000009", "K-2026-000009"), (None, "K-2026-000008")):
        homes = {CASE: Home("K-2026-000008", own)}
        joined = own is not None
        assert find_thread(letter, OWN, named, homes) == Thread(found, Trace.TOKEN, joined=joined)


_NAMES = st.sampled_from(["", f"[{CASE}]", CASE, f"Re: [{CASE.lower()}] {CASE}"])
_LISTS = st.lists(
    st.sampled_from([SIGNED, "<first@mail.example>", "<other@mail.example>"]), max_size=3
).map(" ".join)
_HEADERS = st.fixed_dictionaries(
    {
        "From": st.sampled_from(
            [
                STRANGER,
                "anna@mail.example",
                "ivan.petrov@mail.example, x@y.example",
                "",
                '"ivan.petrov@mail.example" <x@y.example>',
            ]
        ),
        "Subject": _NAMES,
        "text": _NAMES.map("Здравствуйте {}".format),
        "In_Reply_To": _LISTS,
        "References": _LISTS,
        "Reply_To": st.just("ivan.petrov@mail.example"),
    },
    optional={"Authentication_Results": st.just("mx.kassy.example; dmarc=fail")},
)


@given(_HEADERS)
def test_no_headers_bring_a_stranger_into_a_case(headers: dict[str, str]) -> None:
    """Whatever is combined: only who belongs to a case joins it."""
    found = thread(**headers)
    assert found is None or not found.joined or found.case != CASE


@given(st.from_regex(r"K-20[0-9]{2}-[0-9]{6}", fullmatch=True), st.integers(0, 10**9 - 1))
def test_an_id_of_ours_is_known_again(case: str, number: int) -> None:
    """And no other key makes it."""
    issued = IDS.issue(case, number)
    assert IDS.case_of(issued) == case
    assert MessageIds(b"z" * 16, "kassy.example").case_of(issued) is None


@given(st.integers(0, 60), st.sampled_from("0123456789abcdef.-@K"))
def test_an_id_with_one_character_changed_is_not_ours(at: int, char: str) -> None:
    """But for its host, which gateways rewrite."""
    issued = IDS.issue(CASE, 3)
    host = issued.index("@")
    if at < host and issued[at].lower() != char.lower():
        changed = issued[:at] + char + issued[at + 1 :]
        assert IDS.case_of(changed) is None


@given(st.text(max_size=80))
def test_any_id_is_only_not_ours(text: str) -> None:
    """Nothing fails."""
    assert IDS.case_of(text) is None
