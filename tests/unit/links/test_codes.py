import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retail_core.links.codes import CODE_NUMBER_MAX, LinkCodes

CODES = LinkCodes(b"a secret of these tests")
NUMBERS = st.integers(0, CODE_NUMBER_MAX)


@given(NUMBERS)
def test_a_code_names_its_message(number: int) -> None:
    assert CODES.read_opt_out_code(CODES.opt_out_code(number)) == number
    assert CODES.read_tracking_id(CODES.tracking_id(number)) == number


@given(NUMBERS)
def test_codes_have_their_length_and_alphabet(number: int) -> None:
    assert re.fullmatch(r"[A-Za-z0-9_-]{11}", CODES.opt_out_code(number))
    assert re.fullmatch(r"[A-Za-z0-9_-]{12}", CODES.tracking_id(number))


@given(NUMBERS, st.integers(0, 10), st.sampled_from("AZaz09_-"))
def test_a_code_with_one_changed_character_is_refused(number: int, place: int, sign: str) -> None:
    code, tracking_id = CODES.opt_out_code(number), CODES.tracking_id(number)
    changed_code = code[:place] + sign + code[place + 1 :]
    changed_id = tracking_id[:place] + sign + tracking_id[place + 1 :]

    assert changed_code == code or CODES.read_opt_out_code(changed_code) is None
    assert changed_id == tracking_id or CODES.read_tracking_id(changed_id) is None


@pytest.mark.parametrize(
    "text",
    ["", "A", "A" * 11, "A" * 12, "é" * 11, "AAAAA AAAAA", "AAAA=AAAA+/", "\x00" * 12],
)
def test_what_we_never_made_is_no_code(text: str) -> None:
    assert CODES.read_opt_out_code(text) is None
    assert CODES.read_tracking_id(text) is None


def test_a_code_of_one_kind_says_nothing_about_the_other() -> None:
    assert not CODES.tracking_id(5).startswith(CODES.opt_out_code(5)[:5])


def test_another_secret_reads_nothing() -> None:
    other = LinkCodes(b"another secret")

    assert other.read_opt_out_code(CODES.opt_out_code(5)) is None
    assert other.read_tracking_id(CODES.tracking_id(5)) is None


def test_codes_in_phones_stay_what_they_are() -> None:
    assert CODES.opt_out_code(123_456) == "6jyn8DjgUiR"
    assert CODES.tracking_id(123_456) == "MzTFUBrnHp5Q"


@pytest.mark.parametrize("number", [-1, CODE_NUMBER_MAX + 1])
def test_a_number_beyond_34_bits_gets_no_code(number: int) -> None:
    with pytest.raises(ValueError, match="34 bits"):
        CODES.opt_out_code(number)


def test_the_secret_is_not_printed() -> None:
    assert "secret" not in repr(CODES)


@given(NUMBERS, st.integers(0, 2))
def test_further_generations_need_no_longer_codes_and_leave_those_in_phones_as_they_are(
    number: int, generation: int
) -> None:
    more = LinkCodes(CODES.secret, generations=3)
    later = generation * (CODE_NUMBER_MAX + 1) + number

    assert more.opt_out_code(number) == CODES.opt_out_code(number)
    assert more.read_opt_out_code(more.opt_out_code(later)) == later
    assert more.read_tracking_id(more.tracking_id(later)) == later
    assert CODES.read_opt_out_code(more.opt_out_code(later)) in {None, later}
