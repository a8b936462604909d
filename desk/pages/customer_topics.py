"""What the customer's form asks, as data: its topics, and the questions of each."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from desk.words import message

Kind = Literal["choice", "money", "account", "text"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question that only one topic has."""

    name: str
    label: str
    kind: Kind
    choices: Mapping[str, str] | None = None
    """What may be chosen, by the name that the form sends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """What a customer complains of."""

    title: str
    hint: str
    account: str
    """What the account is called here."""
    questions: tuple[Question, ...] = ()
    symptoms: tuple[str, ...] = ()
    """What the choice alone says, as facts name it."""
    receipt: bool = True
    """There may be one to look at."""
    tell: bool = False
    """Nothing is understood without a text."""


_ACCOUNT: Final = message("Phone number or account that you paid to")
_YES_NO: Final = {"yes": message("Yes"), "no": message("No"), "unknown": message("I do not know")}
_SCREEN: Final = Question(
    name="screen",
    label=message("What did the screen show at the end?"),
    kind="choice",
    choices={
        "accepted": message("That the payment was accepted"),
        "error": message("An error"),
        "dark": message("Nothing: it hung or went dark"),
        "unknown": message("I do not remember"),
    },
)

TOPICS: Final[Mapping[str, Topic]] = {
    "not_credited": Topic(
        title=message("The money did not arrive"),
        hint=message("The terminal took the money, but the account was not topped up."),
        account=_ACCOUNT,
        questions=(_SCREEN,),
        symptoms=("not_credited",),
    ),
    "no_receipt": Topic(
        title=message("No receipt was printed"),
        hint=message("The payment went through, or perhaps not, and there is no receipt."),
        account=_ACCOUNT,
        questions=(
            Question(
                name="arrived",
                label=message("Did the money arrive?"),
                kind="choice",
                choices=_YES_NO,
            ),
            Question(
                name="copy",
                label=message("Do you need a copy of the receipt?"),
                kind="choice",
                choices={"yes": _YES_NO["yes"], "no": _YES_NO["no"]},
            ),
        ),
        symptoms=("no_receipt",),
        receipt=False,
    ),
    "wrong_number": Topic(
        title=message("I paid to a wrong number"),
        hint=message("There was a slip in the number or the account."),
        account=message("The number that the money went to"),
        questions=(
            Question(
                name="intended",
                label=message("The number that you meant to pay to"),
                kind="account",
            ),
        ),
        symptoms=("wrong_number",),
    ),
    "note_swallowed": Topic(
        title=message("The terminal took a note and did not count it"),
        hint=message("A note went in, but the screen did not show it."),
        account=_ACCOUNT,
        questions=(
            Question(name="note", label=message("Which note was it? (roubles)"), kind="money"),
            _SCREEN,
        ),
        symptoms=("note_swallowed",),
    ),
    "fee": Topic(
        title=message("The fee is wrong"),
        hint=message("More was taken than the screen said."),
        account=_ACCOUNT,
        questions=(
            Question(name="fee", label=message("How much was taken? (roubles)"), kind="money"),
            Question(
                name="promised", label=message("Which fee did the screen promise?"), kind="text"
            ),
        ),
        symptoms=("fee",),
    ),
    "other": Topic(
        title=message("Something else"),
        hint=message("Anything that fits nowhere above."),
        account=_ACCOUNT,
        tell=True,
    ),
}
