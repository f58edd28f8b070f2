"""From the text in a link to the person and the store it stands for."""

import hashlib
import re
from typing import Final

import attrs

from adapters_http.middleware.limiting import LateLimits
from adapters_http.pages.opt_out_words import WORDS, OptOutWords
from adapters_http.web.context import Request, Response
from retail_core.accounts.model import Account, Locale
from retail_core.accounts.queries import AccountQueries
from retail_core.contacts.errors import ContactGone, InvalidToken
from retail_core.contacts.model import OptOutLink
from retail_core.contacts.model.number_hash import NumberHash
from retail_core.contacts.queries import NumberStanding, OptOutQueries
from retail_core.contacts.use_cases import (
    Client,
    OptOut,
    ResolveOptOut,
    Resubscribe,
    SignedClaim,
    Unsubscribe,
)
from retail_core.kernel.addresses.phones import PhoneNumber, mask_phone
from retail_core.kernel.ids import MessageNumber
from retail_core.kernel.time.clock import Clock
from retail_core.links.codes import LinkCodes, read_token

TEXT_CHARACTERS_MAX: Final = 512
_HIDDEN: Final = re.compile(r"\*+")


@attrs.frozen
class OptOutReader:
    """Understands both forms of a link: the short code and the signed token."""

    codes: LinkCodes
    clock: Clock
    resolve: ResolveOptOut

    def read(self, text: str) -> OptOutLink:
        """Whom a link is for. Raises `InvalidToken`."""
        if len(text) > TEXT_CHARACTERS_MAX:
            raise InvalidToken
        number = self.codes.read_opt_out_code(text)
        if number is not None:
            return self.resolve(MessageNumber(number))
        token = read_token(text, self.codes.secret, self.clock.now())
        if token is None:
            raise InvalidToken
        return self.resolve(SignedClaim(token.store, token.contact, token.campaign))


@attrs.frozen
class StoreFace:
    """How a store shows itself to its customers."""

    name: str
    locale: Locale

    @property
    def words(self) -> OptOutWords:
        """All texts in its language."""
        return WORDS[self.locale]

    def say(self, text: str) -> str:
        """A text with the store's name in it."""
        return text.replace("{store}", self.name)

    def welcome(self, link: OptOutLink) -> str:
        """What is said to whoever is in from now on."""
        return self.words.confirmed if link.is_confirmation else self.words.started

    def farewell(self, out: OptOut) -> str:
        """What is said to whoever pressed Stop."""
        if out is OptOut.TEST:
            return self.words.tried
        return self.say(self.words.gone if out is OptOut.GONE else self.words.stopped)

    @classmethod
    def of(cls, account: Account | None) -> "StoreFace":
        """Its company, else its sender's name, else a neutral word."""
        locale = account.locale if account else Locale.EN
        name = account and (account.company or account.sender_name)
        return cls(name or WORDS[locale].some_store, locale)


@attrs.frozen
class LinkPerson:
    """As much of a person as anybody may see who has the link.

    `contact` is 0 for a test, which is nobody's. The name stands there only if the text went to
    this very contact: a number may have passed to somebody else.
    """

    contact: int
    first_name: str | None = attrs.field(repr=False)
    last_name_initial: str | None = attrs.field(repr=False)
    number: str | None = attrs.field(repr=False)
    receives: bool


@attrs.frozen
class OptOutPeople:
    """Looks up the person and the store of a link."""

    numbers: OptOutQueries
    accounts: AccountQueries
    number_hash: NumberHash

    def store(self, link: OptOutLink) -> StoreFace:
        """The store of a link."""
        return StoreFace.of(self.accounts.find(link.account))

    def standing(self, link: OptOutLink) -> NumberStanding:
        """How the store stands to the number of a link."""
        return self.numbers.standing(link, self.number_hash)

    def person(self, link: OptOutLink) -> LinkPerson:
        """Who has the number of a link. Raises `ContactGone`."""
        if link.is_test:
            return LinkPerson(0, None, None, masked(link.phone), receives=True)
        standing = self.standing(link)
        contact = standing.contact
        if contact is None:
            raise ContactGone
        is_addressed = contact.id == link.contact
        return LinkPerson(
            contact=contact.id,
            first_name=contact.first_name if is_addressed else None,
            last_name_initial=initial(contact.last_name) if is_addressed else None,
            number=masked(contact.phone),
            receives=standing.receives,
        )


@attrs.frozen
class OptOutActions:
    """What pressing a button of a link does, by whatever route, and how often.

    Whoever has a valid code is never refused for the others at the same address: mobile carriers
    let many share one. Guessing is refused, and so are changes to and fro. An opt-out counts as a
    change, but is honoured however often somebody changed their mind.
    """

    reader: OptOutReader
    people: OptOutPeople
    limits: LateLimits
    unsubscribe: Unsubscribe
    resubscribe: Resubscribe

    def link(self, req: Request, resp: Response, text: str) -> OptOutLink:
        """Whom a pressed link is for. Raises `InvalidToken`, and `RateLimited` for guessing."""
        try:
            return self.reader.read(text)
        except InvalidToken:
            self.limits.take_of_address(req, resp, "opt-out-invalid-ip")
            raise

    def stop(
        self, req: Request, resp: Response, text: str, link: OptOutLink, store: StoreFace
    ) -> OptOut:
        """Opt out; `text` is the link as it was given."""
        done = self.unsubscribe(link, client_of(req, store.locale))
        if done is OptOut.DONE:
            self.limits.note(req, resp, "opt-out-change-token", _hashed(text))
        return done

    def start(
        self, req: Request, resp: Response, text: str, link: OptOutLink, store: StoreFace
    ) -> None:
        """Opt in again. Raises `ContactGone`, `ContactSuppressed`, `RateLimited`."""
        if not link.is_test and self.people.standing(link).can_come_back:
            self.limits.take(req, resp, "opt-out-change-token", _hashed(text))
        self.resubscribe(link, client_of(req, store.locale))


def _hashed(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


def client_of(req: Request, locale: Locale) -> Client:
    """The browser that pressed the button."""
    return Client(req.context.address or None, req.user_agent or None, locale.value)


def initial(name: str | None) -> str | None:
    """The first letter of a name, which is all that a link shows of it."""
    return name[0] if name else None


def masked(phone: PhoneNumber | None) -> str | None:
    """A number as a page may show it: enough for its owner to know it by."""
    return None if phone is None else _HIDDEN.sub("…", mask_phone(phone))
