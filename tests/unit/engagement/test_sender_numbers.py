"""Whom a text is from, however the gateway writes it."""

import attrs
import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from retail_core.engagement.model import home_of, international_forms, national_forms
from retail_core.engagement.model.sender_numbers import sender_end
from retail_core.kernel.addresses.phones import PhoneNumber
from retail_core.kernel.ids import AccountId
from tests.answering import answer, reasons
from tests.contracts.staging import shop
from tests.contracts.worlds import World, memory_world
from tests.unit.engagement.customers import customer, now_of

MOBILES = [
    phonenumbers.format_number(example, PhoneNumberFormat.E164)
    for region in sorted(phonenumbers.SUPPORTED_REGIONS)
    if (example := phonenumbers.example_number_for_type(region, PhoneNumberType.MOBILE))
]


@pytest.fixture
def world() -> World:
    return memory_world()


def of_country(world: World, country: str) -> AccountId:
    """A shop whose people write numbers as in that country."""
    account = shop(world)
    with world.transactions.begin(account) as uow:
        store = uow.accounts.lock(account)
        uow.accounts.save_profile(attrs.evolve(store, default_country=country))
    return account


@pytest.mark.parametrize(
    ("sender", "number"),
    [
        ("541123456789", "+5491123456789"),
        ("+54 11 2345-6789", "+5491123456789"),
        ("54 11 15 2345-6789", "+5491123456789"),
        ("5215512345678", "+525512345678"),
        ("551187654321", "+5511987654321"),
        ("22997123456", "+2290197123456"),
        ("225712345678", "+2250712345678"),
        ("3006984303406", "+306984303406"),
        ("4407911123456", "+447911123456"),
    ],
)
def test_a_sender_in_a_form_of_its_country_leaves(world: World, sender: str, number: str) -> None:
    account = of_country(world, "GR")
    phone = PhoneNumber(number)
    customer(world, account, phone)

    answer(world, sender, "STOP")

    assert reasons(world, account, phone) == ["stop"]


@pytest.mark.parametrize(
    ("country", "sender", "number"),
    [
        ("GR", "6984303406", "+306984303406"),
        ("GR", "06984303406", "+306984303406"),
        ("GR", "0306984303406", "+306984303406"),
        ("GB", "07911123456", "+447911123456"),
        ("AR", "011 15 2345-6789", "+5491123456789"),
        ("AR", "1123456789", "+5491123456789"),
        ("MX", "5512345678", "+525512345678"),
    ],
)
def test_a_sender_as_at_home_is_read_in_the_country_of_the_store(
    world: World, country: str, sender: str, number: str
) -> None:
    account = of_country(world, country)
    phone = PhoneNumber(number)
    customer(world, account, phone)

    answer(world, sender, "STOP")

    assert reasons(world, account, phone) == ["stop"]


def test_it_is_read_first_in_the_country_of_the_number_that_was_answered(world: World) -> None:
    abroad = of_country(world, "CY")
    phone = PhoneNumber("+306984303406")
    customer(world, abroad, phone)

    answer(world, "6984303406", "STOP", "+35799123456")
    before = reasons(world, abroad, phone)
    answer(world, "6984303406", "STOP", "+306900009999")

    assert (before, reasons(world, abroad, phone)) == ([], ["stop"])


def test_who_is_known_by_one_store_is_known_to_all_that_wrote_to_the_number(world: World) -> None:
    home, abroad = of_country(world, "GR"), of_country(world, "CY")
    phone = PhoneNumber("+306984303406")
    for account in (home, abroad):
        customer(world, account, phone)

    answer(world, "6984303406", "STOP")

    assert [reasons(world, each, phone) for each in (home, abroad)] == [["stop"], ["stop"]]


def test_the_form_that_says_most_is_meant_alone(world: World) -> None:
    account = of_country(world, "BR")
    as_written, other = PhoneNumber("+5511987654321"), PhoneNumber("+551187654321")
    customer(world, account, as_written)
    customer(world, account, other)

    answer(world, "551187654321", "STOP")

    assert (reasons(world, account, as_written), reasons(world, account, other)) == ([], ["stop"])


class TestANumberOfTwoCountries:
    """+30 690 000 0001 of a Greek store, and +39 690 000 0001 of an Italian one."""

    SENDER = "6900000001"
    GREEK, ITALIAN = PhoneNumber("+306900000001"), PhoneNumber("+3906900000001")

    def test_who_leaves_leaves_both_in_doubt(self, world: World) -> None:
        greek, italian = self.stores(world)

        answer(world, f"0{self.SENDER}", "STOP")

        assert reasons(world, greek, self.GREEK) == ["stop"]
        assert reasons(world, italian, self.ITALIAN) == ["stop"]

    def test_nobody_comes_back_in_doubt(self, world: World) -> None:
        greek, italian = self.stores(world)
        for number in (self.GREEK, self.ITALIAN):
            answer(world, number, "STOP")

        answer(world, f"0{self.SENDER}", "START")
        both = [reasons(world, greek, self.GREEK), reasons(world, italian, self.ITALIAN)]
        answer(world, self.GREEK, "START")

        assert both == [["stop"], ["stop"]]
        assert reasons(world, greek, self.GREEK) == []

    def test_a_store_of_another_country_is_not_meant(self, world: World) -> None:
        self.stores(world)
        other = of_country(world, "CY")
        contact = customer(world, other, self.ITALIAN)

        answer(world, f"0{self.SENDER}", "STOP")

        assert now_of(world, other, contact).is_subscribed

    def stores(self, world: World) -> tuple[AccountId, AccountId]:
        greek, italian = of_country(world, "GR"), of_country(world, "IT")
        customer(world, greek, self.GREEK)
        customer(world, italian, self.ITALIAN)
        return greek, italian


def test_a_number_that_is_no_longer_valid_is_still_whose_it_was() -> None:
    assert PhoneNumber("+5215512345678") in international_forms("5215512345678")


@pytest.mark.parametrize(
    "sender",
    ["", "Shop", "+", "5", "12345", "1" * 16, "x" * 64, "\N{ARABIC-INDIC DIGIT THREE}" * 12],
)
def test_what_is_no_number_means_nobody(sender: str) -> None:
    assert international_forms(sender) == []


@given(st.sampled_from(MOBILES), st.sampled_from(["{}", "00{}", "+{}", "+{} "]))
def test_all_forms_of_a_number_end_alike(number: str, written: str) -> None:
    sender = written.format(number[1:])
    countries = ["GR", "AR", "MX", "BR", "GB", "US"]
    forms = [*international_forms(sender)]
    forms += [form.phone for form in national_forms(sender.strip("+ "), countries)]

    assert number in forms
    assert {sender_end(form) for form in forms} == {sender_end(sender)}


@given(st.text(max_size=64), st.sampled_from(["GR", "US", "AR", "ZZ"]))
def test_any_sender_can_be_read(sender: str, country: str) -> None:
    international_forms(sender)
    national_forms(sender, [country])

    assert sender_end(sender) >= 0
    assert home_of(sender) != "ZZ"
