"""A mail on its way out, as it is sealed into its row."""

from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from desk.mailing.compose import Heading


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A finished mail with its envelope."""

    to: str
    envelope: str
    """Who gets what comes back; empty: nobody does (RFC 5321's null sender)."""
    mail: str
    """As it goes over the wire, ASCII."""
    name: str
    """What its file in an outbox is called: from its Message-ID, so the same at each try."""
    asked: tuple[str, ...] = ()
    """The facts that it asks for."""

    @staticmethod
    def of(
        heading: Heading, mail: bytes, *, envelope: str, asked: Sequence[str] = ()
    ) -> "Outgoing":
        """Return a composed mail with its envelope."""
        return Outgoing(
            to=heading.to,
            envelope=envelope,
            mail=mail.decode("ascii"),
            name=f"{heading.own_id.partition('@')[0]}.eml",
            asked=tuple(asked),
        )

    def packed(self) -> bytes:
        """Return it as bytes to seal."""
        return orjson.dumps(self)


def unpacked(content: bytes) -> Outgoing:
    """Return what `packed` made bytes of."""
    told = orjson.loads(content)
    told["asked"] = tuple(told["asked"])
    return Outgoing(**told)
