"""A compiled message must give, faster, what rendering and measuring give."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retail_core.kernel.smart_encoding import SmartEncoding
from retail_core.links.codes import LinkCodes
from retail_core.links.urls import LinkTemplates
from retail_core.templates.encoding import SHAPES, measure, smart
from retail_core.templates.rendering import (
    MERGE_FIELDS,
    CompiledMessage,
    Field,
    compile_message,
    compile_text,
    is_blank,
    parse,
)
from tests.odd_names import NAMES

CODES = LinkCodes(b"a secret of these tests")
PIECES = st.sampled_from(
    [
        "Hello ",
        "Γειά σου ",
        "ΜΕΓΑΛΗ ΠΡΟΣΦΟΡΑ ",
        "€10 ",
        "[~] ",
        "\U0001f600",
        "“ok…” ",
        "δες www.κάτι.gr/",
        "μ@δ.gr",
        "ΚΩΔ20 ",
        "{{firstName}}",
        "{{firstName|φίλε}}",
        "{{lastName}}",
        "{{email|none}}",
        "{{storeName}}",
        "{{offerUrl}}",
        "{{unsubscribeUrl}}",
        "{{unknown}}",
        " Everything is twenty percent off this week. ",
        " Όλα με έκπτωση είκοσι τοις εκατό. ",
    ]
)
TEXTS = st.lists(PIECES, max_size=14).map("".join)
VALUES = st.none() | st.sampled_from(
    ["", " ", "Maria", "Μαρία", "ΜΑΡΊΑ", "{€}", "é" * 60, "\U0001f44d"]
)
LINKS = st.sampled_from(
    [
        LinkTemplates("https://p.gr/o/{trackingId}", "https://p.gr/u/{code}"),
        LinkTemplates("https://p.gr/~o[{trackingId}]", "http://p.gr/u?pt={token}&x"),
        LinkTemplates("https://κατάστημα.gr/o/{trackingId}", "https://p.gr/u/{code}"),
        LinkTemplates("p.gr/{trackingId}", "p.gr/{code}"),
    ]
)


def compiled(text: str, links: LinkTemplates, mode: SmartEncoding) -> CompiledMessage:
    return compile_message(
        parse(text),
        store_name="Καφέ",
        sample_offer_url=links.sample_offer_link(),
        sample_unsubscribe_url=links.sample_opt_out_link(),
        smart_encoding=mode,
    )


@given(
    text=TEXTS,
    links=LINKS,
    mode=st.sampled_from(SmartEncoding),
    recipients=st.lists(st.tuples(VALUES, VALUES, VALUES, st.integers(0, 2**34 - 1)), max_size=5),
)
def test_size_and_text_are_those_of_the_rendered_message(
    text: str,
    links: LinkTemplates,
    mode: SmartEncoding,
    recipients: list[tuple[str | None, str | None, str | None, int]],
) -> None:
    message = compiled(text, links, mode)
    plain = compile_text(parse(text), store_name="Καφέ")

    for first_name, last_name, email, number in recipients:
        offer = links.offer_link(CODES.tracking_id(number))
        opt_out = links.opt_out_link(CODES.opt_out_code(number))
        sent = message.render(first_name, last_name, email, offer, opt_out)

        assert sent == smart(plain(first_name, last_name, email, offer, opt_out), mode)
        assert message.size(first_name, last_name, email) == measure(sent)


@given(text=st.text(max_size=400), value=st.text(max_size=400), mode=st.sampled_from(SmartEncoding))
def test_any_text_and_any_value_are_counted_exactly(
    text: str, value: str, mode: SmartEncoding
) -> None:
    links = LinkTemplates("https://p.gr/o/{trackingId}", "https://p.gr/u/{code}")
    message = compiled(text + "{{firstName}}{{email|x}}{{offerUrl}}", links, mode)
    offer = links.offer_link(CODES.tracking_id(7))

    assert message.size(value, None, value) == measure(
        message.render(value, None, value, offer, "")
    )


def test_a_value_that_looks_like_a_sample_link_is_left_alone() -> None:
    links = LinkTemplates("https://p.gr/o/{trackingId}", "https://p.gr/u/{code}")
    text = "Όλα με έκπτωση είκοσι τοις εκατό αυτή την εβδομάδα {{firstName}} {{offerUrl}}"
    name = links.sample_offer_link()
    message = compiled(text, links, SmartEncoding.GREEK)

    sent = message.render(name, None, None, links.offer_link("b" * 12), "")

    assert sent.endswith(f"{name} https://p.gr/o/bbbbbbbbbbbb")
    assert sent.startswith("OΛA ME EKΠTΩΣH")


SEAMS = st.sampled_from(
    [
        " ",
        ", ",
        "! ",
        "'s ",
        " (",
        ") ",
        " «",
        "» ",
        "…",
        "-",
        "",
        "@δ.gr",
        "://α",
        "7",
        "Β25 ",
        "’s ",
    ]
)
FILLERS = st.sampled_from(
    [
        "Hello",
        "Γειά σου",
        "ΜΕΓΑΛΗ ΠΡΟΣΦΟΡΑ",
        "€10",
        "[~]",
        "“ok…”",
        "δες www.κάτι.gr/",
        "ΚΩΔ20",
        "x" * 140,
    ]
)
MERGES = st.sampled_from(["{{firstName}}", "{{lastName|φίλε}}", "{{email}}", "{{offerUrl}}"])


def shape_of(value: str) -> str | None:
    """What stands in for a value, found as PostgreSQL finds it."""
    for shape in SHAPES:
        if re.fullmatch(shape.pattern, value):
            return shape.stand_in * len(value)
    return None


@given(
    pieces=st.lists(FILLERS | SEAMS | MERGES, max_size=12),
    mode=st.sampled_from(SmartEncoding),
    values=st.tuples(NAMES, NAMES, NAMES),
)
def test_a_value_may_be_counted_as_its_shape(
    pieces: list[str], mode: SmartEncoding, values: tuple[str, str, str]
) -> None:
    links = LinkTemplates("https://p.gr/o/{trackingId}", "https://p.gr/u/{code}")
    message = compiled("".join(pieces), links, mode)
    stand_ins = [
        (field in message.shaped and shape_of(value)) or value
        for field, value in zip(MERGE_FIELDS, values, strict=True)
    ]

    assert message.size(*stand_ins) == message.size(*values)


@given(value=NAMES)
def test_no_value_of_a_shape_is_blank(value: str) -> None:
    assert shape_of(value) is None or not is_blank(value)


@pytest.mark.parametrize(
    ("value", "stand_in"),
    [
        ("Maria", "x"),
        ("maria.7@example.com", "x"),
        ("ΓΔΩ", "x"),
        ("O’Neil", "’"),
        ("Μαρία-Ελένη Αγγελοπούλου", "ά"),
        ("Иван", "ж"),
        ("Ζωή", "ά"),
        ("漢字 7", "ж"),
    ],
)
def test_usual_names_have_a_shape(value: str, stand_in: str) -> None:
    assert shape_of(value) == stand_in * len(value)


@pytest.mark.parametrize(
    "value", ["ΚΩΔ20", "{x}", "\U0001f600", "Ana…", "", " ", "\u3000", "a\nb", "Α\u0301", "α.β"]
)
def test_what_depends_on_more_than_its_length_has_none(value: str) -> None:
    assert shape_of(value) is None


@pytest.mark.parametrize(
    ("text", "apart"),
    [
        ("Hi {{firstName}}, all of {{lastName}}'s!", {Field.FIRST_NAME, Field.LAST_NAME}),
        ("{{firstName}} {{lastName}}", {Field.FIRST_NAME, Field.LAST_NAME}),
        ("Hi ({{firstName}}) «{{lastName}}»", {Field.FIRST_NAME, Field.LAST_NAME}),
        ("{{firstName}}{{lastName}}", set()),
        ("{{firstName}} www.x.gr/{{lastName}}", {Field.FIRST_NAME}),
        ("Hi {{firstName}}, hi-{{firstName}} {{lastName}}", {Field.LAST_NAME}),
        ("{{offerUrl}}{{firstName}} {{lastName}}", {Field.LAST_NAME}),
    ],
)
def test_what_stands_apart_may_be_counted_by_shape(text: str, apart: set[Field]) -> None:
    links = LinkTemplates("https://p.gr/o/{trackingId}", "https://p.gr/u/{code}")
    unused = set(MERGE_FIELDS) - {each.field for each in parse(text).placeholders}

    assert compiled(text, links, SmartEncoding.GREEK).shaped == apart | unused
    assert compiled(text, links, SmartEncoding.OFF).shaped == set(MERGE_FIELDS)
