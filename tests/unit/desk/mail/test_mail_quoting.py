"""Who said what: answers, forwards and signatures of the mail programs of Russia."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from desk.mail.reading import PIECES_MAX
from desk.mail.written_dates import written_date
from incidents.matching.passage import Origin
from tests.unit.desk.mail.mail_clients import ANSWER, ASKED, FORWARDS, HTML_REPLIES, REPLIES, Sample
from tests.unit.desk.mail.mail_clients_more import MORE_FORWARDS, MORE_REPLIES
from tests.unit.desk.mail.mail_letters import (
    CLAIM,
    CLIENT,
    MOSCOW,
    SENT,
    STAFF,
    YESTERDAY,
    forwarded,
    mail,
    new,
    read,
    signature,
)  # fmt: skip

ANSWERS = REPLIES + HTML_REPLIES + MORE_REPLIES
PASSED_ON = FORWARDS + MORE_FORWARDS


def name(sample: Sample) -> str:
    """Return a sample's name for the list of tests."""
    return sample.name


@pytest.mark.parametrize("sample", ANSWERS, ids=name)
def test_an_answer_is_cut_from_what_it_answers(sample: Sample) -> None:
    """What is new stays, what we wrote is a quote, a signature is one."""
    found = read(sample.raw)
    assert flat(new(found)) == flat(sample.new)
    assert flat(signature(found)) == flat(sample.signature)
    assert not forwarded(found)


@pytest.mark.parametrize("sample", PASSED_ON, ids=name)
def test_a_forwarded_mail_keeps_its_body_and_its_date(sample: Sample) -> None:
    """A consultant passes a client on: the client's words count, from the client's day."""
    found = read(sample.raw)
    assert flat(forwarded(found)) == flat(sample.forwarded)
    assert flat(new(found)) == flat(sample.new)
    assert flat(signature(found)) == flat(sample.signature)
    [claim] = [each for each in found.passages if CLAIM in each.text]
    assert claim.written_at.replace(second=0) == YESTERDAY
    assert found.customer.address == "ivan.petrov@mail.example"


def flat(text: str) -> str:
    """Return the text without empty lines and the spaces at line ends."""
    return "\n".join(line.rstrip() for line in text.split("\n") if line.strip())


@pytest.mark.parametrize("sample", ANSWERS + PASSED_ON, ids=name)
def test_passages_lie_where_they_say(sample: Sample) -> None:
    """Each is a slice of what staff see; they follow one another."""
    found = read(sample.raw)
    end = 0
    for passage in found.passages:
        assert found.text[passage.start : passage.start + len(passage.text)] == passage.text
        assert passage.start >= end
        end = passage.start + len(passage.text)
    assert end == len(found.text)


PEOPLE_WRITE = (
    "Терминал пишет: ошибка связи.\nДеньги не пришли.",
    "22.11.2026, 18:40, терминал на Ленина 5:\nвнёс 500 рублей, чек не вышел",
    "Оператор написал: ждите 3 дня. Прошло 5.",
    "От: Петрова И., тел. 8 903 000-11-22\nКому: ООО Кассы\nДата: 22.11.2026\nВерните 500 руб",
    "Дата: 22.11.2026\nВремя: 18:40\nТерминал: 104233\nСумма: 500",
    "Отправлено через терминал 104233 500 рублей, не дошло",
    "Данное письмо является досудебной претензией: терминал удержал 500 руб.",
    "Сумма > 500 руб.\nВнёс 1000",
    "Спасибо за помощь!\nДеньги так и не пришли",
    "Здравствуйте!\n---\nТерминал 104233\nвнёс 500 руб",
    "С уважением отношусь к вам, но деньги не пришли",
    "Вы писали, что деньги придут вчера:\nих нет, 500 руб",
)


@pytest.mark.parametrize("text", PEOPLE_WRITE)
def test_what_only_looks_like_a_mark_stays(text: str) -> None:
    """A person's own words are not taken for a mail program's."""
    assert flat(new(read(mail(text)))) == flat(text)


