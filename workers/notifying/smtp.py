"""Notices by mail, over SMTP."""

import smtplib
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate
from typing import Final

import attrs
from loguru import logger

from retail_core.notices.model import HandOver, Letter
from retail_core.notices.wording import worded
from workers.notifying.settings import SmtpSettings, Tls

PERMANENT: Final = range(500, 600)


@attrs.frozen
class SmtpNotifier:
    """`Notifier` by mail. Every step has a time limit, and what is not encrypted is not sent.

    Only an address that the server refuses for good is given up; anything else may be mended by
    the operator, and is tried again.
    """

    settings: SmtpSettings
    tls_context: Callable[[], ssl.SSLContext] = ssl.create_default_context

    def hand_over(self, letter: Letter) -> HandOver:
        """One connection for one letter: they are rare."""
        try:
            message = self._message(letter)
        except ValueError:  # an address that no header can hold
            return _refused(letter, 0)
        try:
            with self._connected() as connection:
                connection.send_message(message, self.settings.sender.addr_spec, [letter.to])
        except smtplib.SMTPRecipientsRefused as refused:
            code = next((code for code, _ in refused.recipients.values()), 0)
            return _refused(letter, code) if code in PERMANENT else _later(letter, refused, code)
        except smtplib.SMTPNotSupportedError as error:
            # either the server lacks what we insist on, or it cannot spell the address
            is_plain = letter.to.isascii()
            return _later(letter, error) if is_plain else _refused(letter, 0)
        except smtplib.SMTPResponseException as error:
            return _later(letter, error, error.smtp_code)
        except (smtplib.SMTPException, OSError) as error:
            return _later(letter, error)
        logger.info("notice: {}", type(letter.content).__name__, letter=letter.id)
        return HandOver.DONE

    @contextmanager
    def _connected(self) -> Iterator[smtplib.SMTP]:
        told = self.settings
        seconds = told.timeout_seconds
        connection: smtplib.SMTP
        if told.tls is Tls.FROM_THE_START:
            context = self.tls_context()
            connection = smtplib.SMTP_SSL(told.host, told.port, timeout=seconds, context=context)
        else:
            connection = smtplib.SMTP(told.host, told.port, timeout=seconds)
        with connection:
            if told.tls is Tls.STARTTLS:
                connection.starttls(context=self.tls_context())
            if told.user is not None:
                connection.login(told.user, told.password.reveal())
            yield connection

    def _message(self, letter: Letter) -> EmailMessage:
        wording = worded(letter.content, letter.locale)
        sender = self.settings.sender
        message = EmailMessage(SMTP)
        message["From"] = sender
        message["To"] = Address(addr_spec=letter.to)
        message["Subject"] = wording.subject
        message["Date"] = formatdate(usegmt=True)
        message["Message-ID"] = f"<{letter.id}@{sender.domain}>"
        message["Auto-Submitted"] = "auto-generated"
        message["Content-Language"] = letter.locale.value
        message.set_content(wording.text)
        return message


def _refused(letter: Letter, code: int) -> HandOver:
    logger.error("notice: the address takes no letters", letter=letter.id, smtpCode=code)
    return HandOver.REFUSED


def _later(letter: Letter, error: Exception, code: int = 0) -> HandOver:
    """Without the text of the error: a server may quote the address in it."""
    name = type(error).__name__
    logger.warning(
        "notice: the mail server did not take it", letter=letter.id, error=name, smtpCode=code
    )
    return HandOver.LATER
