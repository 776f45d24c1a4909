"""The commands that take and give hexagons: risk --hexagons, backtest --designated."""

import json

import geopandas as gpd
import pytest
import shapely
from hexagons import make_hexagons

MONTHS = ("2026-02", "2026-03", "2026-04", "2026-05", "2026-06", "2026-07", "2026-08", "2026-09")


@pytest.fixture(scope="module")
def config(copy_demo, tmp_path_factory):
    """The demo borough with eight months of crimes and one school; gives its settings file."""
    settings = copy_demo(tmp_path_factory.mktemp("area"), *MONTHS)
    text = settings.read_text(encoding="utf-8") + '\n[schools]\nurns = ["900003"]\n'
    settings.write_text(text, encoding="utf-8")
    return settings


@pytest.fixture(scope="module")
def drawn(demo_area, config):
    """A file of hexagons around the middle of the borough."""
    x, y = demo_area.network.piece_middle.mean(axis=0)
    path = config.parent / "designated.gpkg"
    hexagons = make_hexagons((x - 400, y - 300, x + 400, y + 300), 165)
    hexagons.rename(columns={"id": "place_id"}).assign(name="", drawn="2026-09").to_crs(
        4326
    ).to_file(path)
    return path


def test_risk_on_hexagons_is_a_file(run, config, tmp_path):
    """The cells of H3 go into the file that --out names."""
    pytest.importorskip("h3")
    path = tmp_path / "risk.gpkg"
    assert run("risk", "--config", config, "--hexagons", "h3:9", "--out", path)[0] == 0
    cells = gpd.read_file(path, layer="risk_hexagons")
    assert cells["risk"].sum() == pytest.approx(1)
    assert cells["cell"].is_unique


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (("--hexagons", "h3:9"), 2, "needs --out FILE"),
        (("--hexagons", "big", "--out", "x.gpkg"), 2, "'big' is not a size of hexagons"),
        (("--hexagons", "h3:x", "--out", "x.gpkg"), 2, "'h3:x' is not a size of hexagons"),
        (("--hexagons", "h3:20", "--out", "x.gpkg"), 1, "20 is not a possible resolution"),
        (("--hexagons", "165", "--out", "x.gpkg"), 2, "'165' is not a size of hexagons"),
        (("--hexagons", "h3:9", "--out", "x.csv"), 1, "end it in .gpkg, .geojson, .parquet"),
    ],
)
def test_wrong_sizes_end_before_the_work(run, config, options, code, words):
    """A size or a file that cannot be is named, without reading the area."""
    found, _, err = run("risk", "--config", config, *options)
    assert (found, words in " ".join(err.split())) == (code, True)
    assert "Reading" not in err


@pytest.mark.slow
def test_a_backtest_sets_theirs_against_ours(run, config, drawn, tmp_path):
    """Polygons of the settings are compared by default, with a table, a sentence and a file."""
    text = config.read_text(encoding="utf-8")
    changed = config.with_name("designated.toml")
    changed.write_text(
        text.replace("[sources]", f'[sources]\ndesignated = "{drawn.name}"', 1), encoding="utf-8"
    )
    months = ("--from", "2026-09", "--to", "2026-09", "--out", tmp_path / "out")
    code, out, err = run("backtest", "--config", changed, *months)
    assert code == 0, err
    assert "Designated places hold " in out
    assert "streets of most expected harm" in out
    document = json.loads((tmp_path / "out/backtest.json").read_text(encoding="utf-8"))
    rows = {row["chosen_by"]: row for row in document["designated"] if row["category"] == "all"}
    assert set(rows) == {"theirs", "ours", "our hotspots", "prior count"}
    assert rows["ours"]["coverage"] == rows["theirs"]["coverage"]
    assert rows["ours"]["difference_low"] is None  # of one month
    assert rows["theirs"]["flattered_months"] == 1
    assert "1 of these months had begun when" in out
    assert (tmp_path / "out/designated.csv").is_file()


def test_a_window_and_designated_places_are_refused(run, config, drawn):
    """Places are compared at all hours, so a window of the day is wrong usage, and ends at once."""
    options = ("--window", "early", "--designated", drawn)
    code, _, err = run("backtest", "--config", config, *options)
    assert (code, "compared at all hours" in " ".join(err.split())) == (2, True)


@pytest.mark.slow
def test_designated_places_elsewhere_are_named(run, config, tmp_path):
    """A file without a street of the area is named, with what to check."""
    far = tmp_path / "far.geojson"
    gpd.GeoDataFrame(geometry=[shapely.box(10, 10, 11, 11)], crs=4326).to_file(far)
    months = ("--from", "2026-09", "--to", "2026-09")
    code, _, err = run("backtest", "--config", config, *months, "--designated", far)
    assert (code, f"{far}: none of the 1 places has a street" in err) == (1, True)
