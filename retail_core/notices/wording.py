"""The words of notices, in the languages of shops."""

import re
from collections.abc import Mapping
from typing import Final

import attrs

from retail_core.accounts.model import Locale
from retail_core.notices.model import (
    CampaignFailed,
    CampaignFinished,
    CampaignPaused,
    ConfirmationCountry,
    ConfirmationLimit,
    Content,
    CreditsLow,
    PasswordReset,
)

SUBJECT_NAME_CHARACTERS_MAX: Final = 60


@attrs.frozen
class Wording:
    """What is written: a subject of one line, and a text."""

    subject: str
    text: str = attrs.field(repr=False)


_TEXTS: Final[Mapping[type[Content], Mapping[Locale, Wording]]] = {
    PasswordReset: {
        Locale.EN: Wording(
            "Set a new password",
            "Somebody, most likely you, asked for a new password for this account.\n\n"
            "Set it here: {link}\n\n"
            "The link works once, for {minutes} minutes, and ends all sessions. If it was not "
            "you, do nothing: your password stays as it is.\n",
        ),
        Locale.EL: Wording(
            "Ορισμός νέου κωδικού",
            "Κάποιος, πιθανότατα εσείς, ζήτησε νέο κωδικό αυτού του λογαριασμού.\n\n"
            "Ορίστε τον εδώ: {link}\n\n"
            "Ο σύνδεσμος λειτουργεί μία φορά, μέσα σε {minutes} λεπτά, και τερματίζει όλες τις "
            "συνδέσεις. Αν δεν το ζητήσατε εσείς, αγνοήστε αυτό το μήνυμα: ο κωδικός σας δεν "
            "αλλάζει.\n",
        ),
    },
    CampaignPaused: {
        Locale.EN: Wording(
            "Campaign paused: {name}",
            'Your campaign "{name}" was paused: {reason}.\n\n'
            "Nothing more of it is sent until you resume it; its credits stay reserved.\n",
        ),
        Locale.EL: Wording(
            "Παύση καμπάνιας: {name}",
            "Η καμπάνια σας «{name}» τέθηκε σε παύση: {reason}.\n\n"
            "Δεν στέλνεται τίποτε άλλο μέχρι να τη συνεχίσετε· τα credits της μένουν "
            "δεσμευμένα.\n",
        ),
    },
    CampaignFailed: {
        Locale.EN: Wording(
            "Campaign not sent: {name}",
            'Your campaign "{name}" was not sent: {reason}.\n\nNo credits were spent.\n',
        ),
        Locale.EL: Wording(
            "Η καμπάνια δεν στάλθηκε: {name}",
            "Η καμπάνια σας «{name}» δεν στάλθηκε: {reason}.\n\nΔεν ξοδεύτηκαν credits.\n",
        ),
    },
    CampaignFinished: {
        Locale.EN: Wording(
            "Campaign finished: {name}",
            'Your campaign "{name}" is finished.\n\n'
            "Recipients: {recipients}\nSent: {sent}\nFailed: {failed}\n"
            "Unknown: {unknown}\nCancelled: {cancelled}\n",
        ),
        Locale.EL: Wording(
            "Η καμπάνια ολοκληρώθηκε: {name}",
            "Η καμπάνια σας «{name}» ολοκληρώθηκε.\n\n"
            "Παραλήπτες: {recipients}\nΣτάλθηκαν: {sent}\nΑπέτυχαν: {failed}\n"
            "Άγνωστα: {unknown}\nΑκυρώθηκαν: {cancelled}\n",
        ),
    },
    CreditsLow: {
        Locale.EN: Wording(
            "Your credits are running low",
            "You have {available} credits left to spend.\n",
        ),
        Locale.EL: Wording(
            "Τα credits σας λιγοστεύουν",
            "Σας απομένουν {available} διαθέσιμα credits.\n",
        ),
    },
    ConfirmationLimit: {
        Locale.EN: Wording(
            "A confirmation SMS was not sent",
            "Somebody filled in your form, but as many confirmation messages as are allowed "
            "within 24 hours were sent already.\n\nNone is sent later: whoever is still "
            "interested can fill in the form again. If you did not expect so many, somebody may "
            "be misusing the form.\n",
        ),
        Locale.EL: Wording(
            "Δεν στάλθηκε SMS επιβεβαίωσης",
            "Κάποιος συμπλήρωσε τη φόρμα σας, αλλά έχουν ήδη σταλεί όσα μηνύματα επιβεβαίωσης "
            "επιτρέπονται μέσα σε 24 ώρες.\n\nΔεν θα σταλεί αργότερα: όποιος ενδιαφέρεται ακόμη "
            "μπορεί να συμπληρώσει ξανά τη φόρμα. Αν δεν περιμένατε τόσα, ίσως κάποιος "
            "καταχράται τη φόρμα.\n",
        ),
    },
    ConfirmationCountry: {
        Locale.EN: Wording(
            "A confirmation SMS was not sent",
            "Somebody filled in your form with a number of a country to which no confirmation "
            "messages are sent. Ask your provider to name the country in the price list.\n",
        ),
        Locale.EL: Wording(
            "Δεν στάλθηκε SMS επιβεβαίωσης",
            "Κάποιος συμπλήρωσε τη φόρμα σας με αριθμό χώρας στην οποία δεν στέλνονται μηνύματα "
            "επιβεβαίωσης. Ζητήστε από τον πάροχό σας να προστεθεί η χώρα στον τιμοκατάλογο.\n",
        ),
    },
}

_REASONS: Final[Mapping[str, Mapping[Locale, str]]] = {
    "failure_rate": {
        Locale.EN: "too many of its messages failed",
        Locale.EL: "απέτυχαν πάρα πολλά μηνύματά της",
    },
    "gateway_refused": {
        Locale.EN: "the SMS gateway refuses our messages",
        Locale.EL: "ο πάροχος SMS δεν δέχεται τα μηνύματά μας",
    },
    "no_recipients": {
        Locale.EN: "nobody is in its audience",
        Locale.EL: "κανείς δεν ανήκει στο κοινό της",
    },
}
_OTHER_REASON: Final = {
    Locale.EN: "the system stopped it",
    Locale.EL: "τη σταμάτησε το σύστημα",
}


def worded(content: Content, locale: Locale) -> Wording:
    """Write a notice down. Names of campaigns may hold anything; a subject stays one line."""
    wording = _TEXTS[type(content)][locale]
    values = attrs.asdict(content, recurse=False)
    if isinstance(content, PasswordReset):
        values["link"] = content.link.reveal()
    if isinstance(content, CampaignPaused | CampaignFailed):
        values["reason"] = _REASONS.get(content.reason or "", _OTHER_REASON)[locale]
    short = values | {"name": _one_line(str(values.get("name", "")))}
    return Wording(wording.subject.format(**short), wording.text.format(**values))


def _one_line(name: str) -> str:
    """Without breaks and other controls, and not too long for a subject."""
    plain = re.sub(r"\s+", " ", "".join(each if each.isprintable() else " " for each in name))
    if len(plain) <= SUBJECT_NAME_CHARACTERS_MAX:
        return plain.strip()
    return plain[: SUBJECT_NAME_CHARACTERS_MAX - 1].strip() + "…"
