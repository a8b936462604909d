"""What can be wrong with an embedded service, told to the person who starts it."""

import re
from typing import Final

_MARKED: Final = re.compile(r"(?:error|FATAL|PANIC): +", re.IGNORECASE)


class EmbeddedError(Exception):
    """It cannot start; the text says what is wrong, where, and what to do."""


class FolderTaken(EmbeddedError):  # noqa: N818 - says what is, like every error of ours
    """Another process has the folder."""


def first_error(said: str) -> str:
    """Return what one of PostgreSQL's programs says is wrong, without its prefixes and advice."""
    lines = [each.strip() for each in said.splitlines() if each.strip()]
    marked = [each for each in lines if _MARKED.search(each)]
    return _MARKED.split(marked[0])[-1] if marked else "".join(lines[-1:]) or "it says nothing"
