import pytest

from retail_core.kernel.addresses.senders import first_valid_sender, is_valid_sender


@pytest.mark.parametrize("text", ["Shop", "abc", "4you", "ABCDEFGHIJK", "+306984303406"])
def test_names_and_e164_numbers_are_valid_senders(text: str) -> None:
    assert is_valid_sender(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ab",
        "ABCDEFGHIJKL",
        "12345",
        "my shop",
        "Καφέ",
        "shop!",
        "shop\n",
        "+123456",
        "+1234567890123456",
        "+0123456789",
        "306984303406",
        "+30698430340٦",
    ],
)
def test_anything_else_is_no_sender(text: str) -> None:
    assert not is_valid_sender(text)


def test_the_first_valid_candidate_is_the_sender() -> None:
    assert first_valid_sender([None, "", "no!", "Shop", "Other"]) == "Shop"
    assert first_valid_sender([None, "x"]) is None
