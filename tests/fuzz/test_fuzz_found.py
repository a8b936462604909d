"""What fuzzing has found, each by name: inputs that once broke a program."""

from agent.commands import reply_to


def test_an_order_whose_id_is_half_a_character_does_not_end_the_agent() -> None:
    """A lone surrogate in `id` made an answer that could not be encoded: now it is no id."""
    for name in ('"\\ud800"', '"a\\udfff"', '"\\u0000"'):
        assert reply_to(f'{{"id":{name},"order":"reboot"}}'.encode()) is None
