"""When the sun is up at an area."""

import dataclasses
import datetime as dt

import pytest

from patrolplan.area.patrol_window import find_daylight, find_sunset_minutes


def test_sunset_is_in_local_time(demo_area):
    """The demo borough is east of London: sunset is an hour later by the clock in summer."""
    winter, summer = dt.date(2026, 12, 21), dt.date(2026, 6, 21)
    assert find_sunset_minutes(demo_area, winter) == pytest.approx(15 * 60 + 50, abs=3)
    assert find_sunset_minutes(demo_area, summer) == pytest.approx(21 * 60 + 17, abs=3)
    assert find_sunset_minutes(demo_area, None) is None


def test_no_sunset_where_local_time_is_not_known(demo_area):
    """An area in another CRS may be in another time zone: no time is printed then."""
    area = demo_area.settings.area.model_copy(update={"crs": "EPSG:32630"})
    settings = demo_area.settings.model_copy(update={"area": area})
    moved = dataclasses.replace(demo_area, settings=settings)
    assert find_sunset_minutes(moved, dt.date(2026, 12, 21)) is None
    assert find_daylight(moved, dt.date(2026, 12, 21)) is None


@pytest.mark.parametrize("day", [dt.date(2026, 11, 4), dt.date(2026, 2, 18), dt.date(2026, 12, 9)])
def test_daylight_is_that_of_the_darkest_day_of_the_week(demo_area, day):
    """Patrols that end by its sunset end by that of every day of the week, and none is lost."""
    daylight = find_daylight(demo_area, day)
    week = [day + dt.timedelta(days=number - day.weekday()) for number in range(7)]
    sunsets = [find_sunset_minutes(demo_area, one) for one in week]
    rises = [find_sunset_minutes(demo_area, one, rising=True) for one in week]
    assert daylight.sunset_minutes == min(sunsets)
    assert daylight.sunrise_minutes == max(rises)
    assert not daylight.is_dark(max(rises), min(sunsets))
    assert daylight.is_dark(max(rises) - 1, min(sunsets))
    assert daylight.is_dark(max(rises), min(sunsets) + 1)
    assert find_daylight(demo_area, None) is None
