"""Text cut to a length.

Counts and the words that go with them.
"""

import pytest
from hypothesis import given, settings, strategies as st

from patrolplan.text import format_count, pluralise, shorten, shorten_tasking


@given(st.text(max_size=80), st.integers(5, 40))
@settings(deadline=None)
def test_shortened_names_keep_to_their_length(text, letters):
    """Names are cut to the letters allowed, and left alone when short."""
    short = shorten(text, letters)
    assert len(short) <= letters
    assert short == text or len(text) > letters


@given(st.text(max_size=300), st.text(max_size=200))
@settings(deadline=None)
def test_a_tasking_keeps_who_asks_and_until_when(reason, by):
    """However long the reason, the end of what is printed says until when."""
    text = f"{reason} (asked by {by}, until 18 December 2026)"
    short = shorten_tasking(text, 130)
    assert short.endswith(", until 18 December 2026)")
    assert len(short) <= 130


def test_what_is_no_tasking_is_cut_at_its_end():
    """Other text is shortened as any."""
    text = "a word and another word"
    assert shorten_tasking(text, 12) == shorten(text, 12)


@pytest.mark.parametrize(
    ("count", "words"), [(0, "0 stops have"), (1, "1 stop has"), (2, "2 stops have")]
)
def test_words_go_with_their_count(count, words):
    """One stands with the singular, none and several with the plural."""
    assert f"{format_count(count, 'stop')} {pluralise(count, 'has', 'have')}" == words
