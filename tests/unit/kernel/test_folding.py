import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retail_core.kernel.folding import fold


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("MARIA", "maria"),
        ("Μαρία", "ΜΑΡΙΑ"),
        ("Γιώργος", "ΓΙΩΡΓΟΣ"),
        ("προϊόν", "ΠΡΟΙΟΝ"),
        ("José", "JOSE"),
        ("Straße", "STRASSE"),
        ("Müller", "Mu\u0308ller"),
    ],
)
def test_case_accents_and_final_sigma_do_not_matter(one: str, other: str) -> None:
    assert fold(one) == fold(other)


def test_different_letters_stay_different() -> None:
    assert fold("Μαρία") != fold("Maria")


@given(st.text())
def test_folding_twice_changes_nothing_more(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.text())
def test_a_text_and_its_composed_form_fold_alike(text: str) -> None:
    assert fold(unicodedata.normalize("NFC", text)) == fold(text)
