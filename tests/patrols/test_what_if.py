"""What more time, dwell or officers would buy."""

import pytest

import patrolplan as pp
from patrolplan.area.study_area import with_settings
from patrolplan.patrols.what_if import what_if

COLUMNS = ["minutes", "dwell_minutes", "officers", "worth", "bound", "proven", "stops"]
MET = ["pupil_share", "harm_share", "stops_kept"]


@pytest.fixture(scope="module")
def table(demo_area, demo_plan):
    """Cases of one school of the demo borough."""
    return what_if(
        with_settings(demo_area, patrol={"min_late_share": 0}),  # late stops whatever they add
        demo_plan.risk,
        demo_plan.hotspots,
        "900003",
        minutes=(30, 60, 90),
        dwell_minutes=(10, 15),
        officers=(1, 2),
    )


def test_there_is_a_row_for_each_case(table):
    """Every combination of minutes, dwell and officers has one row with all its columns."""
    assert list(table.columns) == ["exponent", *COLUMNS, "walked_metres", *MET]
    assert len(table) == 12
    assert not table.duplicated(["minutes", "dwell_minutes", "officers"]).any()


@pytest.mark.parametrize("more", ["minutes", "officers"])
def test_worth_never_falls_with_more(table, more):
    """More minutes or more officers never make the patrols worth less."""
    fixed = [name for name in COLUMNS[:3] if name != more]
    for _, cases in table.groupby(fixed):
        assert cases.sort_values(more)["worth"].is_monotonic_increasing
    assert table.groupby(more)["worth"].sum().is_monotonic_increasing
    assert table.groupby(more)["worth"].sum().is_unique


def test_no_case_is_worth_more_than_its_bound(table):
    """Worth is at most the bound, and just that where it is proven."""
    assert (table["worth"] <= table["bound"] + 1e-12).all()
    proven = table[table["proven"]]
    assert len(proven) > 8
    assert proven["worth"].to_numpy() == pytest.approx(proven["bound"].to_numpy())


def test_the_settings_own_case_is_the_plan_itself(demo_plan, table):
    """With the settings' minutes, dwell and officer the worth is that of the plan."""
    patrol = next(patrol for patrol in demo_plan.patrols if patrol.urn == "900003")
    own = table[(table["minutes"] == 90) & (table["dwell_minutes"] == 15)].iloc[0]
    assert own["officers"] == 1
    assert own["worth"] == pytest.approx(patrol.worth)
    assert own["stops"] == len(patrol.stops)
    assert own["exponent"] == 0.5
    assert own["pupil_share"] == pytest.approx(patrol.way_home.pupil_share, rel=0.05)
    assert own["harm_share"] == pytest.approx(patrol.way_home.harm_share, rel=0.02)


def test_defaults_are_the_settings_dwell_and_officers(demo_area, demo_plan):
    """By default, only minutes vary; equal runs give equal tables."""
    ask = (demo_area, demo_plan.risk, demo_plan.hotspots, "900005")
    table = what_if(*ask, minutes=(45, 90))
    assert set(table["dwell_minutes"]) == {15}
    assert set(table["officers"]) == {1}
    assert table.equals(what_if(*ask, minutes=(90, 45)))


def test_a_school_that_is_not_there_is_refused(demo_area, demo_plan):
    """Schools unknown and windows too short for the presence are refused as for a plan."""
    ask = (demo_area, demo_plan.risk, demo_plan.hotspots)
    with pytest.raises(pp.InputError, match="no school with URN '1' in the area"):
        what_if(*ask, "1")
    with pytest.raises(pp.InputError, match="gate_minutes 5 is longer"):
        what_if(*ask, "900003", minutes=(4, 60))


def test_more_weight_of_pupils_meets_more_of_them(demo_area, demo_plan):
    """With larger exponents all schools together meet more pupils and less harm; own stops stay."""
    area = with_settings(demo_area, patrol={"min_late_share": 0})
    case = {"minutes": (90,), "exponents": (1, 0, 0.5)}
    tables = [
        what_if(area, demo_plan.risk, demo_plan.hotspots, urn, **case)
        for urn in ("900001", "900002", "900008")
    ]
    assert all(table["exponent"].tolist() == [0, 0.5, 1] for table in tables)
    pupils, harm, ratio = (sum(table[name] for table in tables).to_numpy() for name in MET)
    assert pupils[0] < pupils[1]
    assert pupils[0] < pupils[2]
    assert harm[0] > harm[1] > harm[2] > 0
    assert ratio[1] == len(tables)
    assert ratio[0] < len(tables)


def test_without_exposure_plans_are_those_of_the_settings_without_it(demo_area, demo_plan):
    """The exponent 0 is the worth of an area whose settings switch exposure off."""
    case = {"minutes": (90,)}
    ask = (demo_area, demo_plan.risk, demo_plan.hotspots, "900002")
    off = with_settings(demo_area, way_home={"exposure": {}})
    plain = what_if(off, pp.estimate_risk(off), demo_plan.hotspots, "900002", **case)
    moved = what_if(*ask, exponents=(0,), **case)
    assert moved["worth"].to_numpy() == pytest.approx(plain["worth"].to_numpy())
    assert plain["exponent"].tolist() == [0]
    with pytest.raises(pp.InputError, match=r"give \[way_home\] exposure"):
        what_if(off, pp.estimate_risk(off), demo_plan.hotspots, "900002", exponents=(0.5,), **case)