def test_a_plain_letter_is_new_by_its_own_date() -> None:
    """Subject and body, both from the letter's own moment."""
    found = read(mail())
    assert [(each.origin, each.written_at) for each in found.passages] == [
        (Origin.SUBJECT, SENT), (Origin.NEW, SENT),
    ]  # fmt: skip
    assert found.customer.address == "ivan.petrov@mail.example"


def test_a_forward_as_a_file_counts_by_its_own_date() -> None:
    """The enclosed mail of "forward as attachment" is read like the one around it."""
    inner = mail(Date="Sun, 22 Nov 2026 18:30:00 +0300")
    outer = (
        b"From: o.smirnova@kassy.example\r\nDate: Mon, 23 Nov 2026 10:15:00 +0300\r\n"
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n"
        b"look\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n" + inner + b"\r\n--b--\r\n"
    )
    found = read(outer)
    [passed] = [each for each in found.passages if each.origin is Origin.FORWARDED]
    assert (passed.text, passed.written_at) == (CLAIM, YESTERDAY)
    assert new(found) == "look"
    assert found.customer.address == "ivan.petrov@mail.example"


def test_a_subject_that_a_forward_carries_is_read() -> None:
    """Where it says more than the letter's own subject."""
    text = (f"От: {CLIENT}\nОтправлено: 22 ноября 2026 г. 18:30\nКому: Ольга\n"
            f"Тема: терминал 104233 съел 500\n\n{CLAIM}")  # fmt: skip
    found = read(mail(text, From=STAFF, Subject="FW: клиент"))
    subjects = [each.text for each in found.passages if each.origin is Origin.SUBJECT]
    assert subjects == ["FW: клиент", "Тема: терминал 104233 съел 500"]


@pytest.mark.parametrize(
    ("sent", "written"),
    [("Mon, 23 Nov 2026 07:15:00 +0000", "2026-11-23T10:15:00+03:00"),
     ("Mon, 23 Nov 2026 12:15:00 +0500", "2026-11-23T12:15:00+05:00"),
     ("Thu, 01 Jan 1970 00:00:00 +0000", "2026-11-23T10:16:00+03:00"),
     ("Fri, 23 Nov 2046 10:15:00 +0300", "2026-11-23T10:16:00+03:00"),
     ("", "2026-11-23T10:16:00+03:00"),
     ("yesterday", "2026-11-23T10:16:00+03:00"),
     ("Mon, 99 Nov 99999 10:15:00 +9900", "2026-11-23T10:16:00+03:00")],
)  # fmt: skip
def test_when_a_letter_was_written(sent: str, written: str) -> None:
    """By the sender's clock where it has one; a date that cannot be is the arrival's."""
    assert read(mail(Date=sent)).written_at.isoformat() == written


LINES = st.sampled_from(
    (ANSWER, CLAIM, f"> {ASKED}", ">> x", "", "", "-- ", "С уважением, Иван", "Отправлено с iPhone",
     "-------- Пересылаемое сообщение --------", "-------- Конец пересылаемого сообщения --------",
     "---------- Forwarded message ---------", "-----Исходное сообщение-----",
     "От: Иван <a@b.example>", "Дата: 22 ноября 2026 г. 18:30", "Кому: x", "Тема: y",
     '22.11.2026, 18:30, "И" <a@b.example>:', "P.S. ещё", "> Begin forwarded message:",
     "> От: Иван <a@b.example>", "> Дата: 22.11.2026 18:30", "> Тема: y")
)  # fmt: skip


@given(st.lists(LINES, max_size=40), st.sampled_from(("", "Re: x", "Fwd: x", "FW: Re: x")))
@example(["---------- Forwarded message ---------"] * 30, "")
def test_any_mixture_of_marks_loses_no_word(lines: list[str], subject: str) -> None:
    """Whatever stands where: every line is in what staff see, once, in its order."""
    found = read(mail("\n".join(lines), Subject=subject))
    seen = [line.replace(">", "").strip() for line in found.text.split("\n")]
    seen = [line for line in seen if line]
    meant = [subject] * bool(
        subject and found.passages and found.passages[0].origin is Origin.SUBJECT
    )
    meant += [line.replace(">", "").strip() for line in lines]
    assert seen == [line for line in meant if line]
    for passage in found.passages:
        assert found.text[passage.start : passage.start + len(passage.text)] == passage.text


