"""A compiled message must give, faster, what rendering and measuring give."""

from hypothesis import given
from hypothesis import strategies as st

from retail_core.kernel.smart_encoding import SmartEncoding
from retail_core.links.codes import LinkCodes
from retail_core.links.urls import LinkTemplates
from retail_core.templates.encoding import measure, smart
from retail_core.templates.rendering import (
    CompiledMessage,
    compile_message,
    compile_text,
    parse,
)

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
