"""Counts and the words that go with them."""

import pytest

from patrolplan.text import agreeing, counted


@pytest.mark.parametrize(
    ("count", "said"), [(0, "0 stops have"), (1, "1 stop has"), (2, "2 stops have")]
)
def test_words_go_with_their_count(count, said):
    """One stands with the singular, none and several with the plural."""
    assert f"{counted(count, 'stop')} {agreeing(count, 'has', 'have')}" == said
