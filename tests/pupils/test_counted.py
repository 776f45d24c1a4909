"""Counts at corners move the modelled ways home as far as they justify, and no farther."""

import pickle
from dataclasses import replace
from itertools import product

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

from patrolplan.area.study_area import find_school
from patrolplan.pupils.corners import CORNERS, choose_corners
from patrolplan.pupils.counted import Branches, divide, fit_counts
from patrolplan.pupils.flows import NotStoredError
from patrolplan.pupils.leaving import PUPIL_METRES_PER_MINUTE, share_left
from patrolplan.pupils.model import JourneyModel, model_pupils

URN = "900003"
BELL = 920.0
LEAVING = (7.0, 0.25, 60.0)
SPANS = [*((5 * row, 5 * row + 5) for row in range(6)), (45, 75)]


@pytest.fixture(scope="module")
def journeys(demo_area):
    """Where the pupils of a school of the demo go."""
    return JourneyModel(demo_area).trace(find_school(demo_area, URN))


branches = pytest.fixture(divide, scope="module", name="branches")


@pytest.fixture(scope="module")
def corners(journeys, branches):
    """The nodes of the tree at which its pupils are to be counted."""
    return choose_corners(journeys, branches, LEAVING[1])


def _count(journeys, branches, nodes, times=1.0, leaving=LEAVING, days=(3,)):
    """As many pupils as are modelled, times a factor, under a leaving curve; days of December."""
    tree, rows = journeys.tree, []
    for day, node in product(days, nodes):
        walk, xy = tree.node_metres[node] / PUPIL_METRES_PER_MINUTE, tree.network.node_xy
        left = np.diff(share_left(np.array(SPANS) - walk, *leaving), axis=1)[:, 0]
        pupils = np.round(times * branches.node_flow[:, node].sum() * left)
        for span, number in zip(SPANS, pupils, strict=True):
            minutes = BELL + np.array(span)
            rows.append([URN, pd.Timestamp(2026, 12, day), *minutes, number, *xy[tree.nodes[node]]])
    names = ["urn", "date", "from_minutes", "to_minutes", "pupils", "x", "y"]
    table = pd.DataFrame(rows, columns=names)
    points = gpd.points_from_xy(table.pop("x"), table.pop("y"), crs="EPSG:27700")
    return gpd.GeoDataFrame(table, geometry=points)


def test_branches_together_are_the_whole(journeys, branches):
    """Each pupil is of one branch, and all of them walk what the school walks."""
    link_flow, pieces, walked, on_streets = journeys.walk()
    np.testing.assert_array_equal(branches.pieces, pieces)
    np.testing.assert_allclose(branches.walked.sum(axis=0), walked, atol=1e-6)
    assert branches.node_flow[:, -1].sum() == pytest.approx(on_streets)
    heads = np.bincount(journeys.tree.link_nodes[:, 1], link_flow, journeys.tree.root + 1)
    np.testing.assert_allclose(branches.node_flow.sum(axis=0)[:-1], heads[:-1], atol=1e-6)


