"""`patrolplan.toml`: defaults, refusals, and every problem at once."""

from datetime import time

import pytest
from hypothesis import given, strategies as st

from patrolplan.errors import SettingsError
from patrolplan.settings.kinds import DISCOVERED_CATEGORIES, PATROL_RELEVANT
from patrolplan.settings.load import load_settings, parse_settings
from patrolplan.settings.models import CrimeSettings

NO_TIMES = ("15", "T15:15", "15:15:30", "15:15+01:00", "1515", "15:1\u0665", 15, time(15, 15, 30))
SOURCES = {"crimes": "c.csv", "schools": "s.csv", "streets": "x.osm"}


def _settings(folder=".", **sections):
    return parse_settings({"sources": SOURCES} | sections, folder=folder)


def test_seconds_of_one_kind_of_crossing_leave_the_others_as_they_are():
    """Who sets the seconds at signals alone has the default for zebras, islands and gaps."""
    patrol = _settings(patrol={"crossing_seconds": {"signals": 30}}).patrol
    default = _settings().patrol.crossing_seconds
    assert patrol.crossing_seconds == default | {"signals": 30}
    assert list(default) == ["signals", "zebra", "island", "unmarked"]


def _problems(**sections):
    with pytest.raises(SettingsError) as error:
        _settings(**sections)
    return [str(problem) for problem in error.value.problems]


def test_defaults_are_those_of_the_contracts():
    """Settings that name the sources alone have the contracts' defaults."""
    settings = _settings()
    assert settings.area.crs == "EPSG:27700"
    assert settings.crimes.categories == PATROL_RELEVANT
    assert settings.crimes.risk_categories == PATROL_RELEVANT
    assert settings.crimes.leave_out_forces == ("British Transport Police",)
    assert (settings.risk.model, settings.risk.half_life_months) == ("auto", 6)
    assert settings.risk.crime_weight == 0.7
    assert settings.hotspots.model_dump() == {
        "method": "network",
        "max_length_metres": 300,
        "count": "auto",
        "earlier": None,
    }
    patrol = settings.patrol
    assert (patrol.window_minutes, patrol.dwell_minutes, patrol.gate_minutes) == (90, 15, 5)
    assert (patrol.walking_speed_kmh, patrol.radius_metres) == (4.8, 1500)
    assert (patrol.candidates, patrol.officers, patrol.detour) == (40, 1, 0.05)
    assert patrol.default_finish_time == time(15, 15)
    assert settings.week.model_dump() == {
        "min_patrols_per_school": 1,
        "max_dose_minutes_per_day": 30,
        "way_by_officer": False,
        "give": 0.02,
        "secret": "week.secret",
        "crew": 1,
        "windows": ("after_school",),
        "watch_metres": 600,
    }
    assert settings.privacy.model_dump() == {
        "threshold": 5,
        "reason": "",
        "threshold_for_crime": False,
    }
    assert (settings.output.marking, settings.output.tiles) == ("OFFICIAL", None)
    assert settings.seed == 1


