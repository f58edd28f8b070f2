"""What the pages and replies of the way out say, in the language of the store."""

from collections.abc import Mapping
from typing import Final

import attrs

from retail_core.accounts.model import Locale


@attrs.frozen(kw_only=True)
class OptOutWords:
    """All texts in one language; `{store}` and `{person}` are filled in."""

    some_store: str
    title: str
    subscribed: str
    unsubscribed: str
    addressed: str
    stop: str
    start: str
    stopped: str
    started: str
    invalid_title: str
    invalid: str
    gone_title: str
    gone: str
    barred: str
    asked: str
    confirm: str
    confirmed: str


WORDS: Final[Mapping[Locale, OptOutWords]] = {
    Locale.EN: OptOutWords(
        some_store="this store",
        title="Messages from {store}",
        subscribed="You receive text messages from {store}.",
        unsubscribed="You do not receive text messages from {store}.",
        addressed="This page is for {person}.",
        stop="Stop messages",
        start="Receive messages again",
        stopped="You will receive no more messages from {store}.",
        started="You will receive messages from {store} again.",
        invalid_title="This link does not work",
        invalid="The link is not valid, or it has expired.",
        gone_title="Nothing to do",
        gone="Your number is no longer stored with this store.",
        barred="{store} cannot send you messages. Please ask the store.",
        asked="Do you want to receive text messages from {store}?",
        confirm="Yes, I want messages",
        confirmed="Thank you. You will receive messages from {store}.",
    ),
    Locale.EL: OptOutWords(
        some_store="το κατάστημα",
        title="Μηνύματα: {store}",
        subscribed="Λαμβάνετε μηνύματα από: {store}.",
        unsubscribed="Δεν λαμβάνετε μηνύματα από: {store}.",
        addressed="Η σελίδα αφορά: {person}.",
        stop="Διακοπή μηνυμάτων",
        start="Λήψη μηνυμάτων ξανά",
        stopped="Δεν θα λαμβάνετε πλέον μηνύματα από: {store}.",
        started="Θα λαμβάνετε ξανά μηνύματα από: {store}.",
        invalid_title="Ο σύνδεσμος δεν λειτουργεί",
        invalid="Ο σύνδεσμος δεν είναι έγκυρος ή έχει λήξει.",
        gone_title="Δεν χρειάζεται κάτι άλλο",
        gone="Ο αριθμός σας δεν είναι πλέον αποθηκευμένος σε αυτό το κατάστημα.",
        barred="Δεν είναι δυνατή η αποστολή μηνυμάτων από: {store}. Ρωτήστε το κατάστημα.",
        asked="Θέλετε να λαμβάνετε μηνύματα από: {store};",
        confirm="Ναι, θέλω μηνύματα",
        confirmed="Ευχαριστούμε. Θα λαμβάνετε μηνύματα από: {store}.",
    ),
}
