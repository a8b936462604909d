"""Numbers with their nouns, for lines that a person reads."""


def counted(number: int, noun: str) -> str:
    """Return `1 fault` or `2 faults`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
