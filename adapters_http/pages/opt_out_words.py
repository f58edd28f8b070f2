"""What the pages and replies about opting out say, in the language of the store."""

from collections.abc import Mapping
from typing import Final

import attrs

from retail_core.accounts.model import Locale


@attrs.frozen(kw_only=True)
class OptOutWords:
    """All texts in one language; `{store}`, `{person}` and `{number}` are filled in."""

    some_store: str
    title: str
    subscribed: str
    unsubscribed: str
    addressed: str
    stop: str
    start: str
    done_title: str
    stopped: str
    started: str
    gone_title: str
    gone: str
    gone_open: str
    gone_barred: str
    barred_title: str
    barred: str
    asked_title: str
    asked: str
    confirm: str
    confirmed: str
    stop_all_the_same: str
    try_again: str
    number: str
    test: str
    test_title: str
    tried: str


WORDS: Final[Mapping[Locale, OptOutWords]] = {
    Locale.EN: OptOutWords(
        some_store="this store",
        title="Your text messages",
        subscribed="You receive text messages from {store}.",
        unsubscribed="You do not receive text messages from {store}.",
        addressed="This page is for {person}.",
        stop="Stop messages",
        start="Receive messages again",
        done_title="Done",
        stopped="You will receive no more messages from {store}.",
        started="You will receive messages from {store} again.",
        gone_title="Nothing to do",
        gone="Your number is no longer stored with this store.",
        gone_open="If it is stored there again one day, and you want no messages then either:",
        gone_barred="{store} cannot write to it, even if it is stored there again.",
        barred_title="This is not possible",
        barred="{store} cannot send you messages. Please ask the store.",
        asked_title="Please confirm",
        asked="Do you want to receive text messages from {store}?",
        confirm="Yes, I want messages",
        confirmed="Thank you. You will receive messages from {store}.",
        stop_all_the_same="If you want no more messages, you need not wait:",
        try_again="Try again",
        number="Number: {number}",
        test="This is the link of a test message. Your customers see this page; here the button "
        "changes nothing.",
        test_title="Only a test",
        tried="This was the link of a test message, so nothing was changed.",
    ),
    Locale.EL: OptOutWords(
        some_store="το κατάστημα",
        title="Τα μηνύματά σας",
        subscribed="Λαμβάνετε μηνύματα από: {store}.",
        unsubscribed="Δεν λαμβάνετε μηνύματα από: {store}.",
        addressed="Η σελίδα αφορά: {person}.",
        stop="Διακοπή μηνυμάτων",
        start="Λήψη μηνυμάτων ξανά",
        done_title="Έγινε",
        stopped="Δεν θα λαμβάνετε πλέον μηνύματα από: {store}.",
        started="Θα λαμβάνετε ξανά μηνύματα από: {store}.",
        gone_title="Δεν χρειάζεται κάτι άλλο",
        gone="Ο αριθμός σας δεν είναι πλέον αποθηκευμένος σε αυτό το κατάστημα.",
        gone_open="Αν αποθηκευτεί ξανά στο μέλλον και δεν θέλετε ούτε τότε μηνύματα:",
        gone_barred="Ακόμη κι αν αποθηκευτεί ξανά, δεν θα λάβετε μηνύματα από: {store}.",
        barred_title="Αυτό δεν είναι δυνατό",
        barred="Δεν είναι δυνατή η αποστολή μηνυμάτων από: {store}. Ρωτήστε το κατάστημα.",
        asked_title="Επιβεβαιώστε",
        asked="Θέλετε να λαμβάνετε μηνύματα από: {store};",
        confirm="Ναι, θέλω μηνύματα",
        confirmed="Ευχαριστούμε. Θα λαμβάνετε μηνύματα από: {store}.",
        stop_all_the_same="Αν δεν θέλετε άλλα μηνύματα, δεν χρειάζεται να περιμένετε:",
        try_again="Δοκιμάστε ξανά",
        number="Αριθμός: {number}",
        test="Αυτός είναι ο σύνδεσμος δοκιμαστικού μηνύματος. Οι πελάτες σας βλέπουν αυτή τη "
        "σελίδα. Εδώ το κουμπί δεν αλλάζει τίποτα.",
        test_title="Μόνο δοκιμή",
        tried="Ήταν σύνδεσμος δοκιμαστικού μηνύματος, οπότε δεν άλλαξε τίποτα.",
    ),
}
