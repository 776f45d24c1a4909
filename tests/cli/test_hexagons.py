"""The command that gives hexagons: risk --hexagons."""

import geopandas as gpd
import pytest

MONTHS = ("2026-02", "2026-03", "2026-04", "2026-05", "2026-06", "2026-07", "2026-08", "2026-09")


@pytest.fixture(scope="module")
def config(copy_demo, tmp_path_factory):
    """The demo borough with eight months of crimes and one school; gives its settings file."""
    settings = copy_demo(tmp_path_factory.mktemp("area"), *MONTHS)
    text = settings.read_text(encoding="utf-8") + '\n[schools]\nurns = ["900003"]\n'
    settings.write_text(text, encoding="utf-8")
    return settings


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
