"""Settings that no mail could be sent with: told at start, with what to do."""

import re
from typing import Final

from desk.mailing.addressee import usable
from desk.mailing.settings import MailSettings
from desk.mailing.state import host

_ADDRESS: Final = re.compile(
    r"[A-Za-z0-9._+-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,180}[A-Za-z0-9])?"
)
_HOST: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,180}[A-Za-z0-9])?")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")


class MailUnfit(Exception):  # noqa: N818 - says what is, like every error of ours
    """The settings of mail cannot be used; the text says which and what to do."""


def check(settings: MailSettings) -> None:
    """See that mails can be made with these settings.

    Raises:
        MailUnfit: they cannot.
    """
    if not _ADDRESS.fullmatch(settings.sender):
        raise MailUnfit(f"[mail] sender must be a plain mail address, not {settings.sender!r}")
    if settings.smtp_host and usable(settings.sender) is None:
        raise MailUnfit(f"[mail] sender: name our own address, nobody can answer {settings.sender}")
    if not _HOST.fullmatch(host(settings)):
        raise MailUnfit(f"[mail] message_host must be a host name, not {settings.message_host!r}")
    if _CONTROL.search(settings.sender_name):
        raise MailUnfit("[mail] sender_name must be one line of text")
    if settings.smtp_host and settings.smtp_timeout_s <= 0:
        raise MailUnfit("[mail] smtp_timeout_s must be more than 0")
