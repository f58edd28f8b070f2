"""The text that tells somebody that their STOP worked: whether, in which words, how often."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

import attrs

from retail_core.accounts.model import Account, Locale
from retail_core.credits.model import LOW_CREDITS
from retail_core.kernel.money import DEFAULT_PRICES, PriceList
from retail_core.templates.encoding import Encoding, greek_lookalikes, measure

STOP_CONFIRMATION_EXPIRES_AFTER: Final = timedelta(hours=1)
"""What could not be handed over until then is dropped: nobody wonders any more."""

STOP_CONFIRMATION_EVERY: Final = timedelta(hours=24) + STOP_CONFIRMATION_EXPIRES_AFTER
"""Counted from plan to plan, so that 24 hours lie between any two hand-overs."""

_WORDS: Final[Mapping[Locale, str]] = {
    Locale.EN: "You will get no more messages from us.",
    Locale.EL: greek_lookalikes("ΔΕΝ ΘΑ ΛΑΒΕΤΕ ΑΛΛΑ ΜΗΝΥΜΑΤΑ ΑΠΟ ΕΜΑΣ."),
}


@attrs.frozen(kw_only=True)
class StopConfirmationPolicy:
    """What the operator's settings say about confirming a STOP; by default nobody is told."""

    is_on: bool = False
    fallback_sender: str | None = None
    prices: PriceList = DEFAULT_PRICES
    low_credits: int = LOW_CREDITS


def stop_confirmation_text(store: Account) -> str:
    """One part in GSM-7, with the first name of the store that allows it: company, else sender."""
    words = _WORDS[store.locale]
    names = filter(None, (store.company, store.sender_name))
    return next(filter(_is_cheap, (f"{name}: {words}" for name in names)), words)


def _is_cheap(text: str) -> bool:
    size = measure(text)
    return size.encoding is Encoding.GSM7 and size.parts == 1