def test_branches_and_their_prior_are_those_of_a_slow_way(journeys, branches):
    """Walkers near and far and riders, by sixteen directions; homes near each other go together."""
    tree, walkers, network = journeys.tree, journeys.walkers, journeys.tree.network
    ends = [*network.piece_middle[tree.link_piece], *network.node_xy[tree.nodes[walkers.exits]]]
    metres = np.r_[tree.middle_metres, tree.node_metres[walkers.exits], journeys.stop_metres]
    pupils = np.r_[walkers.link_homes, walkers.exit_pupils, journeys.stop_pupils]
    order, half = np.argsort(metres[: len(ends)]), pupils[: len(ends)].sum() / 2
    middle = metres[next(one for k, one in enumerate(order) if pupils[order[: k + 1]].sum() > half)]
    table = np.c_[[*ends, *network.piece_middle[journeys.stop_pieces]], metres]
    east, north = (table[:, :2] - network.xy(tree.gate)[0]).T
    kind = np.where(np.arange(len(table)) < len(ends), metres > middle, 2)
    sector, members = (np.arctan2(east, north) / np.pi * 8 + 8) // 1 % 16, {}
    for one in np.flatnonzero(pupils > 0):
        members.setdefault((kind[one], sector[one]), []).append(one)
    members = sorted(members.items())
    assert [{*branches.of_target[own]} for _, own in members] == [{k} for k in range(len(members))]
    means = [np.average(table[own], axis=0, weights=pupils[own]) for _, own in members]
    x, y, away = np.array(means).T
    mass, ride = np.array([(pupils[own].sum(), k == 2) for (k, _), own in members]).T
    alike = ride[:, None] == ride
    apart = np.eye(len(ride)) - alike * mass / (alike @ mass)[:, None]
    near = alike * 0.8**2 * np.exp(-np.hypot(x[:, None] - x, y[:, None] - y) / 300)
    farther = (away - np.average(away, weights=mass * (1 - ride))) * (1 - ride) / 900
    expected = apart @ near @ apart.T + 0.3**2 * (alike + np.outer(farther, farther))
    np.testing.assert_allclose(branches.root @ branches.root.T, expected, atol=1e-6)


def test_what_was_expected_changes_nothing(journeys, branches, corners):
    """Counts that are those of the model leave it, and make it surer."""
    found = fit_counts(journeys, LEAVING, _count(journeys, branches, corners), BELL)
    np.testing.assert_allclose(found.factors, 1.0, atol=0.05)
    np.testing.assert_allclose(found.leaving, LEAVING, rtol=0.05)  # counts are whole numbers
    factors = np.empty(len(branches.root))
    factors[branches.of_target] = found.factors
    prior = branches.find_spread(branches.root @ branches.root.T, factors)
    used = branches.walked.sum(axis=0) > 0
    sure = np.log(found.band[used]) / 1.2816 / prior[used]
    assert sure.max() <= 1 + 1e-6
    assert sure.min() < 0.9


def test_a_count_of_the_whole_day_narrows_the_band_as_by_hand(journeys, branches, corners):
    """However they leave: groups double a count's variance, and days differ by 15 %."""
    number = round(branches.node_flow[:, corners[0]].sum())
    row = _count(journeys, branches, corners[:1])[:1]
    row = row.assign(from_minutes=0.0, to_minutes=1440.0, pupils=float(number))
    seen = branches.node_flow[:, corners[0]] / number
    prior = branches.root @ branches.root.T
    after = np.linalg.inv(prior) + np.outer(seen, seen) / (2 / number + 0.15**2)
    used, spread = branches.walked.sum(axis=0) > 0, branches.find_spread(np.linalg.inv(after))
    band = fit_counts(journeys, LEAVING, row, BELL).band
    np.testing.assert_allclose(np.log(band[used]) / 1.2816, spread[used], rtol=0.02)


@pytest.mark.parametrize("times", [0.5, 2.0])
def test_more_counts_move_the_flow_farther_towards_them(journeys, branches, corners, times):
    """The corrected number at each corner is between the modelled and the counted one."""
    left = []
    for days in ([3], range(1, 5)):
        counts = _count(journeys, branches, corners, times, days=days)
        found = fit_counts(journeys, LEAVING, counts, BELL)
        sums = found.table.groupby("corner")[["pupils", "modelled", "corrected"]].sum()
        counted, corrected = (np.log(sums[name] / sums["modelled"]) for name in sums.columns[::2])
        assert (corrected / counted).between(0.3, 1.02).all()
        left.append(abs(1 - journeys.scale(found.factors).walk()[3] / journeys.walk()[3]))
    assert left[1] > left[0] > 0.02


def test_the_leaving_curve_is_found(journeys, branches, corners):
    """Pupils who leave later, and more of them for clubs, are seen in the rows."""
    true = (12.0, 0.4, 66.0)
    counts = _count(journeys, branches, corners, leaving=true, days=range(1, 9))
    found = fit_counts(journeys, LEAVING, counts, BELL).leaving
    assert found[0] == pytest.approx(true[0], rel=0.1)
    assert found[1] == pytest.approx(true[1], abs=0.08)
    # Where the school says that nobody stays, a count does not say otherwise.
    assert fit_counts(journeys, (7.0, 0.0, 60.0), counts, BELL).leaving[1] == 0.0