def test_a_letter_of_endless_turns_has_a_bound() -> None:
    """What follows the bound is one quote; no word is lost."""
    found = read(mail("\n".join("> a\nb" for _ in range(1_000))))
    assert len(found.passages) == PIECES_MAX
    assert found.passages[-1].origin is Origin.QUOTED
    assert found.text.count("b") == 1_000


@pytest.mark.parametrize("text", [f"> {CLAIM}\n> \n> Иван", f">{CLAIM}"])
def test_a_forward_that_is_only_marked_is_passed_on(text: str) -> None:
    """Some programs forward by quoting; the subject says that it is a forward."""
    found = read(mail(text, From=STAFF, Subject="Fwd: клиент"))
    assert CLAIM in forwarded(found)
    assert CLAIM not in forwarded(read(mail(text, From=STAFF, Subject="Re: клиент")))


def test_a_header_block_inside_marks_is_read() -> None:
    """Passed on with marks and without a line that says so."""
    text = (f"См. ниже\n\n> От: {CLIENT}\n> Отправлено: 22 ноября 2026 г. 18:30\n> Кому: Ольга\n"
            f"> Тема: Не пришли деньги\n> \n> {CLAIM}")  # fmt: skip
    found = read(mail(text, From=STAFF, Subject="клиент"))
    [claim] = [each for each in found.passages if CLAIM in each.text]
    assert (claim.origin, claim.written_at) == (Origin.FORWARDED, YESTERDAY)
    assert new(found) == "См. ниже"


def test_a_company_s_notice_is_a_signature_to_its_paragraph_s_end() -> None:
    """What follows is the person's again."""
    notice = "Внимание! Это внешнее письмо, не открывайте вложения и не переходите по ссылкам.\nИТ"
    found = read(mail(f"{notice}\n\n{CLAIM}"))
    assert (signature(found), new(found)) == (notice, CLAIM)


@pytest.mark.parametrize(
    ("text", "moment"),
    [('22.11.2026, 18:30, "И" <a@b>:', "2026-11-22T18:30:00+03:00"),
     ("Воскресенье, 22 ноября 2026, 18:30 +05:00 от И", "2026-11-22T18:30:00+05:00"),
     ("вс, 22 нояб. 2026 г. в 18:30, И <a@b>:", "2026-11-22T18:30:00+03:00"),
     ("18:30, 22 ноября 2026 г., И:", "2026-11-22T18:30:00+03:00"),
     ("Sunday, November 22, 2026 6:30 PM", "2026-11-22T18:30:00+03:00"),
     ("Sun, 22 Nov 2026 12:15 AM", "2026-11-22T00:15:00+03:00"),
     ("11/22/2026 6:30 PM", "2026-11-22T18:30:00+03:00"),
     ("2026-11-22 18:30", "2026-11-22T18:30:00+03:00"),
     ("Sun, 22 Nov 2026 15:30:00 GMT", "2026-11-22T15:30:00+00:00"),
     ("неділя, 22 листопада 2026 р. о 18:30", "2026-11-22T18:30:00+03:00"),
     ("22.11.26", "2026-11-22T12:00:00+03:00"),
     ("45.99.2026 18:30", None), ("22 ноября 2046 г. 18:30", None), ("вчера в 18:30", None),
     ("01.01.2001 10:00", None), ("22.11.2026 99:99", None), ("", None)],
)  # fmt: skip
def test_dates_above_a_mail(text: str, moment: str | None) -> None:
    """As programs of every language write them; what cannot be is none."""
    found = written_date(text, zone=MOSCOW, before=SENT)
    assert (found and found.isoformat()) == moment
