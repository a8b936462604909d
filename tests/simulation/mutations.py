"""Deliberate bugs, switched on one at a time: a simulator that does not find them is blind.

Each breaks one promise in one place. A mutation replaces functions, entries of tables or meanings
of SQL statements for as long as it is applied; nothing else knows of it. A harmless change is no
mutation: what the protocol heals by itself cannot be found, and need not be.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any, Final, TypeVar

from tests.simulation import mutations_agent, mutations_collector, mutations_fold
from tests.simulation.mutation import Mutation, Patch

__all__ = ["MUTATIONS", "SEEDS_MAX", "Mutation", "applied"]

SEEDS_MAX: Final = 200
"""Within so many seeds each must be found."""

MUTATIONS: Final[Mapping[str, Mutation]] = {
    **mutations_collector.MUTATIONS,
    **mutations_agent.MUTATIONS,
    **mutations_fold.MUTATIONS,
}

Parts = TypeVar("Parts")


@contextmanager
def applied(name: str | None, parts: Parts) -> Iterator[Parts]:
    """Have a bug while inside; None: none. The parts are for those that bring classes."""
    with ExitStack() as stack:
        for patch in MUTATIONS[name].patches if name is not None else ():
            stack.callback(_put(patch))
        yield parts


def _put(patch: Patch) -> Callable[[], None]:
    """Put the wrong thing in its place, and return what puts the right one back."""
    owner: Any = patch.owner
    if isinstance(owner, dict):
        right = owner[patch.name]
        owner[patch.name] = patch.wrong(right)
        return lambda: owner.update({patch.name: right})
    right = getattr(owner, patch.name)
    setattr(owner, patch.name, patch.wrong(right))
    return lambda: setattr(owner, patch.name, right)
