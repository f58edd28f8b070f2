"""Notices on the console, for those who develop."""

import sys
from collections.abc import Callable

import attrs
from loguru import logger

from retail_core.notices.model import HandOver, Letter
from retail_core.notices.wording import worded


def _write(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()


@attrs.frozen
class ConsoleNotifier:
    """`Notifier` that logs that there was a notice, and shows it only where nobody else reads.

    A link to set a password opens the account to whoever reads it, and logs are read by many: it is
    written to the console of a development process, past the log, and nowhere else.
    """

    shows_letters: bool
    write: Callable[[str], object] = _write

    def hand_over(self, letter: Letter) -> HandOver:
        """Always works."""
        logger.info("notice: {}", type(letter.content).__name__, letter=letter.id)
        if self.shows_letters:
            wording = worded(letter.content, letter.locale)
            self.write(f"To: {letter.to}\nSubject: {wording.subject}\n\n{wording.text}\n")
        return HandOver.DONE
