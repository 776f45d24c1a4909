"""Risk on hexagons: nothing is lost, and files hold what the frame has."""

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pytest
from hexagons import measure_slowly

import patrolplan as pp
from patrolplan.errors import OutputError
from patrolplan.outputs.hexagons import risk_on_hexagons, write_hexagons

h3 = pytest.importorskip("h3")
SUMS = ("risk", "crime", "reports")


@pytest.mark.parametrize("resolution", [6, 8, 10])
def test_hexagons_hold_all_of_it(demo_area, demo_risk, resolution):
    """With any size, they have all risk, street and incidents together, and none twice."""
    cells = risk_on_hexagons(demo_area, demo_risk, h3_resolution=resolution)
    streets = demo_risk.frame()
    for name in SUMS:
        assert cells[name].sum() == pytest.approx(streets[name].sum(), rel=1e-9)
    assert cells["street_metres"].sum() == pytest.approx(demo_area.network.metres)
    assert cells["expected"].sum() == pytest.approx(demo_risk.expected.to_numpy().sum())
    by_category = [name for name in cells if name.startswith("expected_")]
    np.testing.assert_allclose(cells[by_category].sum(axis=1), cells["expected"])
    assert len(by_category) == demo_risk.expected.shape[1]
    assert cells["cell"].is_unique


def test_each_hexagon_has_what_a_slow_loop_finds(demo_area, demo_risk):
    """Every piece is cut by every hexagon, which h3 names so, one after another, to equal sums."""
    cells = risk_on_hexagons(demo_area, demo_risk, h3_resolution=8)
    shapes = list(cells.geometry)
    cut = np.array([measure_slowly(one, shapes) for one in demo_area.network.piece_lines])
    share = cut[:, :-1] / cut.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(cells["risk"], demo_risk.without_exposure @ share, atol=1e-9)
    street = demo_area.network.piece_metres @ share
    np.testing.assert_allclose(cells["street_metres"], street, atol=1e-3)
    pai = cells["risk"] / (cells["street_metres"] / demo_area.network.metres)
    np.testing.assert_allclose(cells["pai"], pai)
    middle = gpd.GeoSeries(gpd.points_from_xy(*demo_area.network.piece_middle.T), crs=cells.crs)
    degrees = middle.to_crs(4326)
    named = {h3.latlng_to_cell(y, x, 8) for x, y in zip(degrees.x, degrees.y, strict=True)}
    assert named <= set(cells["cell"])
    assert all(h3.is_valid_cell(name) for name in cells["cell"])


def test_pupils_do_not_show(demo_area, demo_risk):
    """Where pupils walk changes the risk, and no number of a hexagon."""
    moved = replace(demo_risk, joined=demo_risk.joined[::-1].copy())
    assert not np.allclose(moved.joined, demo_risk.joined)
    one, other = (risk_on_hexagons(demo_area, r, h3_resolution=9) for r in (demo_risk, moved))
    assert one.equals(other)


def test_what_cannot_be_is_refused_with_what_to_do(demo_area, demo_risk, monkeypatch):
    """A resolution that H3 does not have, and a Python without the package, which is an extra."""
    with pytest.raises(pp.InputError, match=r"15 is not a possible .* choose 0 to 12"):
        risk_on_hexagons(demo_area, demo_risk, h3_resolution=15)
    monkeypatch.setattr("patrolplan.outputs.hexagons.find_spec", lambda _: None)
    with pytest.raises(pp.InputError, match="-m pip install h3"):
        risk_on_hexagons(demo_area, demo_risk, h3_resolution=9)


def test_a_file_holds_what_the_frame_has(demo_area, demo_risk, tmp_path, monkeypatch):
    """An earlier file stays on a full disk, then is replaced; an unknown suffix is refused."""
    cells = risk_on_hexagons(demo_area, demo_risk, h3_resolution=9)
    path = tmp_path / "risk.gpkg"
    path.write_text("an earlier file", encoding="utf-8")

    def fail(part, _):
        part.write_text("half", encoding="utf-8")
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patches:
        patches.setattr("patrolplan.outputs.hexagons.write_layers", fail)
        with pytest.raises(OutputError, match="No space left on device"):
            write_hexagons(path, cells)
    assert [one.read_text(encoding="utf-8") for one in tmp_path.iterdir()] == ["an earlier file"]
    for name in ("risk.geojson", "none/risk.gpkg"):
        with pytest.raises(OutputError, match=r"name one ending in \.gpkg in an existing folder"):
            write_hexagons(tmp_path / name, cells)
    write_hexagons(path, cells)
    found = gpd.read_file(path)
    assert list(found) == list(cells)
    np.testing.assert_allclose(found["risk"], cells["risk"])
    assert found.geometry.geom_equals_exact(cells.geometry, 1e-9).all()
    assert list(tmp_path.iterdir()) == [path]
