"""What the mail program counts; never an address, a case or a word of a mail."""

from typing import Final

from prometheus_client import Counter, Gauge

WRITTEN: Final = Counter("kvitok_mail_written", "Mails written for customers, by kind.", ["kind"])
WITHHELD: Final = Counter(
    "kvitok_mail_withheld", "Mails that nobody gets, by kind and reason.", ["kind", "reason"]
)
DELIVERIES: Final = Counter(
    "kvitok_mail_deliveries",
    "Tries to deliver a mail, by outcome: sent, deferred, uncertain, failed.",
    ["outcome"],
)
AWAY: Final = Counter(
    "kvitok_mail_server_away", "How often the mail server or the outbox could not be reached."
)
WAITING: Final = Gauge("kvitok_mail_waiting", "Mails not sent yet.", multiprocess_mode="mostrecent")
OLDEST_S: Final = Gauge(
    "kvitok_mail_oldest_waiting_seconds",
    "Age of the oldest mail not sent yet; 0: there is none.",
    multiprocess_mode="mostrecent",
)
OWED: Final = Gauge(
    "kvitok_mail_owed", "Reports whose answer is not written yet.", multiprocess_mode="mostrecent"
)
