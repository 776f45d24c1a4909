"""Code blocks run, pictures show the plan of today, notebooks hold no outputs."""

import functools
import importlib.util
import json
import re
import shlex
import shutil
import tomllib
from pathlib import Path

import matplotlib as mpl
import pytest
import typer
from matplotlib import pyplot as plt

import patrolplan as pp
from patrolplan import area as area_room, cli
from patrolplan.area import load_area
from patrolplan.risk import estimate as risk_room
from patrolplan.risk.estimate import estimate_risk
from patrolplan.settings import Settings, load_settings, parse_settings

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SHOWN_ONLY = {"text", "csv"}
"""Not code: drawings, formulas, examples of files."""
SCHOOLS = ["900001", "900002", "900003", "900005", "900006"]
"""Those that the pages name, and two more: a command draws no other page for a whole borough."""
GENERATED = {"settings.md", "commands.md", "tables.md", "documents.md", "changes.md"}
PAGES = sorted(
    path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md") if path.name not in GENERATED
)


def _blocks_of(page):
    """Language, text and first line of each fenced block."""
    text = (DOCS / page).read_text(encoding="utf-8")
    found = BLOCK.finditer(text)
    return [(one[1], one[2], text[: one.start()].count("\n") + 2) for one in found]


@pytest.fixture(scope="module")
def borough(demo, tmp_path_factory):
    """The working folder: the demo borough's files with five of its schools, and nothing else."""
    folder = tmp_path_factory.mktemp("borough") / "work"
    shutil.copytree(demo.parent, folder, ignore=shutil.ignore_patterns("demo", "*.py", "__pyc*"))
    settings = folder / demo.name
    text = settings.read_text(encoding="utf-8")
    assert "[schools]" not in text
    settings.write_text(f"{text}\n[schools]\nurns = {json.dumps(SCHOOLS)}\n", encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        _once(patch)
        mpl.use("Agg")
        yield folder
    plt.close("all")


def _once(patch):
    """Read the borough and estimate its risk once for all pages."""
    areas, estimate_once = {}, functools.lru_cache(estimate_risk)

    def read(settings):
        if not isinstance(settings, Settings):
            settings = load_settings(settings)
        key = settings.model_dump_json()
        if key not in areas:
            areas[key] = load_area(settings)
        return areas[key]

    for module in (pp, area_room):
        patch.setattr(module, "load_area", read)
    for module in (pp, risk_room):
        patch.setattr(module, "estimate_risk", estimate_once)


def _run_shell(text, monkeypatch):
    for line in text.splitlines():
        words = shlex.split(line, comments=True)
        if not words:
            continue
        assert words[0] == "patrolplan", f"only our own commands are run: {line}"
        monkeypatch.setattr("sys.argv", words)
        with pytest.raises(SystemExit) as ended:
            cli.main()
        assert not ended.value.code, line


LONG_PAGES = {
    "how-to/cluster.md", "how-to/hexagons.md", "how-to/own-model.md", "methods/hotspots.md",
    "methods/week.md", "reference/results.md", "start/lead.md", "start/officer.md",
}  # fmt: skip
"""Pages that start a cluster, plan a whole borough or a week, or test models on past months."""


WITH_BLOCKS = [
    pytest.param(page, marks=pytest.mark.slow if page in LONG_PAGES else ())
    for page in filter(_blocks_of, PAGES)
]


@pytest.mark.parametrize("page", WITH_BLOCKS)
def test_every_block_of_a_page_runs(page, borough, monkeypatch):
    """Python in one go down the page, commands with exit code 0, settings without a problem."""
    names = {"__name__": "__main__"}
    for language, text, line in _blocks_of(page):
        if language == "python":
            code = compile("\n" * (line - 1) + text, str(DOCS / page), "exec")
            exec(code, names)  # noqa: S102 - our own pages
        elif language == "sh":
            _run_shell(text, monkeypatch)
        elif language == "toml":
            parse_settings(tomllib.loads(text), folder=borough)
        else:
            assert language in SHOWN_ONLY, f"{page}:{line}: who runs {language}?"


SHOWN_COMMAND = re.compile(r"`patrolplan ([a-z][^`]*)`|^patrolplan ([a-z].*)$", re.MULTILINE)


def _parse_command(text):
    name, *args = shlex.split(text)
    command = typer.main.get_command(cli.app).commands[name]
    context = command.make_context(name, [], resilient_parsing=True)
    context.resilient_parsing = False
    command.make_parser(context).parse_args(args)


@pytest.mark.parametrize("page", [*PAGES, "../README.md"])
def test_commands_that_are_only_shown_exist(page):
    """Those in sentences and tables, and those that would need a network: no wrong option."""
    for found in SHOWN_COMMAND.finditer((DOCS / page).read_text(encoding="utf-8")):
        _parse_command((found[1] or found[2]).replace("\n", " "))


def test_a_wrong_option_would_be_found():
    """Parsing is not so lenient that it lets one pass."""
    with pytest.raises(Exception, match="No such option"):
        _parse_command("plan --scool 900003")


NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_user_changes_one_line_and_no_output_is_kept(path):
    """The settings file is named once, by the line to change; cells are short and did not run."""
    cells = [cell for cell in json.loads(path.read_bytes())["cells"] if cell["cell_type"] == "code"]
    lines = [line for cell in cells for line in "".join(cell["source"]).splitlines()]
    named = [line for line in lines if "SETTINGS =" in line]
    assert named == ['SETTINGS = pp.demo_settings()  # your own: SETTINGS = "patrolplan.toml"']
    assert not any("patrolplan." in line and "import" in line for line in lines)
    assert all((cell["outputs"], cell["execution_count"]) == ([], None) for cell in cells)
    assert max(len(cell["source"]) for cell in cells) <= 15


IMAGES = DOCS / "images"
STALE = "the pictures show another plan: run python docs/images/make_images.py, and look at them"


@pytest.fixture(scope="module")
def maker():
    """The script that makes the pictures."""
    spec = importlib.util.spec_from_file_location("make_images", IMAGES / "make_images.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def shown():
    """What the pictures are noted to show."""
    return json.loads((IMAGES / "shown.json").read_text("utf-8"))


def test_pictures_are_small_and_each_is_on_a_page(maker):
    """No picture is larger than the script allows, and none is stored that no page shows."""
    text = "".join(path.read_text("utf-8") for path in IMAGES.parent.rglob("*.md"))
    pictures = sorted(IMAGES.glob("*.png"))
    assert len(pictures) >= 15
    assert [one.name for one in pictures if one.stat().st_size > maker.MAX_BYTES] == []
    assert [one.name for one in pictures if f"images/{one.name}" not in text] == []


def test_card_and_map_show_the_patrol_of_today(maker, shown, run, demo, tmp_path):
    """Times and places in the pictures of card and map are those of the demo's plan."""
    out = tmp_path / "plan"
    school = ("--school", maker.SCHOOL)
    code, output, _ = run("plan", "--config", demo, *school, "--out", out, "--json")
    assert code == 0
    assert shown["patrol"] == maker.patrol_shown(json.loads(output)), STALE


@pytest.mark.slow
def test_the_week_shown_is_the_week_of_today(maker, shown, run, demo):
    """Who is where in the picture of the week is what the README's command chooses."""
    code, output, _ = run("week", "--config", demo, "--from", maker.MONDAY, "--json")
    assert code == 0
    assert shown["week"] == maker.week_shown(json.loads(output)), STALE
