"""The page on how sure we are says what its figures say, and nothing that is not measured."""

import copy
import json
import re

import hotspot_peers
import how_sure
import how_sure_page
import numpy as np
import pandas as pd
import pytest

from patrolplan.patrols.patrol_backtest import BASELINES, OURS

BLOCKS = ("in-short", "claims")


@pytest.fixture
def figures():
    """What is stored."""
    return json.loads(how_sure.STORE.read_text(encoding="utf-8"))


def run(monkeypatch, module, *words):
    """Run the command of a benchmark."""
    monkeypatch.setattr("sys.argv", [f"{module.__name__}.py", *words])
    module.main()


def test_pages_are_what_the_commands_make_of_the_figures(monkeypatch, capsys):
    """The pages in the repository equal those that their JSON gives: run `--write` otherwise."""
    run(monkeypatch, how_sure, "--check")
    assert "is what how-sure.json makes of it" in capsys.readouterr().out
    run(monkeypatch, hotspot_peers, "--check")


def test_changed_page_or_figures_are_found(monkeypatch, tmp_path, figures, capsys):
    """The check fails when one figure is another; data that are absent leave all of them."""
    page, store = tmp_path / "how-sure.md", tmp_path / "how-sure.json"
    original = how_sure.PAGE.read_text(encoding="utf-8")
    monkeypatch.setattr(how_sure, "PAGE", page)
    monkeypatch.setattr(how_sure, "STORE", store)
    ratio = f"{figures['after_school']['patrols']['harm_ratio']:.2f}"
    changed = copy.deepcopy(figures)
    changed["after_school"]["patrols"]["harm_ratio"] += 0.1
    for text, stored in ((original.replace(ratio, "9.99"), figures), (original, changed)):
        page.write_text(text, encoding="utf-8")
        store.write_text(how_sure.format_store(stored), encoding="utf-8")
        with pytest.raises(SystemExit, match="run with --write"):
            run(monkeypatch, how_sure, "--check")
    run(monkeypatch, how_sure, "--write")
    run(monkeypatch, how_sure, "--measure", str(tmp_path), "--check")
    errors = capsys.readouterr().err
    assert all(f"{part}: its data are not in" in errors for part in how_sure.PARTS)
    assert json.loads(store.read_text(encoding="utf-8")) == how_sure.round_numbers(changed)


def test_every_block_is_on_the_page_once():
    """The page has each block of figures once, and no other; what is not measured is not there."""
    text = how_sure.PAGE.read_text(encoding="utf-8")
    names = [found["name"] for found in how_sure_page.BLOCK.finditer(text)]
    assert sorted(names) == sorted(how_sure_page.list_blocks())
    assert len(re.findall("<!-- end of figures -->", text)) == len(names)
    nothing = how_sure_page.render_page(text, lambda name: how_sure_page.render_block(name, {}))
    assert all(found[0].count("\n") == 1 for found in how_sure_page.BLOCK.finditer(nothing))


def test_verdicts_follow_the_intervals(figures):
    """Where an interval comes to contain no difference, the sentences and the table say so."""
    worse = copy.deepcopy(figures)
    worse["after_school"]["patrols"] |= {"low": 0.93, "high": 1.2}
    worse["after_school"]["exponent"]["violence"] |= {"estimate": 0.02, "low": -0.1, "high": 0.14}
    worse["after_school"]["placebos"][0] |= {"estimate": 0.2, "low": 0.1, "high": 0.3}
    before, after = (
        " ".join(" ".join(how_sure_page.render_block(name, one).split()) for name in BLOCKS)
        for one in (figures, worse)
    )
    for sentence in ("It is not shown that patrols gain", "something else is at work"):
        assert sentence not in before
        assert sentence in after
    assert after.count("does not hold") == before.count("does not hold") + 3


def test_intervals_over_schools_contain_the_ratio():
    """Equal schools and months leave no spread; unlike schools more than unlike months alone."""
    rng = np.random.default_rng(1)
    rows = pd.MultiIndex.from_product([range(12), range(6)], names=["origin", "urn"]).to_frame()
    even = rows.reset_index(drop=True).assign(**dict.fromkeys(BASELINES, 2.0), **{OURS: 3.0})
    for found in how_sure.draw_schools(even):
        assert found == {"places_low": pytest.approx(1.5), "places_high": pytest.approx(1.5)}
    unlike = even.assign(**{OURS: 3 + np.repeat(rng.normal(size=6)[None], 12, axis=0).ravel()})
    ratio = unlike[OURS].sum() / unlike[BASELINES[0]].sum()
    found = how_sure.draw_schools(unlike)[0]
    assert found["places_low"] < ratio < found["places_high"]


def test_a_tool_that_always_captures_more_is_judged_so():
    """The interval is of the difference by month, so months of much crime do not hide it."""
    rng = np.random.default_rng(1)
    totals = rng.uniform(50, 500, 12)
    ours = np.tile(0.2 * totals[:, None], 4)
    more = ours + 0.05 * totals[:, None]
    rows = hotspot_peers.compare_captures({hotspot_peers.OURS: ours, "other": more}, totals)
    other = [row for row in rows if row["tool"] == "other"]
    assert all(row["ours_less_it_high"] == pytest.approx(-0.05) for row in other)
    assert all(row["low"] <= row["captured"] <= row["high"] for row in other)