def test_nobody_more_than_the_roll_is_on_the_streets(journeys, branches, corners):
    """However much is counted; and where nobody passes nothing is said."""
    found = fit_counts(journeys, LEAVING, _count(journeys, branches, corners, 9.0), BELL)
    assert journeys.scale(found.factors).walk()[3] <= journeys.by_stage.sum() + 1e-6
    nobody = journeys.scale(np.zeros(len(found.factors)))
    assert (len(divide(nobody).root), choose_corners(nobody, divide(nobody), 0.0)) == (1, [])
    assert fit_counts(nobody, LEAVING, _count(journeys, branches, corners), BELL) is None


def test_the_first_corner_is_the_best_of_all(journeys, branches, corners):
    """Against the slow way: the posterior of each corner by inverting the whole precision."""
    assert len(set(corners)) == CORNERS
    tree, passing = journeys.tree, branches.node_flow.sum(axis=0)
    prior = branches.root @ branches.root.T
    walked = branches.walked.sum(axis=0)
    used = walked >= 5 * tree.network.piece_metres[branches.pieces]
    share = branches.walked[:, used] / walked[used]

    def gain(node):
        seen = branches.node_flow[:, node] / passing[node]
        noise = 2 / (passing[node] * 0.75) + 0.15**2
        after = np.linalg.inv(np.linalg.inv(prior) + np.outer(seen, seen) / noise)
        narrowed = [np.einsum("zq,zy,yq->q", share, one, share) for one in (prior, after)]
        return walked[used] @ (narrowed[0] - narrowed[1])

    arms = np.bincount(tree.link_nodes.ravel(), minlength=tree.root + 1)
    near = (tree.node_metres[:-1] <= 600) & (arms[:-1] >= 3) & (passing[:-1] >= 5)
    gains = {node: gain(node) for node in np.flatnonzero(near)[::7]}
    assert gain(corners[0]) >= max(gains.values()) * (1 - 1e-6)


def test_the_spread_of_a_street_is_that_of_its_branches():
    """Two branches on one street: the variance by hand, and what a part of a branch adds."""
    walked = np.array([[30.0, 0.0, 15.0], [10.0, 10.0, 0.0]])
    two = Branches(np.zeros(2), np.zeros((2, 1)), np.arange(3), walked, np.eye(2))
    covariance = np.array([[0.04, 0.01], [0.01, 0.09]])
    whole = 0.75**2 * 0.04 + 0.25**2 * 0.09 + 2 * 0.75 * 0.25 * 0.01
    expected = np.sqrt([whole, 0.3**2, 0.04 + 0.5**2 / 2])
    assert two.find_spread(covariance) == pytest.approx(expected)


def test_only_the_school_that_was_counted_changes(demo_area, journeys, branches, corners):
    """Its notes say so, its curve is its own, and all the others are as before to the last bit."""
    counts = _count(journeys, branches, corners, 2.0, leaving=(10.0, 0.3, 60.0))
    counted = replace(demo_area, way_home=replace(demo_area.way_home, counts=counts))
    before, after = model_pupils(demo_area), model_pupils(counted)
    for one, other in zip(before.schools, after.schools, strict=True):
        same = one.urn != URN
        assert same == np.array_equal(one.flow, other.flow) == (one.timetable == other.timetable)
        assert (other.counted is None) == same
        assert other.on_streets + other.elsewhere == pytest.approx(other.roll)
    [note] = [note for note in after.notes if note.key == "ways_counted"]
    assert "counted on 3 December at 3 corners" in note.text
    assert note.about == {"urns": [URN]}
    assumed = [note for note in after.notes if note.key in {"modes_assumed", "leaving_assumed"}]
    assert [note.is_about(URN) for note in assumed] == [False, False]
    counted = next(one.counted for one in after.schools if one.counted)
    with pytest.raises(NotStoredError):
        pickle.dumps(counted)
    assert len(repr(counted)) < 100
