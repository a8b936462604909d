import pytest

from desk.mailing.fitness import MailUnfit, check
from desk.mailing.settings import MailSettings


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (MailSettings(sender="Us <us@kvitok.example>"), r"\[mail\] sender must be a plain"),
        (MailSettings(sender="us@kvitok.example\r\nBcc: x@y.example"), r"\[mail\] sender must be"),
        (MailSettings(sender="наша@kvitok.example"), r"\[mail\] sender must be"),
        (MailSettings(smtp_host="mx"), r"\[mail\] sender: name our own address"),
        (MailSettings(message_host="a b"), r"\[mail\] message_host must be"),
        (MailSettings(sender_name="Мы\nсами"), r"\[mail\] sender_name must be"),
        (MailSettings(sender="us@kvitok.example", smtp_host="mx", smtp_timeout_s=0.0),
         r"\[mail\] smtp_timeout_s"),
    ],
)  # fmt: skip
def test_what_cannot_be_sent_with_is_told(settings: MailSettings, told: str) -> None:
    """At start, by the setting's name."""
    with pytest.raises(MailUnfit, match=told):
        check(settings)


def test_what_can() -> None:
    """Nothing at all, a folder, a server."""
    check(MailSettings())
    check(MailSettings(sender="us@kvitok.example", smtp_host="mx", message_host="mail.kvitok"))
