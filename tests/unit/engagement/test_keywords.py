"""Recognising the words by which people leave and come back."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from retail_core.engagement.model import BUILT_IN, Keyword, Keywords

STRONG = [
    *("STOP", "STOPALL", "UNSUBSCRIBE", "UNSUB", "OPTOUT", "ΣΤΟΠ", "ΔΙΑΓΡΑΦΗ", "DIAGRAFI"),
    *("ARRET", "STOPP", "СТОП"),
]
WHOLE = [
    *("STOP ALL", "OPT OUT", "CANCEL", "END", "QUIT", "REVOKE", "REMOVE", "ΔΙΑΚΟΠΗ", "ΤΕΛΟΣ"),
    *("ΟΧΙ ΑΛΛΟ", "DIAKOPI", "TD", "ABMELDEN", "ENDE", "BASTA", "CANCELLA", "BAJA", "ALTO"),
    *("PARAR", "SAIR", "AVMELD", "AFMELD", "AFMELDEN", "RET", "IPTAL", "KONIEC", "DEZABONARE"),
]
START = ["START", "UNSTOP", "ΕΝΑΡΞΗ"]
OTHER_WORDS = ["please", "τώρα", "спасибо", "1", "all of it", "messages!"]

ALIKE = [
    *("AΑА", "BΒВ", "EΕЕ", "ZΖ", "HΗН", "IΙІ", "JЈ", "KΚК", "MΜМ", "NΝ", "OΟО", "PΡР", "CС", "SЅ"),
    *("TΤТ", "YΥУ", "XΧХ"),
]
ACCENTS = ["\u0301", "\u0308", "\u0300", "\u0302"]
MARKS = ["", " ", "!", "…", " :)", "\n", "\u200b", "«", "»", ".", "  ", "❤"]


def alike(letter: str) -> str:
    """Letters of other alphabets that look like a capital, and itself."""
    return next((group for group in ALIKE if letter in group), letter)


@st.composite
def typed(draw: st.DrawFn, words: list[str]) -> str:
    """One of these words as phones and people may type it."""
    letters = []
    for letter in draw(st.sampled_from(words)):
        shown = draw(st.sampled_from(alike(letter)))
        shown = shown.lower() if draw(st.booleans()) else shown
        accent = draw(st.sampled_from(["", "", *ACCENTS])) if letter.isalpha() else ""
        letters.append(shown + accent)
    text = "".join(letters)
    is_composed = draw(st.booleans())
    return unicodedata.normalize("NFC", text) if is_composed else text


@given(word=typed(STRONG + WHOLE), before=st.sampled_from(MARKS), after=st.sampled_from(MARKS))
@example(word="SΤΟΡ", before="", after="")
@example(word="στοπ", before="", after="")
@example(word="Διαγραφή", before="", after="")
@example(word="arrêt", before="", after=".")
@example(word="стоп", before="", after="")
def test_every_word_is_recognised_however_it_is_typed(word: str, before: str, after: str) -> None:
    assert BUILT_IN.recognise(before + word + after) is Keyword.STOP


@given(word=typed(START), before=st.sampled_from(MARKS), after=st.sampled_from(MARKS))
def test_the_way_back_is_recognised_however_it_is_typed(word: str, before: str, after: str) -> None:
    assert BUILT_IN.recognise(before + word + after) is Keyword.START


@given(
    word=typed(STRONG), rest=st.sampled_from(OTHER_WORDS), mark=st.sampled_from([" ", ", ", "\n"])
)
def test_a_strong_word_counts_when_it_comes_first(word: str, rest: str, mark: str) -> None:
    assert BUILT_IN.recognise(word + mark + rest) is Keyword.STOP


@given(word=typed([each for each in WHOLE if not each.startswith("STOP")] + START))
def test_any_other_word_counts_only_alone(word: str) -> None:
    for rest in OTHER_WORDS:
        assert BUILT_IN.recognise(f"{word} {rest}") is None
        assert BUILT_IN.recognise(f"{rest} {word}") is None


@given(word=typed(STRONG), rest=st.sampled_from(OTHER_WORDS))
def test_no_word_counts_behind_another(word: str, rest: str) -> None:
    assert BUILT_IN.recognise(f"{rest} {word}") is None


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            " ",
            "?!",
            "❤",
            "stopping",
            "don't stop",
            "dont stop",
            "non-stop",
            "Stopper",
            "unsub5",
        ),
        *("stop-motion", "ok", "Thanks!", "the end", "end of story", "please stop", "ΝΑΙ", "όχι"),
        *(
            "τέλος καλό, όλα καλά",
            "alto!!! si",
            "STΟPS",
            "n",
            "1",
            "starting",
            "start now",
            "s t o",
        ),
    ],
)
def test_what_only_resembles_a_word_is_none(text: str) -> None:
    assert BUILT_IN.recognise(text) is None


@pytest.mark.parametrize(
    "text",
    ["S T O P", "s.t.o.p.", "STOP", "opt-out", "Opt out!", "STOP!!!", "(stop)", "ｓｔｏｐ", "𝐒𝐓𝐎𝐏"],
)
def test_marks_and_fancy_letters_do_not_matter(text: str) -> None:
    assert BUILT_IN.recognise(text) is Keyword.STOP


@pytest.mark.parametrize("text", ["reνοke", "υnsub", "οptουt", "UΝSUB"])
def test_small_letters_look_alike_too(text: str) -> None:
    assert BUILT_IN.recognise(text) is Keyword.STOP


@given(text=st.text())
def test_any_text_can_be_read(text: str) -> None:
    assert BUILT_IN.recognise(text) in {None, *Keyword}


@given(text=st.text("bcdfghjklmnpqrvwxzάβγδζ 0123456789.,!'-\n", max_size=40))
def test_a_text_without_any_of_the_words_is_none(text: str) -> None:
    assert BUILT_IN.recognise(text) is None


@given(word=typed(STRONG), more=st.text("abcdefgxyz0123456789", min_size=1, max_size=5))
def test_a_longer_word_is_another_word(word: str, more: str) -> None:
    assert BUILT_IN.recognise(word + more) is None


def test_an_operator_may_add_words() -> None:
    extended = BUILT_IN.extended(strong=["HALT"], whole=["no mas", "genug"])

    assert extended.recognise("halt now") is Keyword.STOP
    assert extended.recognise("No más!") is Keyword.STOP
    assert extended.recognise("genug davon") is None
    assert extended.recognise("stop") is Keyword.STOP


@pytest.mark.parametrize("word", ["", "!", "  ", "x" * 3_000])
def test_a_word_without_letters_is_refused(word: str) -> None:
    with pytest.raises(ValueError, match="is no word"):
        BUILT_IN.extended(strong=[], whole=[word])


def test_a_strong_word_is_one_word() -> None:
    with pytest.raises(ValueError, match="more than one word"):
        Keywords(frozenset({"no more"}), frozenset(), frozenset())
