"""`patrolplan.toml`: defaults, refusals, and every problem at once."""

from datetime import time

import pytest
from hypothesis import given, strategies as st

from patrolplan.errors import SettingsError
from patrolplan.settings.kinds import DISCOVERED_CATEGORIES
from patrolplan.settings.load import load_settings, parse_settings
from patrolplan.settings.models import CrimeSettings

NO_TIMES = ("15", "T15:15", "15:15:30", "15:15+01:00", "1515", "15:1\u0665", 15, time(15, 15, 30))
SOURCES = {"crimes": "c.csv", "schools": "s.csv", "streets": "x.osm"}


def _settings(folder=".", **sections):
    return parse_settings({"sources": SOURCES} | sections, folder=folder)


def _problems(**sections):
    with pytest.raises(SettingsError) as error:
        _settings(**sections)
    return [str(problem) for problem in error.value.problems]


@pytest.mark.parametrize(
    ("sections", "place", "nearest"),
    [
        ({"aera": {}}, "aera", "area"),
        ({"seeds": 2}, "seeds", "seed"),
        ({"area": {"nam": "x"}}, "area.nam", "name"),
        ({"sources": SOURCES | {"street": "x"}}, "sources.street", "streets"),
        ({"crimes": {"categorys": []}}, "crimes.categorys", "categories"),
        ({"schools": {"urn": []}}, "schools.urn", "urns"),
        ({"risk": {"crime_weigth": 0.5}}, "risk.crime_weigth", "crime_weight"),
        ({"hotspots": {"max_length": 3}}, "hotspots.max_length", "max_length_metres"),
        ({"patrol": {"dwel_minutes": 3}}, "patrol.dwel_minutes", "dwell_minutes"),
        (
            {"patrol": {"windows": {"early": {"from": "07:30", "to": "08:30", "fron": "x"}}}},
            "patrol.windows.early.fron",
            "from",
        ),
        ({"week": {"min_patrols": 3}}, "week.min_patrols", "min_patrols_per_school"),
        ({"privacy": {"treshold": 3}}, "privacy.treshold", "threshold"),
        ({"output": {"markings": "x"}}, "output.markings", "marking"),
    ],
)
def test_unknown_key_names_the_nearest(sections, place, nearest):
    """At every level a key that is not known is named, and so is the nearest that is."""
    assert _problems(**sections) == [
        f"settings, key '{place}': unknown key; did you mean '{nearest}'? Correct or remove it."
    ]


MORNING = {"windows": {"morning": {"bell": "opening", "before_minutes": 30}}}


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        ({"week": {"zzzz": 1}}, "(known: min_patrols_per_school, max_dose_minutes_per_day,"),
        (
            {"columns": {"school": {"urn": "URN"}}},
            "[columns.school] is not a source; did you mean 'schools'?",
        ),
        ({"patrol": MORNING, "week": {"windows": ["mornin"]}}, "did you mean 'morning'?"),
        ({"patrol": MORNING, "week": {"windows": ["morning"] * 2}}, "names 'morning' twice"),
        ({"patrol": MORNING, "week": {"windows": []}}, "[] is not valid"),
        ({"area": {"crs": "EPSG:4326"}}, "'EPSG:4326' is not in metres (unit: degree)"),
        ({"area": {"crs": "EPSG:2263"}}, "'EPSG:2263' is not in metres (unit: US survey foot)"),
        ({"area": {"crs": "EPSG:4978"}}, "'EPSG:4978' is not in metres"),
        ({"area": {"crs": "British"}}, "'British' is not a CRS that PROJ knows"),
        (
            {"area": {"bounds": [-0.14, 51.5, -0.12, 51.6], "boundary": "b.geojson"}},
            "bounds and boundary are both set",
        ),
        *(
            (
                {"privacy": {"threshold": 4, "reason": blank}},
                "threshold = 4 is under 5 and needs a reason",
            )
            for blank in ("", "   ", "\t")
        ),
        *(
            (
                {"crimes": {"include_discovered": True, "reason": blank}},
                "include_discovered = true needs a reason",
            )
            for blank in ("", "   ", "\t")
        ),
        (
            {"ledger": {"url": "mysql://lead:s3cr3t@host/doses"}},
            "begins with 'mysql' is not a ledger; write sqlite:///FILE",
        ),
    ],
)
def test_what_does_not_go_together_is_one_problem(sections, message):
    """Values that exclude each other, need a reason or name nothing have one message each."""
    (problem,) = _problems(**sections)
    assert message in problem
    assert "s3cr3t" not in problem
    assert "crs" not in sections.get("area", {}) or problem.endswith(" EPSG:27700.")


@pytest.mark.parametrize(
    ("sections", "key", "value"),
    [
        ({"privacy": {"threshold": 5}}, "privacy.threshold", 5),
        ({"privacy": {"threshold": 2, "reason": "a trial"}}, "privacy.threshold", 2),
        ({"patrol": {"default_finish_time": time(15, 40)}}, "patrol.default_finish_time",
         time(15, 40)),
        ({"patrol": MORNING, "week": {"windows": ["morning", "after_school"]}}, "week.windows",
         ("morning", "after_school")),
        ({"schools": {"urns": [100008, "100018"]}}, "schools.urns", ("100008", "100018")),
    ],
)  # fmt: skip
def test_what_people_write_is_understood(sections, key, value):
    """Numbers for URNs, times of TOML, other signs in a name, and values just within bounds."""
    section, name = key.split(".")
    assert getattr(getattr(_settings(**sections), section), name) == value


