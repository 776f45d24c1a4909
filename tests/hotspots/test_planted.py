"""Crime planted at known hours: the first hotspot of each window is the street of that hour."""

from dataclasses import replace
from itertools import count

import numpy as np
import pandas as pd
import pytest

import patrolplan as pp
from patrolplan.area.patrol_window import Window
from patrolplan.hotspots import significance
from patrolplan.hotspots.reasons import count_recent_crimes, find_reasons, read_reasons
from patrolplan.outputs.reason_words import describe_reason

AFTERNOON, NIGHT = Window(60, 15 * 60 + 20), Window(60, 60)
DAY_STREET, NIGHT_STREET = "Tidewell Road", "Arch Street"
COLUMNS = ("category", "occurred_at", "longitude", "latitude")


@pytest.fixture(scope="module")
def draw_area(demo, demo_area, tmp_path_factory):
    """Draws of the demo borough with a force's own extract, whose hours are planted."""
    folder, seeds = tmp_path_factory.mktemp("planted"), count()
    network, names = demo_area.network, demo_area.network.frame()["name"].to_numpy()
    middle = np.column_stack(demo_area.projection.to_degrees(*network.piece_middle.T))
    days = pd.date_range("2025-10-01", "2026-09-25")
    weekend, weekdays = days[days.day_of_week > 4], days[days.day_of_week < 5]
    by_night, by_day = (np.flatnonzero(names == name)[:8] for name in (NIGHT_STREET, DAY_STREET))
    heaps = [
        (by_night, 120, weekend, (60, 180)),
        (by_day, 60, weekdays, (15 * 60, 16 * 60)),
        (np.arange(len(names)), 400, days, (0, 24 * 60)),
    ]
    text = demo.read_text(encoding="utf-8").replace("crimes/*/*-street.csv", "own.csv")
    text = text.replace('reports = "reports.csv"\n', "")
    text += "\n[columns.crimes]\n" + "".join(f'{name} = "{name}"\n' for name in COLUMNS)
    for path in demo.parent.glob("*.*"):
        if path.suffix in {".csv", ".gz"}:
            (folder / path.name).write_bytes(path.read_bytes())
    (folder / "own.toml").write_text(text, encoding="utf-8")

    def build():
        """The area with so many crimes on these pieces, days and minutes."""
        rng, tables = np.random.default_rng(next(seeds)), []
        for rows, number, days, (start, end) in heaps:
            minutes = pd.to_timedelta(rng.integers(start, end, number), "min")
            at = pd.DatetimeIndex(rng.choice(days, number)) + minutes
            place = middle[rng.choice(rows, number)]
            table = {"occurred_at": at.strftime("%Y-%m-%d %H:%M")}
            table |= dict(zip(("longitude", "latitude"), place.T, strict=True))
            tables.append(pd.DataFrame(table).assign(category="Violence and sexual offences"))
        pd.concat(tables).to_csv(folder / "own.csv", index=False)
        return pp.load_area(folder / "own.toml")

    return build


def _find_first(area, window):
    return pp.find_hotspots(area, pp.estimate_risk(area, window=window)).iloc[0]


def _find_crime(hotspot):
    return next(one for one in read_reasons(hotspot["reasons"]) if one.kind == "recorded_crime")


@pytest.mark.parametrize("draws", [3, pytest.param(10, marks=pytest.mark.slow)])
def test_each_hour_has_its_street_and_its_reason(monkeypatch, draw_area, draws):
    """Twice as much crime in weekend nights does not make the street of the weekday afternoon."""
    monkeypatch.setattr(significance, "WORLDS", 1)  # slow, and not asked for here
    found = 0
    for _ in range(draws):
        area = draw_area()
        day, night = (_find_first(area, window) for window in (AFTERNOON, NIGHT))
        named = day["place"].startswith(DAY_STREET), night["place"].startswith(NIGHT_STREET)
        found += all(named)
        crime = _find_crime(day)
        assert (crime.hours, crime.days) == ("15:20-16:20", "weekdays")
        assert _find_crime(night).hours == "01:00-02:00"
        if named[0]:  # half of the sixty are from 15:20 on; some of the stretch may be others'
            assert 15 <= crime.in_hours <= crime.incidents
            assert "on weekdays, 15:20 to 16:20" in describe_reason(crime)
    assert found >= draws - 1


def test_a_street_of_the_night_says_so_in_the_afternoon(draw_area):
    """Of what was recorded there all day, hardly any was in the hours of the window."""
    area = draw_area()
    names = area.network.frame()["name"].to_numpy()
    pieces, window = np.flatnonzero(names == NIGHT_STREET)[:8], (15 * 60, 17 * 60)
    recent = count_recent_crimes(area, [pieces], window, "weekdays")
    assert recent.expected.sum() > 100
    assert recent.timed.sum() == pytest.approx(recent.expected.sum())
    assert recent.in_hours.sum() < 3
    whole = count_recent_crimes(area, [pieces])
    assert whole.in_hours.sum() == pytest.approx(recent.expected.sum())
    past_midnight = count_recent_crimes(area, [pieces], (23 * 60, 27 * 60), "weekends")
    from_one = count_recent_crimes(area, [pieces], (60, 180), "weekends")
    # A crime at 01:00 on Saturday belongs to Friday's night, and one on Monday to Sunday's.
    assert past_midnight.in_hours.sum() < 0.7 * from_one.in_hours.sum()


def test_no_number_under_the_threshold_follows_from_a_reason(draw_area):
    """In the hours, outside them, without a time, and in all: none, five or more, or not said."""
    area = draw_area()
    unknown = np.arange(len(area.incidents)) % 7 == 0
    area = replace(area, incidents=area.incidents.assign(timed=~unknown))
    privacy = area.settings.privacy.model_copy(update={"threshold_for_crime": True})
    area = replace(area, settings=area.settings.model_copy(update={"privacy": privacy}))
    risk = pp.estimate_risk(area, window=Window(240, 14 * 60))
    stretches = [np.arange(start, start + 30) for start in range(0, len(area.network) - 30, 15)]
    sure = pd.DataFrame(
        {"mainly_reports": False, "trend": "", "survived": 1.0}, range(len(stretches))
    )
    found = find_reasons(area, risk, stretches, sure)
    crimes = [one for why in found for one in why if one.kind == "recorded_crime"]
    shown = [one for one in crimes if one.in_hours is not None]
    assert shown
    for one in crimes:
        assert one.incidents is None or one.incidents >= 5
        assert one.incidents is not None or (one.in_hours, one.hours) == (None, "")
    for one in shown:
        timed = one.incidents if one.timed is None else one.timed
        parts = (one.in_hours, timed - one.in_hours, one.incidents - timed)
        assert all(part == 0 or part >= 5 for part in parts)
