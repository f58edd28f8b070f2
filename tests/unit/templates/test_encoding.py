import pytest
from hypothesis import given
from hypothesis import strategies as st

from retail_core.kernel.smart_encoding import SmartEncoding
from retail_core.templates.encoding import (
    GSM7_BASIC,
    GSM7_ESCAPED,
    LOOK_ALIKES,
    Encoding,
    TextCost,
    TextSize,
    converted,
    cost_of,
    greek_lookalikes,
    measure,
    size_of,
    smart,
)

SMILE = "\U0001f600"
SIGNS = st.sampled_from(f"aZ1 \n{GSM7_ESCAPED}ΓΔéαάς`ç\t{SMILE}")
TEXTS = st.one_of(
    st.text(SIGNS, max_size=700),
    st.text(GSM7_BASIC + GSM7_ESCAPED * 3, max_size=500),
    st.builds(str.__mul__, st.text(SIGNS, max_size=5), st.integers(0, 200)),
    st.text(max_size=300),
)


def counted_slowly(text: str) -> TextSize:
    """The rules of GSM 03.38, one character after the other."""
    if all(sign in GSM7_BASIC + GSM7_ESCAPED for sign in text):
        encoding, single, part = Encoding.GSM7, 160, 153
        widths = [2 if sign in GSM7_ESCAPED else 1 for sign in text]
    else:
        encoding, single, part = Encoding.UCS2, 70, 67
        widths = [2 if ord(sign) > 0xFFFF else 1 for sign in text]
    length = sum(widths)
    if length <= single:
        return TextSize(encoding, 1, length)
    parts, used = 1, 0
    for width in widths:
        if used + width > part:
            parts, used = parts + 1, 0
        used += width
    return TextSize(encoding, parts, length)


@given(TEXTS)
def test_a_text_is_counted_as_one_character_after_the_other_says(text: str) -> None:
    assert measure(text) == counted_slowly(text)


@given(st.lists(TEXTS, max_size=6))
def test_costs_of_pieces_add_up_to_the_size_of_the_whole(pieces: list[str]) -> None:
    size = size_of(TextCost(sum(map(cost_of, pieces))))

    assert size is None or size == measure("".join(pieces))


@pytest.mark.parametrize("length", [0, 1, 160, 161, 306, 307, 459, 460])
def test_a_text_without_pairs_has_a_known_size_from_its_cost_alone(length: int) -> None:
    assert size_of(cost_of("a" * length)) == measure("a" * length)


@pytest.mark.parametrize(
    ("text", "parts", "length"),
    [
        ("", 1, 0),
        ("a" * 160, 1, 160),
        ("a" * 161, 2, 161),
        ("a" * 306, 2, 306),
        ("a" * 307, 3, 307),
        ("€" * 80, 1, 160),
        ("€" * 81, 2, 162),
        ("a" * 152 + "€" + "a" * 151, 2, 305),
        ("a" * 152 + "€" + "a" * 152, 3, 306),
        ("@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ¡ÄÖÑÜ§¿äöñüà", 1, 43),
    ],
)
def test_septets_fill_160_alone_and_153_of_each_of_several_parts(
    text: str, parts: int, length: int
) -> None:
    assert measure(text) == TextSize(Encoding.GSM7, parts, length)


@pytest.mark.parametrize(
    ("text", "parts", "length"),
    [
        ("α" * 70, 1, 70),
        ("α" * 71, 2, 71),
        ("α" * 134, 2, 134),
        ("α" * 135, 3, 135),
        (SMILE * 35, 1, 70),
        ("α" * 66 + SMILE + "α" * 65, 2, 133),
        ("α" * 66 + SMILE + "α" * 66, 3, 134),
        ("a" * 100 + "`", 2, 101),
    ],
)
def test_units_fill_70_alone_and_67_of_each_of_several_parts(
    text: str, parts: int, length: int
) -> None:
    assert measure(text) == TextSize(Encoding.UCS2, parts, length)


@pytest.mark.parametrize("sign", ["ç", "`", "\t", "\x1b", "α", "Α", "ς", "’", "\u00a0", "\u0000"])
def test_one_foreign_character_turns_the_whole_text_into_ucs2(sign: str) -> None:
    assert measure("hello" + sign).encoding is Encoding.UCS2


def test_the_words_of_the_api_name_the_encodings() -> None:
    assert (Encoding.GSM7.word, Encoding.UCS2.word) == ("gsm7", "ucs2")


def test_look_alikes_make_any_greek_capitals_gsm7() -> None:
    assert len(LOOK_ALIKES) == 14
    assert measure(greek_lookalikes("ΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩ")).encoding is Encoding.GSM7
    assert greek_lookalikes("ΤΟΝ ΧΡΟΝΟ") == "TON XPONO"


GREEK = "Γειά σου Μαρία! Έκπτωση είκοσι τοις εκατό σε όλα τα προϊόντα μας αυτό το Σάββατο. "


def test_greek_mode_gives_capitals_that_fit_one_part() -> None:
    assert measure(GREEK).parts == 2
    assert smart(GREEK, SmartEncoding.GREEK) == (
        "ΓEIA ΣOY MAPIA! EKΠTΩΣH EIKOΣI TOIΣ EKATO ΣE OΛA TA ΠPOΪONTA MAΣ AYTO TO ΣABBATO. "
    ).replace("Ϊ", "I")


def test_accents_written_apart_are_dropped_too() -> None:
    assert converted("ι\u0308\u0301", SmartEncoding.GREEK) == "I"
    assert converted("e\u0301", SmartEncoding.GREEK) == "e\u0301"


def test_typography_is_replaced_by_what_gsm7_has() -> None:
    text = "“Hello” \u2018you\u2019 \u2013 \u2014 … • a\u00a0b\u2009c\u200bd\u00ade\u037e"

    assert converted(text, SmartEncoding.TYPOGRAPHY) == "\"Hello\" 'you' - - ... - a b cde;"


def test_typography_mode_leaves_greek_alone() -> None:
    assert converted("Γειά…", SmartEncoding.TYPOGRAPHY) == "Γειά..."


@pytest.mark.parametrize(
    "kept",
    [
        "https://κατάστημα.gr/προσφορά?α=β",
        "http://shop.gr/a–b",
        "www.κατάστημα.gr",
        "μαρία@κατάστημα.gr",
        "ΚΩΔ20",
        "ΧΡΟΝΟΣ-25",
    ],
)
@pytest.mark.parametrize("mode", [SmartEncoding.TYPOGRAPHY, SmartEncoding.GREEK])
def test_urls_addresses_and_codes_are_never_changed(kept: str, mode: SmartEncoding) -> None:
    assert f" {kept}, " in converted(f"δες – {kept}, τώρα", mode)


def test_nothing_is_changed_that_saves_no_part() -> None:
    assert smart("Γειά σου…", SmartEncoding.GREEK) == "Γειά σου…"
    assert smart(GREEK + "ж", SmartEncoding.GREEK) == GREEK + "ж"
    assert smart(GREEK, SmartEncoding.OFF) == GREEK


@given(TEXTS, st.sampled_from(SmartEncoding))
def test_smart_encoding_never_costs_more(text: str, mode: SmartEncoding) -> None:
    sent = smart(text, mode)

    assert measure(sent).parts < measure(text).parts or sent == text


@given(TEXTS, st.sampled_from(SmartEncoding))
def test_ascii_is_never_changed(text: str, mode: SmartEncoding) -> None:
    changed = converted(text, mode)

    remaining = iter(changed)
    assert all(sign in remaining for sign in text if sign.isascii())
