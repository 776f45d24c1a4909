"""Other tools on the same task: the page is made of figures, and these are counted right."""

import hotspot_peers
import numpy as np
import pytest


def test_the_page_is_made_of_its_figures(monkeypatch):
    """No figure on the page was typed."""
    monkeypatch.setattr("sys.argv", ["hotspot_peers.py", "--check"])
    hotspot_peers.main()


def test_a_ranking_captures_what_lies_in_its_first_streets():
    """Half of the second street is in the slice, so half of its harm is; ties go by a draw."""
    metres = np.array([5.0, 30.0, 65.0])
    recorded = np.array([[4.0, 6.0, 0.0]])
    captured = hotspot_peers.capture(np.array([[2.0, 1.0, 0.0]]), recorded, metres)
    at_ten = hotspot_peers.COVERAGES.index(0.10)
    assert captured[0, at_ten] == pytest.approx(4.0 + 6.0 * 5 / 30)


def test_a_tool_that_always_captures_more_is_judged_so():
    """The interval is of the difference by month, so months of much crime do not hide it."""
    rng = np.random.default_rng(1)
    totals = rng.uniform(50, 500, 12)
    ours = np.tile(0.2 * totals[:, None], 4)
    rows = hotspot_peers.compare_captures(
        {hotspot_peers.OURS: ours, "other": ours + 0.05 * totals[:, None]}, totals
    )
    other = [row for row in rows if row["tool"] == "other"]
    assert all(row["ours_less_it_high"] == pytest.approx(-0.05) for row in other)
    assert all(row["low"] <= row["captured"] <= row["high"] for row in other)
