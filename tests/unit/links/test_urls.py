import pytest

from retail_core.links.urls import LinkTemplates, find_urls


def test_links_lead_to_this_service_unless_settings_say_otherwise() -> None:
    links = LinkTemplates.of_settings(public_base_url="https://p.gr/")

    assert links.offer_link("abc") == "https://p.gr/o/abc"
    assert links.opt_out_link("xyz") == "https://p.gr/u/xyz"


def test_bases_of_their_own_change_the_links() -> None:
    links = LinkTemplates.of_settings(
        public_base_url="https://p.gr",
        offer_base_url="https://offers.gr/",
        unsubscribe_base_url="https://out.gr/app/",
    )

    assert links.offer_link("abc") == "https://offers.gr/o/abc"
    assert links.opt_out_link("xyz") == "https://out.gr/app/unsubscribe?pt=xyz"


def test_whole_templates_win_over_bases() -> None:
    links = LinkTemplates.of_settings(
        public_base_url="https://p.gr",
        offer_base_url="https://offers.gr",
        unsubscribe_base_url="https://out.gr",
        offer_url="https://t.gr/{trackingId}/x",
        unsubscribe_url="https://t.gr?t={token}",
    )

    assert links.offer_link("abc") == "https://t.gr/abc/x"
    assert links.opt_out_link("xyz") == "https://t.gr?t=xyz"


def test_sample_links_have_the_true_length() -> None:
    links = LinkTemplates.of_settings(public_base_url="https://p.gr")

    assert len(links.sample_offer_link()) == len("https://p.gr/o/") + 12
    assert len(links.sample_opt_out_link()) == len("https://p.gr/u/") + 11


@pytest.mark.parametrize("template", ["https://p.gr", "{trackingId}{trackingId}", "{trackingid}"])
def test_an_offer_template_needs_its_placeholder_once(template: str) -> None:
    with pytest.raises(ValueError, match="trackingId"):
        LinkTemplates(template, "https://p.gr/u/{code}")


@pytest.mark.parametrize("template", ["https://p.gr", "{code}{token}", "{trackingId}"])
def test_an_opt_out_template_needs_its_placeholder_once(template: str) -> None:
    with pytest.raises(ValueError, match="code"):
        LinkTemplates("https://p.gr/o/{trackingId}", template)


@pytest.mark.parametrize(
    ("text", "urls"),
    [
        ("see https://a.gr/b?c=d. Then", ["https://a.gr/b?c=d"]),
        ("(www.shop.gr/x), HTTP://B.GR!", ["www.shop.gr/x", "HTTP://B.GR"]),
        ("«https://κατάστημα.gr/ε»", ["https://κατάστημα.gr/ε"]),
        ("https://a.gr/-", ["https://a.gr/-"]),
        ("awww.shop.gr a@www.b ftp://x http:// http://.", ["www.b"]),
        ("", []),
    ],
)
def test_urls_end_before_the_punctuation_that_closes_a_sentence(text: str, urls: list[str]) -> None:
    assert [found[0] for found in find_urls(text)] == urls
