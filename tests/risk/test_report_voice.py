"""Pupils' reports: by time of day, faded with age, grown by their number, never above the cap."""

import dataclasses
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st

from patrolplan.notes import list_texts
from patrolplan.privacy import FACTOR_NAMES, ReportGroups
from patrolplan.risk import report_voice
from patrolplan.risk.report_voice import TIME_BANDS, build_report_voice, find_band
from patrolplan.settings import parse_settings
from patrolplan.times import SchoolTerm

LAST_MONTH = pd.Timestamp("2026-08-01")
FRESH = SchoolTerm(2026, 2)
TERMS = [SchoolTerm(2019, 1), SchoolTerm(2024, 2), SchoolTerm(2025, 1), SchoolTerm(2026, 0), FRESH]
SOURCES = {"crimes": "c", "schools": "s", "streets": "o", "reports": "r"}


def _area(groups, metres, *, crime_weight=0.7, **reports):
    """What the voice needs of an area."""
    data = {"sources": SOURCES, "risk": {"crime_weight": crime_weight}, "reports": reports}
    settings = parse_settings(data, folder=Path())
    network = SimpleNamespace(piece_metres=np.asarray(metres, float))
    return SimpleNamespace(settings=settings, network=network, reports=groups)


def _groups(counts, *, bands=None, by_term=None, group_of_piece=None, share=1.0, all_by_term=None):
    """Groups with these counts by band and term, each on two pieces; all fresh by default."""
    counts = np.asarray(counts, dtype=np.int64)
    by_factor = np.zeros((len(counts), len(FACTOR_NAMES)), dtype=np.int64)
    if bands is not None:
        by_factor[:, [FACTOR_NAMES.index(band) for band in TIME_BANDS]] = bands
    by_term = {FRESH: counts} if by_term is None else by_term
    of_piece = np.repeat(np.arange(len(counts)), 2) if group_of_piece is None else group_of_piece
    total = {term: int(n.sum()) for term, n in by_term.items()}
    shares = np.broadcast_to(np.asarray(share, float), counts.shape)
    return ReportGroups(5, of_piece, counts, shares, by_factor, by_term, all_by_term or total)


def _one_group(count, **settings):
    return _build(_groups([count]), [10, 20], **settings)


def _build(groups, metres, *, cap=report_voice.MOST_SHARE_OF_FIVE, **settings):
    """The voice of groups, with another cap than the real one where the formula is at stake."""
    with mock.patch.object(report_voice, "MOST_SHARE_OF_FIVE", cap):
        return build_report_voice(_area(groups, metres, **settings), LAST_MONTH)


