import pytest
from hypothesis import given
from hypothesis import strategies as st

from retail_core.templates.encoding import Encoding, measure
from retail_core.templates.rendering import (
    LINES,
    AppendedLines,
    Field,
    appended,
    compile_text,
    parse,
)


def rendered(text: str, first_name: str | None = "Maria", email: str | None = None) -> str:
    render = compile_text(parse(text), store_name="Kafe")
    return render(first_name, "Papa", email, "https://o", "https://u")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hi {{firstName}} {{last_name}}!", "Hi Maria Papa!"),
        ("{{ FIRSTNAME }}{{\tFirst_Name | you }}", "MariaMaria"),
        ("{{storeName}} {{offerUrl}} {{unsubscribeUrl}}", "Kafe https://o https://u"),
        ("{{email}}", ""),
        ("{{email|no mail}}", "no mail"),
        ("{{email| a | b }}", "a | b"),
        ("{{email|a}b}}", "a}b"),
        ("100% of {x} %s {{", "100% of {x} %s {{"),
        ("{{ {{firstName}}", "{{ Maria"),
        (" a\r\n\tb ", " a\r\n\tb "),
        ("", ""),
    ],
)
def test_placeholders_are_filled_and_all_else_goes_out_byte_for_byte(
    text: str, expected: str
) -> None:
    assert rendered(text) == expected


@pytest.mark.parametrize("value", ["$&", "{{email}}", "%s", "{0}", r"\1", " Maria "])
def test_values_are_inserted_literally(value: str) -> None:
    assert rendered("<{{firstName}}>", value) == f"<{value}>"


@pytest.mark.parametrize("value", [None, "", "  ", "\n"])
def test_a_missing_or_blank_value_gives_the_fallback(value: str | None) -> None:
    assert rendered("Hi {{firstName|friend}}", value) == "Hi friend"


def test_two_fallbacks_of_one_field_each_stand_in_their_place() -> None:
    assert rendered("{{email|a}} {{email|b}} {{email}}.", email=" ") == "a b ."
    assert rendered("{{email|a}} {{email|b}}", email="x@y.z") == "x@y.z x@y.z"


def test_unknown_placeholders_are_named_once_and_stay_as_they_are() -> None:
    text = "{{foo}} {{ bar|x }} {{foo}} {{}} {{first name}}"

    assert parse(text).unknown == ("foo", "bar", "", "first name")
    assert rendered(text) == text


def test_a_parsed_text_tells_what_it_uses() -> None:
    parsed = parse("{{firstName}} {{FIRST_NAME|x}} {{email}} {{storeName}} {{firstName}}")

    assert parsed.fields == {Field.FIRST_NAME, Field.EMAIL}
    assert parsed.spellings == ("firstName", "FIRST_NAME", "email", "storeName")
    assert not parsed.uses_offer_url
    assert not parsed.uses_unsubscribe_url


def test_missing_are_the_spellings_with_neither_value_nor_fallback() -> None:
    parsed = parse("{{firstName}} {{lastName|x}} {{email}} {{EMAIL}} {{storeName}}")
    values = {Field.FIRST_NAME: "Maria", Field.EMAIL: " ", Field.STORE_NAME: "Kafe"}

    assert parsed.missing(values) == ("email", "EMAIL")


def test_both_lines_are_appended_in_the_language_of_the_store() -> None:
    assert appended("Hello", "en", include_offer=True) == (
        "Hello\nOffer: {{offerUrl}}\nStop: {{unsubscribeUrl}}"
    )
    assert appended("Hello", "xx", include_offer=False) == "Hello\nStop: {{unsubscribeUrl}}"


def test_the_greek_lines_never_force_the_costly_encoding() -> None:
    text = appended("ΓEIA", "el", include_offer=True)

    assert measure(rendered(text)).encoding is Encoding.GSM7
    assert "ΠPOΣΦOPA: https://o" in rendered(text)


def test_a_link_that_the_text_places_itself_is_not_appended() -> None:
    assert appended("{{ offerurl }} {{UnsubscribeUrl|x}}", "en", include_offer=True) == (
        "{{ offerurl }} {{UnsubscribeUrl|x}}"
    )


def test_the_wording_is_a_value() -> None:
    lines = {"en": AppendedLines(offer="Look: {url}!", opt_out="Out: {url}")}

    assert appended("a", "el", include_offer=True, lines=lines) == (
        "a\nLook: {{offerUrl}}!\nOut: {{unsubscribeUrl}}"
    )


@given(
    st.lists(
        st.sampled_from(["{", "}", "{{", "}}", "|", "a", "{{offerUrl}}", "{{unsubscribeUrl}}"])
    ).map("".join),
    st.integers(0, 1),
    st.sampled_from(sorted(LINES)),
)
def test_lines_are_appended_exactly_once(text: str, wanted: int, locale: str) -> None:
    once = appended(text, locale, include_offer=bool(wanted))

    assert appended(once, locale, include_offer=bool(wanted)) == once
    assert once.startswith(text)
    assert parse(once).uses_unsubscribe_url
    assert parse(once).uses_offer_url or not wanted


@given(st.text())
def test_a_text_without_placeholders_is_never_changed(text: str) -> None:
    if "{{" not in text:
        assert rendered(text) == text
