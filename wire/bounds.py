"""Bounds on fields, written once: pydantic enforces them at the service's border.

The kiosk never loads pydantic: a bound is a plain value there, and pydantic calls the one method
below only where it is installed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from wire.limits import NUMBER_MAX, TX_CHARACTERS_MAX


@dataclass(frozen=True, slots=True)
class Within:
    """An integer's range or a text's length and pattern."""

    least: int | None = None
    most: int | None = None
    characters: tuple[int, int] | None = None
    pattern: str | None = None

    def __get_pydantic_core_schema__(
        self,
        source: Any,  # noqa: ANN401 - pydantic's own protocol
        handler: Callable[[Any], dict[str, Any]],
    ) -> dict[str, Any]:
        """Add the bounds to what pydantic made of the bare type."""
        schema = dict(handler(source))
        if self.least is not None:
            schema["ge"] = self.least
        if self.most is not None:
            schema["le"] = self.most
        if self.characters is not None:
            schema["min_length"], schema["max_length"] = self.characters
        if self.pattern is not None:
            schema["pattern"] = self.pattern
        return schema


UnixMs = Annotated[int, Within(least=0, most=NUMBER_MAX)]
"""Unix time in milliseconds."""
Seq = Annotated[int, Within(least=1, most=NUMBER_MAX)]
Count = Annotated[int, Within(least=0, most=NUMBER_MAX)]
Minor = Annotated[int, Within(least=0, most=NUMBER_MAX)]
"""Money in minor units (kopecks): 50000 is 500.00."""
SignedMinor = Annotated[int, Within(least=-NUMBER_MAX, most=NUMBER_MAX)]
Currency = Annotated[str, Within(pattern="^[A-Z]{3}$")]
"""ISO 4217 letters."""
Tx = Annotated[str, Within(characters=(1, TX_CHARACTERS_MAX))]
MarkText = Annotated[str, Within(pattern="^[0-9a-fA-F]{1,16}$")]
"""A mark: 16 hex digits as the terminal writes them, or the epoch in decimal for seq 0."""
