"""What was delivered in a trial, apart from what was drawn."""

import datetime as dt

import numpy as np
import pytest
import shapely
from trial_cases import PATH, SECRET

import patrolplan as pp
from patrolplan.team.ledger.promised import PromisedWeek
from patrolplan.team.ledger.visits import Visit
from patrolplan.team.trial.delivery import measure_delivery
from patrolplan.team.trial.results import draw_by_day
from patrolplan.team.trial.trial_week import draw_trial_week


@pytest.fixture
def ledger(tmp_path, demo_area):
    """A new ledger."""
    url = f"sqlite:///{tmp_path / 'ledger.sqlite'}"
    with pp.Ledger(url, demo_area.name, demo_area.projection) as opened:
        yield opened


@pytest.fixture(scope="module")
def drawn(by_days, demo_area):
    """What the trial draws, by day."""
    return draw_by_day(by_days[0], by_days[0].make_key(SECRET, demo_area.name))


def _visit(trial, area, day, row, minutes, kind="hotspot"):
    stretch = trial.seal.hotspots[row].build_stretch(area.projection)
    x, y = shapely.get_coordinates(stretch)[0]
    longitude, latitude = area.projection.to_degrees([x], [y])
    return Visit(
        "SSO-01", day, "900001", f"Z{row}", "Street", float(longitude[0]), float(latitude[0]),
        minutes, None, "csv", kind=kind,
    )  # fmt: skip


def test_visits_count_by_what_was_drawn(by_days, demo_area, drawn, ledger):
    """Visits with and without patrols drawn are counted apart, whatever their hotspots' names."""
    trial, day = by_days[0], by_days[0].seal.days[3]
    treated, control = np.flatnonzero(drawn[day]), np.flatnonzero(~drawn[day])
    ledger.record(
        [
            _visit(trial, demo_area, day, int(treated[0]), 15.0),
            _visit(trial, demo_area, day, int(treated[1]), 10.0),
            _visit(trial, demo_area, day, int(control[0]), 5.0, kind="tasked"),
            _visit(trial, demo_area, day, int(control[1]), 0.0),
        ]
    )
    delivery = measure_delivery(trial, drawn, ledger, demo_area.projection)
    half = len(trial.seal.days) * len(trial.seal.hotspots) // 2
    assert (delivery.treated.days, delivery.treated.visited, delivery.treated.minutes) == (
        half,
        2,
        25.0,
    )
    assert (delivery.control.days, delivery.control.visited, delivery.control.minutes) == (
        half,
        1,
        5.0,
    )
    assert (delivery.tasked, delivery.differing) == (1, 0)


def test_a_visit_elsewhere_is_none_of_the_trial(by_days, demo_area, drawn, ledger):
    """A visit far from every hotspot of the trial, or on a day outside it, is not counted."""
    trial, day = by_days[0], by_days[0].seal.days[0]
    visit = _visit(trial, demo_area, day, 0, 15.0)
    far = Visit("SSO-02", day, "900001", "H9", "Street", visit.longitude + 0.2, visit.latitude,
                15.0, None, "csv")  # fmt: skip
    holiday = _visit(trial, demo_area, dt.date(2026, 8, 12), 0, 15.0)
    ledger.record([far, holiday])
    delivery = measure_delivery(trial, drawn, ledger, demo_area.projection)
    assert (delivery.treated.visited, delivery.control.visited) == (0, 0)


def test_a_week_that_was_handed_out_keeps_its_draw(by_days, demo_area, drawn, ledger):
    """The ledger holds what was drawn; a row that the key does not draw is counted."""
    trial = by_days[0]
    days = trial.seal.days[3:8]
    week = draw_trial_week(PATH, trial, demo_area, SECRET, days)
    rows = [{**vars(cell), "commitment": week.commitment} for cell in week.drawn]
    ledger.hand_out(PromisedWeek(days, (), (), tuple(rows)))
    stored = ledger.read_assignments(days[0], days[-1])
    assert len(stored) == 5 * len(trial.seal.hotspots)
    assert measure_delivery(trial, drawn, ledger, demo_area.projection).differing == 0
    rows[0]["treated"] = not rows[0]["treated"]
    ledger.hand_out(PromisedWeek(days, (), (), tuple(rows)))
    assert measure_delivery(trial, drawn, ledger, demo_area.projection).differing == 1


def test_a_week_without_a_trial_is_handed_out_as_before(ledger):
    """The digest of a week without a trial did not change, so that none is handed out twice."""
    days = (dt.date(2026, 11, 30), dt.date(2026, 12, 4))
    assert ledger.hand_out(PromisedWeek(days, (), ()))
    assert not ledger.hand_out(PromisedWeek(days, (), ()))
    assert ledger.read_assignments(*days).empty