def _draw_shown(rng, counts, kinds):
    """(g, k) counts of some kinds, in steps of five, that add up to no more than each count."""
    shares = rng.dirichlet(np.ones(kinds + 1), size=len(counts))[:, :kinds]
    return 5 * (shares * counts[:, None] // 5).astype(int)


def _draw_groups(seed):
    """Groups of any size with the bands and terms that the door may show, and their streets."""
    rng = np.random.default_rng(seed)
    counts = 5 * rng.integers(1, 13, size=rng.integers(1, 7))
    bands, terms = _draw_shown(rng, counts, 4), _draw_shown(rng, counts, len(TERMS))
    by_term = {t: n for t, n in zip(TERMS, terms.T, strict=True) if n.any()}
    extra = rng.integers(-1, len(counts), size=rng.integers(0, 13))
    of_piece = np.append(np.arange(len(counts)), extra)
    share = rng.uniform(0.05, 1, len(counts))
    groups = _groups(counts, bands=bands, by_term=by_term, group_of_piece=of_piece, share=share)
    return groups, rng.uniform(1, 60, len(of_piece)).tolist()


ANY_GROUPS = st.integers(0, 2**32).map(_draw_groups)


def _count_slowly(groups, metres, band, half_life):
    """Reports on each piece, group after group and term after term, and their sum."""
    now = LAST_MONTH.year + LAST_MONTH.month / 12
    years = {term: now - term.year - (4 * term.number + 2) / 12 for term in TERMS}
    weight = {term: 0.5 ** (max(0, age) * 12 / half_life) for term, age in years.items()}
    shown = [(weight[t], n) for t, counts in groups.by_term.items() for n in counts]
    total = sum(n for _, n in shown)
    mean = sum(w * n for w, n in shown) / total if total else 1.0
    risk = np.zeros(len(metres))
    for g, count in enumerate(groups.counts):
        given_ = dict(zip(FACTOR_NAMES, groups.factor_counts[g], strict=True))
        unknown = count - sum(given_[name] for name in TIME_BANDS)
        in_band = count if band is None else given_[band] + unknown / 4
        in_terms = sum(counts[g] for counts in groups.by_term.values())
        faded = sum(weight[t] * counts[g] for t, counts in groups.by_term.items())
        mean_weight = (faded + mean * (count - in_terms)) / count
        here = [piece for piece, group in enumerate(groups.group_of_piece) if group == g]
        length = sum(metres[piece] for piece in here)
        for piece in here:
            share = metres[piece] / length
            risk[piece] = in_band * mean_weight * groups.share_inside[g] * share
    return risk


@given(ANY_GROUPS, st.sampled_from([None, *TIME_BANDS]), st.floats(0.5, 60))
def test_reports_on_each_piece_are_those_counted_one_by_one(case, band, half_life):
    """Band, age, share within the area and length of street, as a plain loop gives them."""
    groups, metres = case
    voice = build_report_voice(_area(groups, metres, half_life_months=half_life), LAST_MONTH)
    slow = _count_slowly(groups, metres, band, half_life)
    assert voice.spread(band) == pytest.approx(slow, rel=1e-9)
    reports = slow.sum()
    share = 0.3 * reports / (reports + 25) if reports else 0
    assert voice.compute_share(band) == pytest.approx(share)


WEIGHTS = st.floats(0.001, 0.999)
CAPS = st.floats(0.001, 1)


@given(WEIGHTS, CAPS)
def test_five_fresh_reports_have_at_most_the_cap(crime_weight, cap):
    """One group of five has exactly the cap, or all that pupils may have where that is less."""
    voice = _one_group(5, crime_weight=crime_weight, cap=cap)
    assert voice.compute_share(None) == pytest.approx(min(cap, 1 - crime_weight))


@given(WEIGHTS, CAPS, ANY_GROUPS, st.sampled_from([None, *TIME_BANDS]))
def test_no_group_has_more_than_its_number_times_the_cap(crime_weight, cap, case, band):
    """A group of n reports has at most n / 5 times the share of five, whatever else there is."""
    groups, metres = case
    voice = _build(groups, metres, crime_weight=crime_weight, cap=cap)
    effective = voice.effective[band]
    if effective.sum() > 0:
        share = voice.compute_share(band) * effective / effective.sum()
        assert (share <= groups.counts / 5 * cap + 1e-12).all()
        assert share.sum() <= 1 - crime_weight + 1e-12


@given(ANY_GROUPS, WEIGHTS, CAPS, st.sampled_from(range(5, 65, 5)))
def test_one_group_more_takes_no_more_than_it_gets(case, crime_weight, cap, count):
    """The voice grows with one group more, and the others together lose at most its worth."""
    groups, metres = case
    settings = {"crime_weight": crime_weight, "cap": cap}
    none = np.zeros((1, len(FACTOR_NAMES)), dtype=np.int64)
    more = dataclasses.replace(
        groups,
        counts=np.append(groups.counts, count),
        share_inside=np.append(groups.share_inside, 1.0),
        factor_counts=np.concatenate([groups.factor_counts, none]),
        by_term={t: np.append(n, count * (t == FRESH)) for t, n in groups.by_term.items()},
        group_of_piece=np.append(groups.group_of_piece, len(groups)),
    )
    before = _build(groups, metres, **settings)
    after = _build(more, [*metres, 30], **settings)
    reports, now = before.effective[None], after.effective[None]
    worth = before.compute_share(None) * reports / reports.sum()
    worth_now = after.compute_share(None) * now / now.sum()
    assert after.compute_share(None) >= before.compute_share(None) - 1e-12
    assert (worth_now[:-1] <= worth + 1e-12).all()
    assert (worth - worth_now[:-1]).sum() <= worth_now[-1] + 1e-12


def test_without_crime_reports_have_all_and_without_weight_none():
    """At a weight of crime of 0 any report has all of the risk; at 1 none has any."""
    assert _one_group(5, crime_weight=0).compute_share(None) == 1
    voice = _one_group(50, crime_weight=1)
    assert voice.compute_share(None) == 0
    assert (voice.notes, voice.list_notes("lunch")) == ((), ())


def test_a_suppressed_term_has_the_mean_age_of_all_files():
    """A group that shows no term fades as all reports of the files do, wherever they lie."""
    terms = {SchoolTerm(2025, 1): 30, FRESH: 10}
    groups = _groups([5], by_term={}, all_by_term=terms)
    voice = build_report_voice(_area(groups, [10, 20]), pd.Timestamp("2026-06-01"))
    assert voice.effective[None] == pytest.approx(5 * (30 * 0.5 + 10) / 40)
    faded = ["Pupils' reports fade: one of 12 months ago counts half."]
    assert list_texts(voice.notes) == faded


def test_where_no_term_is_shown_reports_are_fresh_and_that_is_announced():
    """Without any term all reports count in full, with a note."""
    voice = build_report_voice(_area(_groups([5], by_term={}), [10, 20]), LAST_MONTH)
    assert voice.effective[None].tolist() == [5.0]
    assert [note.key for note in voice.notes] == ["report_terms_unknown"]


def test_a_fear_before_school_is_silent_after_school():
    """Reports of one band count in it alone, and the voice says where it is silent."""
    groups = _groups([20, 5], bands=[[20, 0, 0, 0], [5, 0, 0, 0]])
    voice = build_report_voice(_area(groups, [10] * 4), LAST_MONTH)
    assert voice.effective["before_school"].tolist() == [20.0, 5.0]
    assert voice.compute_share("after_school") == 0
    assert not voice.spread("after_school").any()
    (silent,) = list_texts(voice.list_notes("after_school"))
    (words,) = list_texts(voice.list_notes("before_school"))
    assert "do not count after school" in silent
    assert words.startswith("2 of 2 groups of pupils' reports count before school")


@given(ANY_GROUPS, st.sets(st.sampled_from(TIME_BANDS), min_size=1))
def test_groups_of_bands_show_one_of_them_or_none(case, bands):
    """A group that shows other bands alone is none of these; one that shows none is of any."""
    groups, _ = case
    found = report_voice.find_groups_of_bands(groups, bands)
    for row, is_of in zip(groups.factor_counts, found, strict=True):
        shown = {name for name, n in zip(FACTOR_NAMES, row, strict=True) if n} & set(TIME_BANDS)
        assert is_of == (not shown or bool(shown & bands))


@given(ANY_GROUPS)
def test_the_latest_term_is_the_last_that_shows(case):
    """The latest term of each group, looked for one by one."""
    groups, _ = case
    for row, latest in enumerate(report_voice.find_latest_term(groups)):
        shown = [term for term, counts in groups.by_term.items() if counts[row]]
        assert latest == (max(shown) if shown else None)


def test_every_minute_is_in_one_band():
    """The bands follow each other through the day, and the borders are where they are said."""
    bands = [find_band(minute) for minute in range(24 * 60)]
    assert set(bands) == set(TIME_BANDS)
    changes = {m: bands[m] for m in range(24 * 60) if bands[m] != bands[m - 1]}
    assert changes == {300: "before_school", 615: "lunch", 840: "after_school", 1110: "evening"}
    assert find_band(9.5 * 60) == "before_school"
    assert find_band(11 * 60) == "lunch"


@given(st.integers(0, 1439), st.integers(1, 1440))
def test_bands_of_a_window_are_those_of_its_minutes(start, minutes):
    """A window meets the bands of its minutes, in their order."""
    of_minutes = dict.fromkeys(find_band(minute) for minute in range(start, start + minutes))
    assert report_voice.list_bands(start, start + minutes) == tuple(of_minutes)


def test_without_reports_the_voice_is_silent_and_says_nothing():
    """An area without groups has no voice, no share and no note."""
    groups = ReportGroups.empty(3, 5)
    voice = build_report_voice(_area(groups, [10, 20, 30]), LAST_MONTH)
    assert not voice.spread(None).any()
    assert voice.compute_share("lunch") == 0
    assert (voice.notes, voice.list_notes("lunch")) == ((), ())
