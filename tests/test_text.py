"""Text cut to a length."""

import pytest
from hypothesis import given, settings, strategies as st

from patrolplan.text import format_count, pluralise, shorten


@given(st.text(max_size=80), st.integers(5, 40))
@settings(deadline=None)
def test_shortened_names_keep_to_their_length(text, letters):
    """Names are cut to the letters allowed, and left alone when short."""
    short = shorten(text, letters)
    assert len(short) <= letters
    assert short == text or len(text) > letters


@pytest.mark.parametrize(
    ("count", "words"), [(0, "0 stops have"), (1, "1 stop has"), (2, "2 stops have")]
)
def test_words_go_with_their_count(count, words):
    """One has the singular, none and several have the plural."""
    assert f"{format_count(count, 'stop')} {pluralise(count, 'has', 'have')}" == words
