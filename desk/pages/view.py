"""How pages are drawn: templates, a language, and what templates may say."""

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from desk import clocktime, incident_words, vocabulary
from desk.money import money
from desk.queries.cases import CaseStep
from desk.queries.report_decisions import NONE_FITS, RELEASED
from desk.state import Desk
from desk.tones import device_tone
from desk.words import Language, Words, language_of, message, words
from incidents.cases import DETECTOR
from incidents.matching.link import ATTACHED, DETACHED
from incidents.matching.unplaced import JOINED, MERGED, PARTED

_REPORT: Final = re.compile(r"report (?P<id>\d+)(?:: probability (?P<chance>[0-9.]+\d))?")
_RARE: Final = 0.001
_OF_REPORTS: Final = frozenset({ATTACHED, DETACHED, JOINED, RELEASED, NONE_FITS})
_OF_CASES: Final = frozenset({MERGED, PARTED})
_OF_MAILS: Final = frozenset({"mail_sent", "mail_failed", "mail_withheld"})

TEMPLATES: Final = Path(__file__).parents[1] / "templates"
LANGUAGE_COOKIE: Final = "kvitok_language"


@cache
def environment(language: Language) -> Environment:
    """Return the templates in a language, escaping everything."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["_"] = words(language).say
    made.globals["counted"] = words(language).count
    return made


@dataclass(frozen=True, slots=True)
class View:
    """What a template may ask: words, moments in a zone, money, names of things."""

    request: Request
    language: Language
    now: dt.datetime
    reader: str | None = None

    @property
    def words(self) -> Words:
        """Return the page's words."""
        return words(self.language)

    @property
    def here(self) -> str:
        """Return this page's own address, to come back to."""
        url = self.request.url
        if url.path == "/login":
            # A login's address may hold a token: it is never written into a page.
            return url.path
        return f"{url.path}?{url.query}" if url.query else url.path

    def clock(self, moment: dt.datetime, zone: str) -> str:
        """Return `14:05:09`."""
        return f"{moment.astimezone(clocktime.zone(zone)):%H:%M:%S}"

    def minute(self, moment: dt.datetime, zone: str) -> str:
        """Return `14:05`, with the day where it is another."""
        there = clocktime.zone(zone)
        day, today = clocktime.day_of(moment, there), clocktime.day_of(self.now, there)
        at = f"{moment.astimezone(there):%H:%M}"
        return at if day == today else f"{self.date(day)} {at}"

    def date(self, day: dt.date) -> str:
        """Return `23.11.2026` or `2026-11-23`."""
        return f"{day:%d.%m.%Y}" if self.language == "ru" else f"{day:%Y-%m-%d}"

    def zone(self, zone: str) -> str:
        """Return `UTC+3`."""
        return clocktime.offset(self.now, clocktime.zone(zone))

    def day(self, day: dt.date, zone: str) -> str:
        """Return a day's heading."""
        today = clocktime.day_of(self.now, clocktime.zone(zone))
        return clocktime.day_words(day, today, self.words)

    def ago(self, moment: dt.datetime) -> str:
        """Return `10 s ago`."""
        return clocktime.ago(moment, self.now, self.words)

    def due(self, moment: dt.datetime) -> str:
        """Return `in 3 d`."""
        return clocktime.until(moment, self.now, self.words)

    def money(self, minor: int | None, currency: str | None) -> str:
        """Return an amount; a dash where there is none, or none yet and so no currency."""
        if minor is None or (minor == 0 and not currency):
            return "—"
        return money(minor, currency or "", self.language)

    def word(self, table: str, value: object) -> str:
        """Say a word of one of the contract's tables."""
        return vocabulary.word(self.words, getattr(vocabulary, table), value)

    def rule(self, rule: str) -> str:
        """Return what an incident is called."""
        return incident_words.title(rule, self.language)

    def topic(self, topic: str) -> str:
        """Return what a case is about: an incident, or what its customer says."""
        if topic in incident_words.KNOWN_RULES:
            return self.rule(topic)
        said = self.word("SAID", topic)
        return said[:1].upper() + said[1:]

    def meaning(self, rule: str) -> str:
        """Return what an incident means."""
        return incident_words.meaning(rule, self.language)

    def action(self, action: str) -> str:
        """Return what was done with a case."""
        return vocabulary.word(self.words, vocabulary.CASE_ACTION, action)

    def said(self, step: CaseStep) -> str | None:
        """Return what a person said, or the incident that the service names, in its reader's words.

        The service's other remarks are for its own records: the page shows those facts elsewhere.
        """
        if step.action in _OF_REPORTS or step.action in _OF_CASES:
            return None
        if step.action in _OF_MAILS:
            return self._mail(step)
        if step.actor != DETECTOR:
            return step.text
        return self.rule(step.text) if step.text in incident_words.KNOWN_RULES else None

    def report(self, step: CaseStep) -> tuple[str, str | None] | None:
        """Return the report that a step is about, and how likely it belonged there."""
        found = _REPORT.match(step.text or "") if step.action in _OF_REPORTS else None
        if found is None:
            return None
        return found["id"], self.percent(float(found["chance"])) if found["chance"] else None

    def other_case(self, step: CaseStep) -> str | None:
        """Return the case that a step joined to this one, or parted from it."""
        return step.text if step.action in _OF_CASES else None

    def _mail(self, step: CaseStep) -> str | None:
        """Return which mail it was, and why it failed; a mail server's words stay as they are."""
        if step.action == "mail_withheld":
            return self.word("MAIL_WITHHELD", step.text)
        kind, _, reason = (step.text or "").partition(": ")
        return ": ".join(filter(None, (self.word("MAIL", kind), reason)))

    def percent(self, probability: float) -> str:
        """Return `99.5 %`; what is nearly sure is never told as sure."""
        share = min(probability, 0.999) if probability < 1 else 1.0
        text = f"{100 * share:.1f}" if share >= _RARE else "<0.1"
        return f"{text.replace('.', ',') if self.language == 'ru' else text}\u00a0%"

    def actor(self, actor: str) -> str:
        """Return who did it: the service's own name for what happened by itself."""
        return "Kvitok" if actor == DETECTOR else actor

    def device_tone(self, device: Any) -> str:  # noqa: ANN401 - a device's row
        """Return a device's tone."""
        return device_tone(device.status, device.paper, device.storage)

    def page(
        self, template: str, values: Mapping[str, object] | None = None, *, status: int = 200
    ) -> HTMLResponse:
        """Return a drawn page."""
        drawn = environment(self.language).get_template(template)
        return HTMLResponse(drawn.render(values or {}, view=self), status)


