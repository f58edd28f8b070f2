"""Names on both sides of every border that the counting of parts knows."""

from typing import Final

from hypothesis import strategies as st

LETTERS: Final = (
    *"aZé7@.:/_-' ,",
    *"ΔΩΑαάςϐᾷΪ",
    *"’–\u00a0\u2009…\u200b\u00ad",
    *"жЯ漢\u3000\u0301·€{~\n\U0001f600",
)
WORDS: Final = (
    "www.",
    "http://",
    "ΑΒΓ1",
    "Κ9Χ9",
    "α@β.γρ",
    "Μαρία",
    "Ζωή-Άννα",
    "O’Neil",
    "Иван",
    "Ana Lo",
)
NAMES: Final = st.lists(st.sampled_from(LETTERS + WORDS), min_size=1, max_size=12).map("".join)