@pytest.mark.parametrize(
    ("sections", "place", "nearest"),
    [
        ({"aera": {}}, "aera", "area"),
        ({"seeds": 2}, "seeds", "seed"),
        ({"area": {"nam": "x"}}, "area.nam", "name"),
        ({"sources": SOURCES | {"street": "x"}}, "sources.street", "streets"),
        ({"crimes": {"categorys": []}}, "crimes.categorys", "categories"),
        ({"schools": {"urn": []}}, "schools.urn", "urns"),
        ({"risk": {"half_life": 3}}, "risk.half_life", "half_life_months"),
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


def test_unknown_key_unlike_any_lists_the_known_ones():
    """A key that resembles none is reported with the list of known ones."""
    (problem,) = _problems(week={"zzzz": 1})
    assert "(known: min_patrols_per_school, max_dose_minutes_per_day, way_by_officer," in problem


@pytest.mark.parametrize(
    ("windows", "message"),
    [
        (["mornin"], "did you mean 'morning'?"),
        (["morning", "after_school", "morning"], "names 'morning' twice"),
        ([], "[] is not valid"),
    ],
)
def test_windows_of_the_week_exist_and_are_named_once(windows, message):
    """Every window of the week is one of the settings' own, or after_school."""
    declared = {"windows": {"morning": {"bell": "opening", "before_minutes": 30}}}
    assert _settings(patrol=declared, week={"windows": ["morning", "after_school"]})
    (problem,) = _problems(patrol=declared, week={"windows": windows})
    assert message in problem


def test_unknown_source_of_columns_names_the_nearest():
    """A column mapping for a source that does not exist is refused by name."""
    (problem,) = _problems(columns={"school": {"urn": "URN"}})
    assert "[columns.school] is not a source; did you mean 'schools'?" in problem


@pytest.mark.parametrize(
    ("crs", "message"),
    [
        ("EPSG:4326", "'EPSG:4326' is not in metres (unit: degree)"),
        ("EPSG:2263", "'EPSG:2263' is not in metres (unit: US survey foot)"),
        ("EPSG:4978", "'EPSG:4978' is not in metres"),
        ("British", "'British' is not a CRS that PROJ knows"),
    ],
)
def test_only_projected_crs_in_metres(crs, message):
    """A CRS in degrees or feet, or none at all, is refused with one that would do."""
    (problem,) = _problems(area={"crs": crs})
    assert message in problem
    assert problem.endswith(" EPSG:27700.")


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


def test_bounds_and_boundary_exclude_each_other():
    """An area has one limit, not two."""
    (problem,) = _problems(area={"bounds": [-0.14, 51.5, -0.12, 51.6], "boundary": "b.geojson"})
    assert "bounds and boundary are both set" in problem


@pytest.mark.parametrize("reason", ["", "   ", "\t"])
def test_a_threshold_under_five_needs_a_written_reason(reason):
    """Groups of four or fewer count only with a reason; five needs none."""
    (problem,) = _problems(privacy={"threshold": 4, "reason": reason})
    assert "threshold = 4 is under 5 and needs a reason" in problem
    assert _settings(privacy={"threshold": 5, "reason": reason}).privacy.threshold == 5
    assert _settings(privacy={"threshold": 2, "reason": "a trial"}).privacy.threshold == 2


@pytest.mark.parametrize("reason", ["", "   ", "\t"])
def test_discovered_categories_need_a_written_reason(reason):
    """The feedback guard is lifted only with a reason."""
    (problem,) = _problems(crimes={"include_discovered": True, "reason": reason})
    assert "include_discovered = true needs a reason" in problem


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
        ("risk", {"half_life_months": 0}),
        ("risk", {"half_life_months": float("nan")}),
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


def test_all_problems_are_reported_together():
    """All wrong keys are reported at once."""
    message = "\n".join(
        _problems(
            sources={"schools": "s.csv"},
            area={"crs": "EPSG:4326"},
            hotspots={"metod": "network"},
            privacy={"threshold": 0},
        )
    )
    for part in ("sources.crimes", "sources.streets", "area.crs", "'method'", "privacy.threshold"):
        assert part in message


def test_numbers_for_urns_become_text():
    """URNs may be written as numbers."""
    assert _settings(schools={"urns": [100008, "100018"]}).schools.urns == ("100008", "100018")


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


def test_file_whose_name_looks_like_a_pattern_is_found(tmp_path):
    """A file that is really called so is taken by its name."""
    (tmp_path / "crimes [2].csv").touch()
    settings = _settings(tmp_path, sources=SOURCES | {"crimes": "crimes [2].csv"})
    assert settings.find_files("crimes") == (tmp_path / "crimes [2].csv",)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "the settings file does not exist"),
        (b"[area\nname = 1", "is not TOML"),
        (b"[area]\nname = '\xff'", "cannot be read"),
        (b"", "key 'sources': the key is missing"),
    ],
)
def test_settings_file_that_cannot_be_used(tmp_path, content, message):
    """A settings file that is missing, broken or empty is named with the reason."""
    file = tmp_path / "patrolplan.toml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(SettingsError) as error:
        load_settings(file)
    assert str(file) in str(error.value)
    assert message in str(error.value)


def test_folder_instead_of_settings_file(tmp_path):
    """A folder given for the settings file is named as one."""
    with pytest.raises(SettingsError, match="is a folder"):
        load_settings(tmp_path)


def test_a_bicycle_slower_than_walking_is_refused():
    """A bicycle slower than walking is refused; on foot its speed does not matter."""
    [problem] = _problems(patrol={"way": "bicycle", "cycling_speed_kmh": 4})
    assert "cycling_speed_kmh 4 is below walking_speed_kmh 4.8" in problem
    assert _settings(patrol={"cycling_speed_kmh": 4}).patrol.way == "walk"


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


def test_a_ledger_is_in_a_database_that_is_known():
    """Another kind of address is refused, and its password not shown."""
    (problem,) = _problems(ledger={"url": "mysql://lead:s3cr3t@host/doses"})
    assert "begins with 'mysql' is not a ledger; write sqlite:///FILE" in problem
    assert "s3cr3t" not in problem


def test_a_time_of_day_of_toml_is_accepted(tmp_path):
    """TOML has times of its own: without seconds they are as good as text."""
    file = tmp_path / "patrolplan.toml"
    sources = "".join(f"{name} = '{path}'\n" for name, path in SOURCES.items())
    file.write_text(f"[sources]\n{sources}[patrol]\ndefault_finish_time = 15:40:00\n", "utf-8")
    assert load_settings(file).patrol.default_finish_time == time(15, 40)


def test_a_byte_order_mark_is_accepted(tmp_path):
    """Notepad begins a file with one."""
    file = tmp_path / "patrolplan.toml"
    sources = "".join(f"{name} = '{path}'\n" for name, path in SOURCES.items())
    file.write_text(f"[sources]\n{sources}", encoding="utf-8-sig")
    assert load_settings(file).sources.schools == ("s.csv",)


@pytest.mark.parametrize("text", ["a = " + "[" * 100_000, "a = " + "9" * 5000])
def test_a_file_beyond_all_bounds_is_refused(tmp_path, text):
    """Tables without end and numbers too long to be read end in a message."""
    file = tmp_path / "patrolplan.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match="is not TOML"):
        load_settings(file)


def test_a_model_may_be_written_with_other_signs():
    """A risk model is known by its words, as tables and files write them."""
    assert _settings(risk={"model": "Network_Kernel"}).risk.model == "network kernel"