def view_of(request: Request, desk: Desk, reader: str | None = None) -> View:
    """Return the view for a request: the chosen language, else the configured one."""
    chosen = request.cookies.get(LANGUAGE_COOKIE)
    return View(request, language_of(chosen, desk.settings.language), desk.now(), reader)


ERRORS: Final = {
    401: message("Please log in."),
    403: message("This has to come from the desk's own pages."),
    404: message("There is no such page."),
    405: message("This address does not take this method."),
    413: message("That is too large."),
    422: message("The address was not understood."),
    503: message("The database does not answer. Try again in a moment."),
}
NOT_TAKEN: Final = message(
    "We cannot take your message just now. Please send it again in a minute."
)
CUSTOMER_ERRORS: Final = {
    403: message("This has to come from the form itself."),
    413: message("The photo is too large: 20 MB at most."),
    422: message("The form did not arrive whole. Please send it again."),
    503: NOT_TAKEN,
}
_BROKEN: Final = message("Something broke on our side.")


def error_page(request: Request, status: int) -> Response:
    """Return an error as a person reads it."""
    reader = getattr(request.state, "reader", None)
    view = view_of(request, request.app.state.desk, reader)
    if request.url.path.startswith("/help"):
        # Its reader is a customer, and knows of no desk.
        text = view.words.say(CUSTOMER_ERRORS.get(status, ERRORS.get(status, _BROKEN)))
        return view.page("help_error.html", {"text": text}, status=status)
    text = view.words.say(ERRORS.get(status, _BROKEN))
    return view.page("error.html", {"code": status, "text": text}, status=status)
