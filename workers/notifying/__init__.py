"""Hands notices over to their owners: on the console, or by SMTP."""

from workers.notifying.console import ConsoleNotifier
from workers.notifying.settings import NotifierKind, NotifyingSettings, SmtpSettings
from workers.notifying.smtp import SmtpNotifier

__all__ = [
    "ConsoleNotifier",
    "NotifierKind",
    "NotifyingSettings",
    "SmtpNotifier",
    "SmtpSettings",
    "notifier_of",
]


def notifier_of(settings: NotifyingSettings) -> ConsoleNotifier | SmtpNotifier:
    """The notifier that the settings ask for."""
    if settings.smtp is not None:
        return SmtpNotifier(settings.smtp)
    return ConsoleNotifier(shows_letters=settings.shows_letters)
