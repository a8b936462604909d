from datetime import UTC, datetime, timedelta

from collector.known import Known
from collector.pulses import Bulletin, Question, Questions
from collector.refusals import KEPT_PER_MINUTE, LOGGED_PER_MINUTE, KeptRefusal, Refusals
from wire.journal import Epoch
from wire.topics import TerminalId

NOW = datetime(2026, 11, 23, tzinfo=UTC)
A, B = TerminalId("A"), TerminalId("B")


def test_a_pulse_is_answered_once_in_five_seconds() -> None:
    """A terminal's questions within 5 s are one; another terminal's are its own."""
    questions = Questions()
    for instant in (0.0, 1.0, 4.9):
        questions.ask(A, Epoch(1), instant)
    questions.ask(B, Epoch(2), 4.9)
    assert questions.take() == [Question(A, Epoch(1)), Question(B, Epoch(2))]
    questions.ask(A, Epoch(1), 5.0)
    assert questions.take() == [Question(A, Epoch(1))]
    assert questions.take() == []


def test_a_pulse_without_a_question_is_answered_where_the_copy_stands_elsewhere() -> None:
    """It costs no terminal its answer within 5 s, unless it was given one itself."""
    questions = Questions()
    questions.ask(A, Epoch(1), 0.0, unless=7)
    questions.ask(A, Epoch(1), 1.0)
    questions.ask(A, Epoch(1), 1.0, unless=8)
    assert questions.take() == [Question(A, Epoch(1))]
    questions.ask(A, Epoch(1), 4.0, unless=8)
    assert questions.take() == []
    questions.ask(A, Epoch(1), 6.0, unless=8)
    assert questions.take() == [Question(A, Epoch(1), unless=8)]
    questions.answered([A], 6.0)
    questions.ask(A, Epoch(1), 7.0, unless=8)
    assert questions.take() == []


def test_news_of_a_terminal_is_joined() -> None:
    """Between two commits the newest pulse counts, and an offline of another boot does not."""
    bulletin = Bulletin()
    bulletin.presence(A, "b1", online=True, retained=False, at=NOW)
    bulletin.presence(A, "b0", online=False, retained=False, at=NOW)
    bulletin.pulse(A, "b1", "{}", at=NOW, received_at=NOW + timedelta(seconds=1))
    news = bulletin.take()[A]
    assert (news.boot, news.online, news.heard_at) == ("b1", True, NOW + timedelta(seconds=1))
    bulletin.presence(A, "b1", online=False, retained=False, at=NOW)
    news = bulletin.take()[A]
    assert (news.boot, news.online, news.offline_boot, news.heard_at) == (None, False, "b1", None)


def test_what_was_retained_is_no_sign_of_life() -> None:
    """A retained presence changes what is known and not when the terminal was heard."""
    bulletin = Bulletin()
    bulletin.presence(A, "b1", online=True, retained=True, at=NOW)
    assert bulletin.take()[A].heard_at is None


def test_a_pulse_of_another_run_ends_an_offline() -> None:
    """After an offline of one boot, the pulse of another one is a new run."""
    bulletin = Bulletin()
    bulletin.presence(A, "b1", online=False, retained=False, at=NOW)
    bulletin.pulse(A, "b2", "{}", at=NOW, received_at=NOW)
    news = bulletin.take()[A]
    assert (news.boot, news.online, news.offline_boot) == ("b2", None, None)


def test_journals_are_a_sign_of_life_now_and_then() -> None:
    """A busy terminal costs one write in 10 s, not one a batch."""
    bulletin = Bulletin()
    for second in range(25):
        bulletin.heard(A, NOW + timedelta(seconds=second))
        if second in {0, 10, 20}:
            assert list(bulletin.take()) == [A]
    assert bulletin.take() == {}


def test_refusals_are_bounded() -> None:
    """One terminal fills neither the table nor the log; the same payload is one row."""
    refusals = Refusals()

    def add(digest: str, instant: float) -> bool:
        return refusals.add(KeptRefusal(A, digest, "journal", "x", 1, NOW, NOW), instant)

    assert sum(add(str(number), 0.0) for number in range(1000)) == KEPT_PER_MINUTE
    assert len(refusals.take()) == KEPT_PER_MINUTE
    assert add("d", 61.0)
    assert add("d", 62.0)
    assert [each.times for each in refusals.take()] == [2]
    assert LOGGED_PER_MINUTE >= KEPT_PER_MINUTE


def test_known_terminals_are_bounded() -> None:
    """What does not fit is forgotten and asked again."""
    known = Known(most=2)
    known.add(["A", "B"])
    assert known.strangers(["A", "C"], connection=0) == {"C"}
    known.add(["C"])
    assert known.strangers(["A"], connection=0) == {"A"}


def test_another_connection_knows_nobody() -> None:
    """Behind it there may be a database restored from a backup, in which nobody is listed."""
    known = Known()
    known.add(["A"])
    assert known.strangers(["A"], connection=0) == set()
    assert known.strangers(["A"], connection=1) == {"A"}


def test_a_hasty_terminal_is_heard_as_often_as_it_pulses() -> None:
    """Where the pulse interval is short its journals count more often: who speaks is not silent."""
    bulletin = Bulletin()
    bulletin.pulse(A, "b1", "{}", at=NOW, received_at=NOW, interval_s=1)
    bulletin.take()
    bulletin.heard(A, NOW + timedelta(seconds=1))
    assert bulletin.take()[A].heard_at == NOW + timedelta(seconds=1)
    bulletin.pulse(A, "b1", "{}", at=NOW, received_at=NOW + timedelta(seconds=2))
    bulletin.take()
    bulletin.heard(A, NOW + timedelta(seconds=3))
    assert bulletin.take() == {}
