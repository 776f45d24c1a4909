"""Crime planted at known hours: the first hotspot of each window is the street of that hour."""

import numpy as np
import pandas as pd
import pytest

import patrolplan as pp
from patrolplan.area.patrol_window import Window

AFTERNOON, NIGHT = Window(60, 15 * 60 + 20), Window(60, 60)
DAY_STREET, NIGHT_STREET = "Tidewell Road", "Arch Street"
COLUMNS = ("category", "occurred_at", "longitude", "latitude")


@pytest.fixture(scope="module")
def area(demo, demo_area, tmp_path_factory):
    """The demo borough with a force's own extract, whose hours are planted."""
    folder = tmp_path_factory.mktemp("planted")
    network, names = demo_area.network, demo_area.network.frame()["name"].to_numpy()
    middle = np.column_stack(demo_area.projection.to_degrees(*network.piece_middle.T))

    def build(heaps):
        """The area with so many crimes of a category on these pieces, days and minutes."""
        rng, tables = np.random.default_rng(3), []
        for category, rows, count, days, (start, end) in heaps:
            minutes = pd.to_timedelta(rng.integers(start, end, count), "min")
            at = pd.DatetimeIndex(rng.choice(days, count)) + minutes
            place = middle[rng.choice(rows, count)]
            table = {"occurred_at": at.strftime("%Y-%m-%d %H:%M"), "category": category}
            table |= dict(zip(("longitude", "latitude"), place.T, strict=True))
            tables.append(pd.DataFrame(table))
        pd.concat(tables).to_csv(folder / "own.csv", index=False)
        text = demo.read_text(encoding="utf-8").replace("crimes/*/*-street.csv", "own.csv")
        text = text.replace('reports = "reports.csv"\n', "")
        text += "\n[columns.crimes]\n" + "".join(f'{name} = "{name}"\n' for name in COLUMNS)
        for path in demo.parent.glob("*.*"):
            if path.suffix in {".csv", ".gz"}:
                (folder / path.name).write_bytes(path.read_bytes())
        (folder / "own.toml").write_text(text, encoding="utf-8")
        return pp.load_area(folder / "own.toml")

    days = pd.date_range("2025-10-01", "2026-09-25")
    weekend, weekdays = days[days.day_of_week > 4], days[days.day_of_week < 5]
    by_night, by_day = (np.flatnonzero(names == name)[:8] for name in (NIGHT_STREET, DAY_STREET))
    everywhere, violence = np.arange(len(names)), "Violence and sexual offences"
    assaults = [
        (violence, by_night, 120, weekend, (60, 180)),
        (violence, by_day, 60, weekdays, (15 * 60, 16 * 60)),
        (violence, everywhere, 400, days, (0, 24 * 60)),
    ]
    return build(assaults)


def _find_first(area, window):
    return pp.find_hotspots(area, pp.estimate_risk(area, window=window))["place"].iloc[0]


def test_each_hour_has_its_street(area):
    """Twice as much crime in weekend nights does not make the street of the weekday afternoon."""
    assert _find_first(area, AFTERNOON).startswith(DAY_STREET)
    assert _find_first(area, NIGHT).startswith(NIGHT_STREET)
