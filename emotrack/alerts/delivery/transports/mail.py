"""Mails a letter through the server that the installation names."""

from __future__ import annotations

import smtplib
import threading

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.message import make_msgid
from django.utils.translation import gettext_noop

from emotrack.alerts.delivery.transports import Answer, Letter, TransportError

DEADLINE_SECONDS = 40.0
"""Of the whole call, below the lease of a notice; each step has ``settings.EMAIL_TIMEOUT``."""

_TAKEN = 250


def is_set_up() -> bool:
    return settings.EMAIL_SET_UP


class Mail:
    """deadline_s: how long the whole call may take, however slowly the server answers."""

    def __init__(self, *, deadline_s: float = DEADLINE_SECONDS) -> None:
        self.deadline_s = deadline_s

    def send(self, message: Letter) -> Answer:
        if not is_set_up():
            raise TransportError(gettext_noop("E-mail is not set up."))
        if not message.address:
            raise TransportError(gettext_noop("The person has no e-mail address."), permanent=True)
        outcome: list[Exception | None] = []
        sending = threading.Thread(target=_send, args=[message, outcome], daemon=True, name="mail")
        sending.start()
        sending.join(self.deadline_s)
        if not outcome:
            raise TransportError(gettext_noop("The mail server did not answer in time."))
        if outcome[0] is not None:
            raise _named(outcome[0]) from outcome[0]
        return Answer(_TAKEN)


def _send(letter: Letter, outcome: list[Exception | None]) -> None:
    try:
        mail = EmailMultiAlternatives(
            subject=letter.subject,
            body=letter.text,
            to=[letter.address],
            connection=get_connection(),
            headers={"Message-ID": _message_id(letter.id), "Auto-Submitted": "auto-generated"},
        )
        mail.attach_alternative(letter.html, "text/html")
        mail.send()
    except Exception as error:
        outcome.append(error)
    else:
        outcome.append(None)


def _message_id(notice: str) -> str:
    """The same at every attempt, so that a mail that comes twice is shown once."""
    domain = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].strip("> ") or make_msgid().rpartition("@")[2]
    return f"<{notice}@{domain}>"


def _named(error: Exception) -> TransportError:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        status = max((code for code, _said in error.recipients.values()), default=0)
        reason = f"The mail server refused the address ({status})."
        return TransportError(reason, permanent=status >= 500, answer=Answer(status or None))
    if isinstance(error, smtplib.SMTPResponseException):
        status = error.smtp_code
        return TransportError(f"The mail server answered {status}.", answer=Answer(status))
    if isinstance(error, (OSError, smtplib.SMTPException)):
        return TransportError(f"No answer from the mail server: {type(error).__name__}.")
    if isinstance(error, ValueError):  # a line break or other nonsense in an address
        return TransportError(gettext_noop("The e-mail address cannot be used."), permanent=True)
    raise error
