"""What the pure text functions cost, in microseconds an operation: `python -m bench.text`."""

import timeit
from collections.abc import Callable

from retail_core.kernel.addresses.phones import PhoneNumber, country_of, parse_phone
from retail_core.kernel.folding import fold
from retail_core.kernel.smart_encoding import SmartEncoding
from retail_core.links.codes import LinkCodes
from retail_core.links.urls import LinkTemplates
from retail_core.templates.encoding import measure
from retail_core.templates.rendering import appended, compile_message, parse

REPEATS = 5
SECONDS_PER_REPEAT = 0.1

LATIN = (
    "Hello {{firstName|friend}}, twenty percent off everything in our shop this Saturday only. "
    "Come by and see what is new."
)
GREEK = "Γειά σου {{firstName}}, είκοσι τοις εκατό έκπτωση σε όλα τα είδη μας αυτό το Σάββατο."


def microseconds(operation: Callable[[], object]) -> float:
    """The best of some repeats, which is the one least disturbed by others on the machine."""
    timer = timeit.Timer(operation)
    number, seconds = timer.autorange()
    number = max(1, int(number * SECONDS_PER_REPEAT / seconds))
    return min(timer.repeat(REPEATS, number)) / number * 1e6


def operations() -> dict[str, Callable[[], object]]:
    """Everything that is done once per contact or message."""
    codes = LinkCodes(b"a secret that only this measurement uses")
    links = LinkTemplates.of_settings(public_base_url="https://p.gr")
    offer = links.offer_link(codes.tracking_id(1))
    opt_out = links.opt_out_link(codes.opt_out_code(1))
    latin, greek = (
        compile_message(
            parse(appended(text, locale, include_offer=True)),
            store_name="Kafe",
            sample_offer_url=links.sample_offer_link(),
            sample_unsubscribe_url=links.sample_opt_out_link(),
            smart_encoding=mode,
        )
        for text, locale, mode in (
            (LATIN, "en", SmartEncoding.OFF),
            (GREEK, "el", SmartEncoding.GREEK),
        )
    )
    sent = latin.render("Maria", None, None, offer, opt_out)
    code = codes.opt_out_code(123_456)
    return {
        "parse_phone, national": lambda: parse_phone("6984303406", "GR"),
        "parse_phone, E.164": lambda: parse_phone("+306984303406", "GR"),
        "parse_phone, by the library": lambda: parse_phone("+30 698-430 (3406)", "GR"),
        "country_of": lambda: country_of(PhoneNumber("+306984303406")),
        "fold, ASCII": lambda: fold("Maria Papadopoulou"),
        "fold, Greek": lambda: fold("Μαρία Παπαδοπούλου"),
        "render": lambda: latin.render("Maria", None, None, offer, opt_out),
        "size": lambda: latin.size("Maria", None, None),
        "render, smart Greek": lambda: greek.render("Μαρία", None, None, offer, opt_out),
        "size, smart Greek": lambda: greek.size("Μαρία", None, None),
        "measure, GSM-7": lambda: measure(sent),
        "measure, UCS-2": lambda: measure(GREEK),
        "opt_out_code": lambda: codes.opt_out_code(123_456),
        "tracking_id": lambda: codes.tracking_id(123_456),
        "read_opt_out_code": lambda: codes.read_opt_out_code(code),
        "opt_out_link": lambda: links.opt_out_link(code),
    }


def main() -> None:
    """Print one line for each operation."""
    for name, operation in operations().items():
        print(f"{name:<30}{microseconds(operation):8.2f} µs")


if __name__ == "__main__":
    main()
