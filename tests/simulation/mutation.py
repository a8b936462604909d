"""What a deliberate bug is made of."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Patch:
    """Replaces what stands under a name of a module, class or table."""

    owner: Any
    name: str
    wrong: Callable[[Any], Any]
    """Makes of the right thing the wrong one."""


@dataclass(frozen=True, slots=True)
class Mutation:
    """A bug: what is broken, in one sentence, and how."""

    what: str
    patches: tuple[Patch, ...]


def instead(wrong: Callable[..., Any]) -> Callable[[Any], Any]:
    """Return what takes the place of the right thing without asking it."""
    return lambda _right: wrong
