"""The page behind the link in a message, on a phone in a real browser (docs/api.md, 3.9)."""

import pytest

from retail_core.accounts.model import Locale
from retail_core.messages.model import MessageKind
from tests.browser.chromium import PHONE_WIDTH, Chromium, Phone
from tests.browser.shops import IN, OUT, Shop

TOUCH_PIXELS_MIN = 44
CONTRAST_MIN = 4.5

# WCAG 2.1: relative luminance, and the ratio of the lighter to the darker colour.
_CONTRASTS = """(() => {
  const luminance = rgb => rgb.slice(0, 3)
    .map(v => v / 255).map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, at) => sum + v * [0.2126, 0.7152, 0.0722][at], 0);
  const numbers = text => text.match(/[\\d.]+/g).map(Number);
  const behind = each => {
    const colour = numbers(getComputedStyle(each).backgroundColor);
    return colour.length < 4 || colour[3] > 0 ? colour : behind(each.parentElement);
  };
  return [...document.querySelectorAll('h1, p, button')].map(each => {
    const two = [numbers(getComputedStyle(each).color), behind(each)].map(luminance);
    return (Math.max(...two) + 0.05) / (Math.min(...two) + 0.05);
  });
})()"""


def test_a_person_stops_and_starts_again(shop: Shop, phone: Phone) -> None:
    ana = shop.called("Café Ω").customer(first_name="Ana", last_name="Lo")
    [link] = shop.written_to(ana)
    states = []

    phone.open(link)
    assert (phone.status, phone.buttons) == (200, ["Stop messages"])
    assert "You receive text messages from Café Ω." in phone.text
    assert "Ana L" in phone.text

    for button, then in (
        ("Stop messages", "You will receive no more messages from Café Ω."),
        ("Receive messages again", "You will receive messages from Café Ω again."),
        ("Stop messages", "You will receive no more messages from Café Ω."),
    ):
        phone.tap(button)
        assert (phone.status, phone.heading) == (200, "Done")
        assert then in phone.text
        states.append(shop.state_of(ana))

    assert states == [OUT, IN, OUT]
    phone.open(link)
    assert phone.buttons == ["Receive messages again"]


def test_the_form_names_its_origin_and_is_no_secret_to_it(shop: Shop, phone: Phone) -> None:
    [link] = shop.written_to(shop.customer())

    phone.open(link)
    phone.tap("Stop messages")

    assert phone.last_form["origin"] == shop.site
    assert "cookie" not in phone.last_form


def test_opening_changes_nothing(shop: Shop, phone: Phone) -> None:
    ana = shop.customer()
    [link] = shop.written_to(ana)

    for _ in range(10):
        phone.open(link)

    assert shop.state_of(ana) == IN
    phone.tap("Stop messages")
    assert shop.state_of(ana) == OUT


def test_a_keyboard_is_enough(shop: Shop, phone: Phone) -> None:
    ana = shop.customer()
    [link] = shop.written_to(ana)
    phone.open(link)

    phone.press_enter_on(1)

    assert phone.heading == "Done"
    assert shop.state_of(ana) == OUT


def test_a_double_opt_in_is_confirmed_by_its_button_alone(shop: Shop, phone: Phone) -> None:
    ana = shop.called("Café Ω").customer(is_subscribed=False)
    link = shop.single(MessageKind.CONFIRMATION, ana)

    phone.open(link)
    assert phone.heading == "Please confirm"
    assert shop.state_of(ana)[0] is False
    phone.tap("Yes, I want messages")

    assert "Thank you. You will receive messages from Café Ω." in phone.text
    assert shop.state_of(ana) == IN


def test_an_owner_who_tries_a_test_message_sees_the_page_and_changes_nothing(
    shop: Shop, phone: Phone
) -> None:
    ana = shop.called("Café Ω").customer()
    link = shop.single(MessageKind.TEST)

    phone.open(link)
    assert (phone.status, phone.buttons) == (200, ["Stop messages"])
    assert "This is the link of a test message." in phone.text
    assert "You receive text messages from Café Ω." in phone.text
    assert min(phone.evaluate(_CONTRASTS)) >= CONTRAST_MIN
    phone.tap("Stop messages")

    assert (phone.status, phone.heading, phone.buttons) == (200, "Only a test", [])
    assert "nothing was changed" in phone.text
    assert shop.state_of(ana) == IN


def test_whoever_was_deleted_bars_the_number_for_later(shop: Shop, phone: Phone) -> None:
    ana = shop.called("Café Ω").customer()
    [link] = shop.written_to(ana)
    shop.delete(ana)

    phone.open(link)
    assert (phone.status, phone.heading) == (404, "Nothing to do")
    phone.tap("Stop messages")

    assert (phone.status, phone.heading, phone.buttons) == (200, "Done", [])
    assert shop.bars(ana.phone)


def test_a_link_means_the_number_that_its_text_went_to(shop: Shop, phone: Phone) -> None:
    ana = shop.called("Café Ω").customer()
    [link] = shop.written_to(ana)
    shop.renumber(ana)

    phone.open(link)
    assert phone.status == 404
    phone.tap("Stop messages")

    assert f"…{ana.phone[-2:]}" in phone.text
    assert shop.bars(ana.phone)
    assert shop.state_of(ana)[0] is True


def test_a_shop_speaks_its_own_language(shop: Shop, phone: Phone) -> None:
    ana = shop.called("Το Καφέ", Locale.EL).customer(first_name="Άννα")
    [link] = shop.written_to(ana)

    phone.open(link)
    assert (phone.language, phone.heading) == ("el", "Τα μηνύματά σας")
    phone.tap("Διακοπή μηνυμάτων")

    assert (phone.language, phone.heading) == ("el", "Έγινε")
    assert shop.state_of(ana) == OUT


@pytest.mark.parametrize("name", ["W" * 160, "Ω" * 160, "<b>alert(1)</b>" * 10])
def test_no_name_is_wider_than_the_screen(shop: Shop, phone: Phone, name: str) -> None:
    ana = shop.called(name).customer(first_name=name[:120], last_name=name[:120])
    [link] = shop.written_to(ana)

    phone.open(link)
    widths = [phone.width]
    phone.tap("Stop messages")
    widths.append(phone.width)

    assert widths == [PHONE_WIDTH, PHONE_WIDTH]
    assert name in phone.text


@pytest.mark.parametrize("is_dark", [False, True])
def test_everything_can_be_read_and_touched(shop: Shop, phone: Phone, *, is_dark: bool) -> None:
    [link] = shop.called("Café Ω").written_to(shop.customer(first_name="Ana"))
    if is_dark:
        phone.be_dark()

    for button in ("Stop messages", "Receive messages again"):
        phone.open(link)
        assert min(phone.evaluate(_CONTRASTS)) >= CONTRAST_MIN
        height = "document.querySelector('button').getBoundingClientRect().height"
        assert phone.evaluate(height) >= TOUCH_PIXELS_MIN
        phone.tap(button)
        assert min(phone.evaluate(_CONTRASTS)) >= CONTRAST_MIN


def test_two_phones_do_not_disturb_each_other(shop: Shop, chromium: Chromium) -> None:
    ana, bob = shop.customer(), shop.customer()
    of_ana, of_bob = shop.written_to(ana, bob)

    with chromium.phone() as first, chromium.phone() as second:
        first.open(of_ana)
        second.open(of_bob)
        first.tap("Stop messages")

    assert [shop.state_of(ana), shop.state_of(bob)] == [OUT, IN]
