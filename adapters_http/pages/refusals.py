"""What a person's browser is shown where a page is refused: in their language, and what to do."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Final, Protocol, runtime_checkable

import attrs
import falcon

from adapters_http.pages import paragraph, show
from adapters_http.web.context import Request, Response
from retail_core.accounts.model import Locale

PREFIXES: Final = frozenset({"u", "o", "s", "c", "nfc", "unsubscribe", "retail"})
"""The first words of the addresses that stand in messages and on tags."""

JSON: Final = "application/json"
PAGE: Final = "text/html"
MINUTE_SECONDS: Final = 60
HOUR_SECONDS: Final = 3600


@runtime_checkable
class StillOffering(Protocol):
    """A resource whose page offers something even where the request itself is refused."""

    def offer(self, req: Request, status: int, locale: Locale) -> Sequence[str]:
        """HTML to stand below what the refusal says."""
        ...


@attrs.frozen
class Saying:
    """What happened, and what to do."""

    title: str
    advice: str


@attrs.frozen(kw_only=True)
class RefusalWords:
    """All refusals in one language; `{while}` is filled in."""

    broken: Saying
    unknown: Saying
    expired: Saying
    misused: Saying
    hurried: Saying
    away: Saying
    minute: str
    minutes: str
    hours: str
    reference: str

    def of(self, status: int) -> Saying:
        """What is said of a status."""
        match status:
            case HTTPStatus.NOT_FOUND:
                return self.unknown
            case HTTPStatus.GONE:
                return self.expired
            case HTTPStatus.TOO_MANY_REQUESTS:
                return self.hurried
            case HTTPStatus.BAD_REQUEST:
                return self.broken
            case _ if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                return self.away
            case _:
                return self.misused

    def span(self, seconds: int) -> str:
        """How long to wait, in the unit that people would use; never too short."""
        if seconds <= MINUTE_SECONDS:
            return self.minute
        if seconds <= HOUR_SECONDS:
            return self.minutes.format(-(-seconds // MINUTE_SECONDS))
        return self.hours.format(-(-seconds // HOUR_SECONDS))


WORDS: Final[Mapping[Locale, RefusalWords]] = {
    Locale.EN: RefusalWords(
        broken=Saying(
            "This link does not work",
            "A part of the link is missing, or it is too old. Open it from the text message "
            "again. If it still does not work, ask the shop that sent you the message.",
        ),
        unknown=Saying(
            "There is no page here",
            "The address is not complete, or it was mistyped. Open the link from the text "
            "message again.",
        ),
        expired=Saying(
            "This link has expired",
            "It was valid for a while only. The latest message from the shop has a link that "
            "works.",
        ),
        misused=Saying(
            "That did not work",
            "Open the link from the text message again, and use the button on its page.",
        ),
        hurried=Saying(
            "One moment, please",
            "There were too many attempts in a short time. Try again in {while}.",
        ),
        away=Saying(
            "This page is out of order for the moment",
            "Please try again in a few minutes. Nothing bad happens if you press twice.",
        ),
        minute="a minute",
        minutes="{} minutes",
        hours="{} hours",
        reference="Reference",
    ),
    Locale.EL: RefusalWords(
        broken=Saying(
            "Ο σύνδεσμος δεν λειτουργεί",
            "Λείπει ένα μέρος του συνδέσμου ή έχει λήξει. Ανοίξτε τον ξανά από το μήνυμα. Αν "
            "και πάλι δεν λειτουργεί, ρωτήστε το κατάστημα που σας έστειλε το μήνυμα.",
        ),
        unknown=Saying(
            "Δεν υπάρχει σελίδα εδώ",
            "Η διεύθυνση δεν είναι πλήρης ή γράφτηκε λάθος. Ανοίξτε ξανά τον σύνδεσμο από το "
            "μήνυμα.",
        ),
        expired=Saying(
            "Ο σύνδεσμος έχει λήξει",
            "Ίσχυε για περιορισμένο διάστημα. Το τελευταίο μήνυμα του καταστήματος έχει "
            "σύνδεσμο που λειτουργεί.",
        ),
        misused=Saying(
            "Αυτό δεν έγινε",
            "Ανοίξτε ξανά τον σύνδεσμο από το μήνυμα και πατήστε το κουμπί της σελίδας.",
        ),
        hurried=Saying(
            "Μια στιγμή, παρακαλώ",
            "Έγιναν πάρα πολλές προσπάθειες σε λίγη ώρα. Δοκιμάστε ξανά σε {while}.",
        ),
        away=Saying(
            "Η σελίδα δεν λειτουργεί προσωρινά",
            "Δοκιμάστε ξανά σε λίγα λεπτά. Δεν πειράζει αν πατήσετε δύο φορές.",
        ),
        minute="ένα λεπτό",
        minutes="{} λεπτά",
        hours="{} ώρες",
        reference="Αριθμός αναφοράς",
    ),
}


def is_for_a_person(req: Request) -> bool:
    """Whether a browser of a person waits for the answer: programs ask for JSON by its name."""
    if req.path.split("/")[1].lower() not in PREFIXES:
        return False
    accepted = req.accept.lower()
    if JSON not in accepted:
        return True
    order = [PAGE, JSON] if PAGE in accepted else [JSON, PAGE]
    return req.client_prefers(order) != JSON


def language_of(req: Request) -> Locale:
    """The store's language where it is known by now, else the one the browser asks for."""
    return req.context.locale or _asked_for(req.get_header("Accept-Language") or "")


def show_refusal(req: Request, resp: Response, status: int, wait_seconds: int | None) -> None:
    """Say what happened and what to do; where something is offered all the same, offer it."""
    locale = language_of(req)
    words = WORDS[locale]
    said = words.of(status)
    resource = req.context.resource
    offered = resource.offer(req, status, locale) if isinstance(resource, StillOffering) else ()
    content = [paragraph(said.advice.replace("{while}", words.span(wait_seconds or 1))), *offered]
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        content.append(paragraph(f"{words.reference}: {req.context.request_id}", "note"))
    show(resp, locale, said.title, *content, status=falcon.code_to_http_status(status))


def _asked_for(header: str) -> Locale:
    """The one of our languages that an Accept-Language header likes best; English in doubt."""
    best, found = 0.0, Locale.EN
    for each in header.split(","):
        tag, _, given = each.partition(";")
        weight = _weight(given)
        for locale in Locale:
            if tag.strip().lower().partition("-")[0] == locale.value and weight > best:
                best, found = weight, locale
    return found


def _weight(given: str) -> float:
    name, _, value = given.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0
