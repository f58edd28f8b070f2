"""Double opt-in: what a person was shown, how often they may be asked, and in which words."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import attrs

from retail_core.accounts.model import Account, Locale
from retail_core.contacts.model import ConsentFact, ConsentSource, ConsentType
from retail_core.credits.model import LOW_CREDITS
from retail_core.kernel.ids import AccountId, ContactId
from retail_core.kernel.money import DEFAULT_PRICES, PriceList
from retail_core.templates.encoding import greek_lookalikes, measure

LAPSES_AFTER: Final = timedelta(days=7)
"""A confirmation that could not be handed over until then is dropped, never sent."""

SHORT_WHILE: Final = timedelta(hours=24)
LONG_WHILE: Final = timedelta(days=30)
ASKED_IN_LONG_WHILE_MAX: Final = 3
DAILY_MAX: Final = 200
CONFIRMATION_REASON: Final = "sms:confirmation"

_WORDS: Final[Mapping[Locale, str]] = {
    Locale.EN: "Do you want our text messages? Confirm here: {url}",
    Locale.EL: greek_lookalikes("ΘΕΛΕΤΕ ΤΑ SMS ΜΑΣ; ΕΠΙΒΕΒΑΙΩΣΤΕ ΕΔΩ: {url}"),
}


@attrs.frozen(kw_only=True)
class ShownConsent:
    """What a person agreed to, where, and by which browser, before they were asked to confirm it.

    `text` is what they were shown, in its `version`; `statement` is what the store says of it. The
    confirmation is written in `locale`, else in the store's language.
    """

    source: ConsentSource
    source_ref: str | None = None
    text: str | None = attrs.field(default=None, repr=False)
    version: int | None = None
    statement: str | None = attrs.field(default=None, repr=False)
    locale: Locale | None = None
    ip: str | None = None
    user_agent: str | None = None
    actor: AccountId | None = None

    def requested(self, contact: ContactId, at: datetime) -> ConsentFact:
        """What the ledger keeps: a request, which is no consent yet."""
        return ConsentFact(
            contact=contact,
            type=ConsentType.REQUESTED,
            source=self.source,
            at=at,
            source_ref=self.source_ref,
            text=self.text,
            text_version=self.version,
            statement=self.statement,
            ip=self.ip,
            user_agent=self.user_agent,
            locale=self.locale and self.locale.value,
            actor=self.actor,
        )


@attrs.frozen
class ConfirmationPolicy:
    """What the operator's settings say about confirmations; `page` has `{code}` in it."""

    page: str
    fallback_sender: str | None = None
    prices: PriceList = DEFAULT_PRICES
    daily_max: int = DAILY_MAX
    low_credits: int = LOW_CREDITS

    def link(self, code: str) -> str:
        """The page with the button that confirms."""
        return self.page.replace("{code}", code)


def number_free_at(asked: Sequence[datetime], now: datetime) -> datetime | None:
    """When a number may be asked again; None if now. `asked` are the times, the oldest first."""
    lately = [at for at in asked if at > now - LONG_WHILE]
    free = [at + SHORT_WHILE for at in lately[-1:]]
    free += [at + LONG_WHILE for at in lately[-ASKED_IN_LONG_WHILE_MAX:][:1]] * (
        len(lately) >= ASKED_IN_LONG_WHILE_MAX
    )
    latest = max(free, default=now)
    return latest if latest > now else None


def confirmation_text(store: Account, locale: Locale, link: str) -> str:
    """One part if any name of the store allows it: company, else sender name, else none."""
    words = _WORDS[locale].replace("{url}", link)
    names = filter(None, (store.company, store.sender_name))
    texts = [*(f"{name}: {words}" for name in names), words]
    return next((text for text in texts if measure(text).parts == 1), words)