@pytest.mark.parametrize(
    "bounds",
    [
        [-0.12, 51.5, -0.14, 51.6],
        [-0.14, 51.6, -0.12, 51.5],
        [51.5, -0.14, 51.6, -0.12, 0],
        [-0.14, 51.5, -0.12],
        [-0.14, 51.5, -0.14, 51.6],
        [529000, 181000, 530000, 182000],
        ["west", 51.5, -0.12, 51.6],
        "here",
    ],
)
def test_malformed_bounds_are_refused(bounds):
    """Bounds that are not a box in degrees are reported by their key."""
    problems = _problems(area={"bounds": bounds})
    assert all("key 'area" in problem for problem in problems)
    assert not any("the key is missing" in problem for problem in problems)


def test_guard_holds_against_categories_listed_by_hand():
    """A discovered category in the list counts only once the guard is lifted."""
    listed = ("Drugs", "Robbery")
    assert CrimeSettings(categories=listed).risk_categories == ("Robbery",)
    lifted = CrimeSettings(categories=listed, include_discovered=True, reason="trial of June")
    assert set(lifted.risk_categories) == {"Robbery", *DISCOVERED_CATEGORIES}
    assert len(lifted.risk_categories) == 4


@pytest.mark.parametrize(
    ("section", "values"),
    [
        ("risk", {"model": "stack"}),
        ("risk", {"crime_weight": 1.1}),
        ("risk", {"harm": {"Robbery": -1}}),
        ("risk", {"harm": {"Robbery": float("nan")}}),
        ("hotspots", {"method": "kmeans"}),
        ("hotspots", {"count": 0}),
        ("hotspots", {"max_length_metres": 29}),
        ("patrol", {"window_minutes": 0}),
        ("patrol", {"way": "horse"}),
        ("patrol", {"start": "home"}),
        ("patrol", {"walking_speed_kmh": -1}),
        ("patrol", {"default_finish_time": "25:00"}),
        ("patrol", {"default_finish_time": "3pm"}),
        *(("patrol", {"default_finish_time": wrong}) for wrong in NO_TIMES),
        *(("patrol", {"windows": {"x": {"from": wrong, "to": "16:00"}}}) for wrong in NO_TIMES),
        ("patrol", {"windows": {"early": {"from": "09:00", "to": "08:00"}}}),
        ("privacy", {"threshold": 1}),
        ("privacy", {"threshold": "five"}),
        ("sources", SOURCES | {"crimes": 7}),
    ],
)
def test_values_out_of_range_are_refused_by_key(section, values):
    """A value out of range is reported with its key."""
    problems = _problems(**{section: values})
    assert problems
    assert all(f"key '{section}." in problem for problem in problems)


def test_paths_start_at_the_settings_folder(tmp_path):
    """A relative path starts at the settings file's folder, an absolute one does not."""
    file = tmp_path / "patrolplan.toml"
    absolute = (tmp_path / "elsewhere" / "s.csv").as_posix()
    file.write_text(
        f'[sources]\ncrimes = "c.csv"\nschools = "{absolute}"\nstreets = "x.osm"\n',
        encoding="utf-8",
    )
    settings = load_settings(file)
    assert settings.find_files("crimes") == (tmp_path / "c.csv",)
    assert settings.find_files("schools") == (tmp_path / "elsewhere" / "s.csv",)
    assert settings.find_files("reports") == ()


@given(names=st.permutations(["2025-10", "2025-09", "2026-01", "2024-12"]))
def test_globs_give_files_in_a_fixed_order(tmp_path_factory, names):
    """Files that a pattern finds come sorted, whichever was made first, and each once."""
    folder = tmp_path_factory.mktemp("globs")
    for name in names:
        (folder / name).mkdir()
        (folder / name / "street.csv").touch()
    (folder / "2027-01" / "street.csv").mkdir(parents=True)
    patterns = ["*/street.csv", "2025-*/*.csv"]
    settings = _settings(folder, sources=SOURCES | {"crimes": patterns})
    found = [path.parent.name for path in settings.find_files("crimes")]
    assert found == ["2024-12", "2025-09", "2025-10", "2026-01"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "the settings file does not exist"),
        (b"[area\nname = 1", "is not TOML"),
        (b"[area]\nname = '\xff'", "cannot be read"),
        (b"", "key 'sources': the key is missing"),
        (b"a = " + b"[" * 100_000, "is not TOML"),
        (b"a = " + b"9" * 5000, "is not TOML"),
        ("folder", "is a folder"),
        (b"\xef\xbb\xbfseed = 1", "key 'sources': the key is missing"),
    ],
)
def test_settings_file_that_cannot_be_used(tmp_path, content, message):
    """A settings file that is missing, broken or empty is named with the reason."""
    file = tmp_path / "patrolplan.toml"
    if content == "folder":
        file.mkdir()
    elif content is not None:
        file.write_bytes(content)
    with pytest.raises(SettingsError) as error:
        load_settings(file)
    assert str(file) in str(error.value)
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql+pg8000://lead:s3cr3t@host/doses", "postgresql+pg8000://lead:***@host/doses"),
        ("postgresql://lead:s3:cr@3t@host/d?password=s3", "postgresql://lead:***@host/d"),
        ("postgresql://lead@host/doses", "postgresql://lead@host/doses"),
        ("sqlite:///doses.sqlite", "sqlite:///doses.sqlite"),
    ],
)
def test_the_ledgers_password_is_in_no_file(url, shown):
    """Settings as manifests hold them have the ledger's address without its password."""
    settings = _settings(ledger={"url": url})
    assert settings.ledger.address == url
    assert settings.model_dump(mode="json")["ledger"] == {"url": shown}
    assert "s3" not in repr(settings)
