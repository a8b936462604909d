from hypothesis import given
from hypothesis import strategies as st

from desk.visitors import (
    ALL,
    AT_ONCE_MAX,
    AT_ONCE_OF_PLACE_MAX,
    KEYS_MAX,
    MAILBOX,
    PLACE,
    Visitors,
    place_of,
)


def test_so_many_from_one_address_and_no_more() -> None:
    """The cap counts by network address, whatever mail address is named; with time it is free."""
    visitors = Visitors()
    for number in range(PLACE.most):
        assert visitors.admit(host="192.0.2.1", mailbox=f"a{number}@example.com", now_s=number)
    assert not visitors.admit(host="192.0.2.1", mailbox="z@example.com", now_s=100)
    assert visitors.admit(host="192.0.2.2", mailbox="z@example.com", now_s=100)
    assert visitors.admit(host="192.0.2.1", mailbox="z@example.com", now_s=PLACE.within_s)


def test_so_many_to_one_mailbox_from_wherever() -> None:
    """Nobody's mailbox is filled from many networks; its letters' case is no matter."""
    visitors = Visitors()
    names = ("anna@example.com", " Anna@Example.com")
    taken = [
        visitors.admit(host=f"192.0.2.{number}", mailbox=names[number % 2], now_s=0)
        for number in range(MAILBOX.most + 1)
    ]
    assert taken == [True] * MAILBOX.most + [False]


def test_what_was_refused_is_not_counted() -> None:
    """Who is turned away at one cap uses up no other."""
    visitors = Visitors()
    for number in range(MAILBOX.most):
        visitors.admit(host=f"192.0.2.{number}", mailbox="a@example.com", now_s=0)
    for _ in range(PLACE.most):
        assert not visitors.admit(host="198.51.100.1", mailbox="a@example.com", now_s=0)
    assert visitors.admit(host="198.51.100.1", mailbox="b@example.com", now_s=0)


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 60)), max_size=400))
def test_never_more_than_all_the_caps(visits: list[tuple[int, int]]) -> None:
    """Whoever comes whenever: of any span of ten minutes only so many are taken."""
    visitors, now, taken = Visitors(), 0.0, []
    for who, wait in visits:
        now += wait / 10
        if visitors.admit(host=f"2001:db8:{who}::1", mailbox=f"{who}@example.com", now_s=now):
            taken.append((now, who))
    for begin, who in taken:
        within = [other for at, other in taken if begin <= at < begin + PLACE.within_s]
        assert within.count(who) <= min(PLACE.most, MAILBOX.most)
        assert len(within) <= ALL.most


def test_nobody_is_kept_out_by_a_slow_one() -> None:
    """So many forms are read at once, and fewer from one address; a place is given back."""
    visitors = Visitors()
    slow = [visitors.enter("192.0.2.1") for _ in range(AT_ONCE_OF_PLACE_MAX + 1)]
    assert slow == [True] * AT_ONCE_OF_PLACE_MAX + [False]
    others = [visitors.enter(f"198.51.100.{number}") for number in range(AT_ONCE_MAX)]
    assert others.count(True) == AT_ONCE_MAX - AT_ONCE_OF_PLACE_MAX
    visitors.leave("192.0.2.1")
    assert visitors.enter("203.0.113.9")
    assert not visitors.enter("192.0.2.1")


def test_memory_has_an_end() -> None:
    """However many addresses come, so many are remembered."""
    visitors = Visitors()
    for number in range(3 * KEYS_MAX // 2):
        host = f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"
        visitors.admit(host=host, mailbox=f"{number}@example.com", now_s=number * 10.0)
    assert len(visitors._sent) <= KEYS_MAX  # noqa: SLF001 - the bound is the point


def test_an_ipv6_network_is_one_sender() -> None:
    """A home has 2^64 addresses; an IPv4 address in another notation stays itself."""
    assert place_of("2001:db8::1") == place_of("2001:db8::ffff:1") != place_of("2001:db8:0:1::1")
    assert place_of("::ffff:192.0.2.1") == place_of("192.0.2.1") == "192.0.2.1"
    assert place_of("testclient") == "testclient"
