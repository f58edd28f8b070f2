"""The lines that every campaign and automation carries at its end."""

from collections.abc import Mapping
from typing import Final

import attrs

from retail_core.templates.encoding import greek_lookalikes
from retail_core.templates.rendering.placeholders import parse


@attrs.frozen
class AppendedLines:
    """The wording of the lines that campaigns and automations get; `{url}` is the link."""

    offer: str
    opt_out: str


LINES: Final[Mapping[str, AppendedLines]] = {
    "en": AppendedLines(offer="Offer: {url}", opt_out="Stop: {url}"),
    "el": AppendedLines(
        offer=greek_lookalikes("ΠΡΟΣΦΟΡΑ: {url}"), opt_out=greek_lookalikes("ΔΙΑΓΡΑΦΗ: {url}")
    ),
}
"""Built-in wording by locale. The Greek lines never force the costly encoding."""


def appended(
    text: str, locale: str, *, include_offer: bool, lines: Mapping[str, AppendedLines] = LINES
) -> str:
    """The text with the offer line, if wanted, and the opt-out line, each if it is not there yet.

    Done once, at enqueue; doing it again changes nothing. A locale without wording gets `en`.
    """
    parsed = parse(text)
    wording = lines.get(locale) or lines["en"]
    if include_offer and not parsed.uses_offer_url:
        text += "\n" + wording.offer.replace("{url}", "{{offerUrl}}")
    if not parsed.uses_unsubscribe_url:
        text += "\n" + wording.opt_out.replace("{url}", "{{unsubscribeUrl}}")
    return text
