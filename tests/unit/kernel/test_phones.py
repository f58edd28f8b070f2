import os
import random

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import PhoneMetadata

from retail_core.kernel.addresses import phones
from retail_core.kernel.addresses.phones import (
    LineType,
    PhoneNumber,
    country_of,
    is_supported_region,
    mask_phone,
    parse_inbound,
    parse_phone,
)

REGIONS = ("GR", "CY", "DE", "IT", "GB", "US", "FR", "AR", "BR", "RU", "KZ", "CA")


@pytest.mark.parametrize(
    "text",
    [
        "6984303406",
        "00306984303406",
        "306984303406",
        "+306984303406",
        "+30 698-430 (3406)",
        "+306984303406 ext 5",
        "698 430 3406",
        " 6984303406 ",
    ],
)
def test_a_greek_mobile_is_read_however_it_is_written(text: str) -> None:
    phone = parse_phone(text, "GR")

    assert phone is not None
    assert (phone.number, phone.country, phone.line_type) == (
        "+306984303406",
        "GR",
        LineType.MOBILE,
    )


@pytest.mark.parametrize(
    "text",
    [
        "06984303406",
        "07911123456",
        "447911123456",
        "٦٩٨٤٣٠٣٤٠٦",
        "698430340６",  # noqa: RUF001 - a full-width digit
        "",
        "   ",
        "+",
        "abc",
        "6984303406" + " " * 23 + "1",
        "698430340",
        "69843034061",
        "+3069843034061234",
        "\x00",
    ],
)
def test_what_is_not_a_valid_number_is_refused(text: str) -> None:
    assert parse_phone(text, "GR") is None


def test_a_greek_landline_is_known_as_one() -> None:
    phone = parse_phone("2101234567", "GR")

    assert phone is not None
    assert (phone.number, phone.line_type) == ("+302101234567", LineType.LANDLINE)


def test_a_number_that_may_be_fixed_or_mobile_counts_as_mobile() -> None:
    phone = parse_phone("(202) 555-0123", "US")

    assert phone is not None
    assert (phone.number, phone.line_type) == ("+12025550123", LineType.MOBILE)


def test_a_foreign_number_keeps_its_country() -> None:
    phone = parse_phone("+44 7400 123456", "GR")

    assert phone is not None
    assert (phone.number, phone.country) == ("+447400123456", "GB")


def test_a_number_of_no_country_says_so() -> None:
    phone = parse_phone("+800 1234 5678", "GR")

    assert phone is not None
    assert (phone.country, country_of(phone.number)) == ("ZZ", "ZZ")


def test_an_unknown_region_still_reads_international_numbers() -> None:
    assert parse_phone("6984303406", "XX") is None
    assert parse_phone("+306984303406", "XX") is not None


def test_an_inbound_sender_is_tried_as_international_first() -> None:
    international = parse_inbound("306984303406", "US")
    national = parse_inbound("6984303406", "GR")

    assert international is not None
    assert international.number == "+306984303406"
    assert national is not None
    assert national.number == "+306984303406"
    assert parse_inbound("SHOP", "GR") is None


def test_a_shared_country_code_is_told_apart_by_the_number() -> None:
    assert country_of(PhoneNumber("+14165550123")) == "CA"
    assert country_of(PhoneNumber("+12025550123")) == "US"
    assert country_of(PhoneNumber("+306984303406")) == "GR"
    assert country_of(PhoneNumber("+3")) == "ZZ"


def test_a_masked_number_shows_country_code_and_two_digits() -> None:
    assert mask_phone("+306984303406") == "+30********06"
    assert mask_phone("+12025550123") == "+1********23"
    assert mask_phone("unknown") == "*****wn"


def test_regions_are_iso_codes_in_capitals() -> None:
    assert is_supported_region("GR")
    assert not is_supported_region("gr")
    assert not is_supported_region("ZZ")


def _written(chance: random.Random, region: str) -> str:
    """A number of a region with some digits changed, a prefix that may be wrong, and gaps."""
    code = phonenumbers.country_code_for_region(region)
    data = PhoneMetadata.metadata_for_region(region)
    assert data is not None
    kinds = (data.fixed_line, data.mobile, data.toll_free, data.voip, data.personal_number)
    examples = [kind.example_number for kind in kinds if kind and kind.example_number]
    digits = list(chance.choice(examples))
    for _ in range(chance.randint(0, 5)):
        digits[chance.randrange(len(digits))] = chance.choice("0123456789")
    national = "".join(digits[: chance.choice((8, 9, 10, 20, 20))])
    prefixes = ("", "", "+{}", "+{}", "{}", "00{}", "0", "1", "+{}0", "00", "011{}")
    text = chance.choice(prefixes).format(code) + national
    for _ in range(chance.choice((0, 0, 1, 2))):
        gap = chance.randrange(1, len(text))
        text = text[:gap] + chance.choice(" -.") + text[gap:]
    return text


def test_the_fast_way_gives_the_same_answers_as_the_library() -> None:
    seed = int(os.environ.get("TEST_SEED") or random.randrange(2**32))
    chance = random.Random(seed)
    cases = [("GR", _written(chance, "GR")) for _ in range(15_000)]
    cases += [(region, _written(chance, region)) for region in REGIONS for _ in range(1_000)]

    different = [
        (region, text)
        for region, text in cases
        if parse_phone(text, region) != phones._parse_by_library(text, region)
    ]

    assert different == [], f"seed {seed}"


@given(text=st.text("0123456789+ -.()ax٣", max_size=33), region=st.sampled_from(REGIONS))
def test_any_text_is_read_as_the_library_reads_it(text: str, region: str) -> None:
    assert parse_phone(text, region) == phones._parse_by_library(text.strip(), region)


@given(text=st.text("0123456789+", min_size=9, max_size=14), region=st.sampled_from(REGIONS))
def test_a_number_that_was_read_reads_as_itself(text: str, region: str) -> None:
    phone = parse_phone(text, region)
    if phone is not None:
        assert parse_phone(phone.number, "GR") == phone
        assert country_of(phone.number) == phone.country
