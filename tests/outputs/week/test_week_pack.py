"""A week as a folder, with each officer's cards, and on the phone, chosen by day and officer."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path
from unittest.mock import Mock

import pytest
from outputs.printed import find_words_off_page, read_pages, strip_spaces
from page_visits import DESK, PHONE, Visit

import patrolplan as pp
from patrolplan.errors import LedgerError, OutputError
from patrolplan.outputs.papers import WEEK_PAPERS
from patrolplan.outputs.week import week_pack
from patrolplan.outputs.week.roster import Roster
from patrolplan.outputs.week.week_pack import render_week_map
from patrolplan.team.week import format_day
from patrolplan.team.week_file import build_week_document, read_week
from patrolplan.times import format_time

SLOW_DESK = pytest.param(DESK, marks=pytest.mark.slow)


def _keep(week, *officers):
    """The week with the duties of some officers."""
    return replace(week, duties=tuple(duty for duty in week.duties if duty.officer in officers))


@pytest.fixture(scope="module")
def hand(week):
    """That of one officer."""
    return _keep(week, "SSO-01")


@pytest.fixture(scope="module")
def folder(hand, tmp_path_factory):
    """That week, written whole."""
    return pp.write_pack(hand, tmp_path_factory.mktemp("week") / "out")


def files(folder):
    """Names of all files of a folder."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_folder_holds_what_a_week_is(hand, folder):
    """Tables, map, sheets, cards and cover are there and in the manifest, no more; none is cut."""
    duties = {f"cards/SSO-01/{duty.date}-{duty.urn}.pdf" for duty in hand.duties}
    schools = {f"schools/{duty.urn}.pdf" for duty in hand.duties}
    posters = {f"posters/{urn}.pdf" for urn in hand.plan.area.schools["urn"]}
    fixed = {"week.json", "hotspots.geojson", "week.csv", "unmet.csv", "demands.csv", "map.html"}
    fixed |= {"notes.txt", "tasks.pdf", "lead.pdf", "calendars/SSO-01.ics", "cards/SSO-01.pdf"}
    assert files(folder) == fixed | duties | schools | posters | {"manifest.json"}
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert set(manifest["files"]) == fixed | duties | schools | posters
    for paper in WEEK_PAPERS:
        is_there = any(map(paper.matches, manifest["files"]))
        assert is_there != paper.name.startswith("part/")  # the board's
    for name in manifest["files"]:  # so that it is listed, marked out of date and purged
        assert any(paper.matches(name) for paper in WEEK_PAPERS)
    document = json.loads((folder / "week.json").read_text(encoding="utf-8"))
    assert document == build_week_document(hand)
    assert find_words_off_page((folder / "cards" / "SSO-01.pdf").read_bytes()) == []


@pytest.fixture(scope="module")
def few(week):
    """That of some officers."""
    return _keep(week, "SSO-01", "SSO-04", "SSO-07")


@pytest.fixture(scope="module")
def roll(few):
    """It, ready to be written down."""
    return Roster(few)


@pytest.fixture(scope="module")
def part(few, tmp_path_factory):
    """The papers of one of them."""
    return pp.write_pack(few, tmp_path_factory.mktemp("part") / "out", officer="SSO-07")


def test_an_officers_papers_alone(few, part):
    """With an officer named, only their papers are printed; the tables stay whole."""
    names = files(part)
    own = [duty for duty in few.duties if duty.officer == "SSO-07"]
    cards = {f"cards/SSO-07/{duty.date}-{duty.urn}.pdf" for duty in own}
    assert {name for name in names if name.startswith("cards/")} == cards | {"cards/SSO-07.pdf"}
    assert {name for name in names if name.startswith("schools/")} == {"schools/900008.pdf"}
    assert not [name for name in names if name.startswith("posters/")]
    rows = (part / "week.csv").read_text(encoding="utf-8-sig").splitlines()
    assert len(rows) == 1 + len(few.duties) > 1 + len(own)
    (sheet,) = read_pages((part / "tasks.pdf").read_bytes())
    assert "SSO-07" in sheet


def test_hostile_names_stay_in_the_folder(hostile, tmp_path):
    """With any names of officers, files have plain names, and the name is printed."""
    first = replace(hostile, duties=hostile.duties[:2])
    out = pp.write_pack(first, tmp_path / "out", date=first.start)
    assert {path.name for path in tmp_path.iterdir()} == {"out"}
    names = {name for name in files(out) if name.startswith("cards/")}
    assert len(names) == 4
    roll = Roster(hostile)
    for duty in first.duties:
        assert roll.card_path(duty) in names
        book = out / "cards" / f"{Path(roll.card_path(duty)).parent.name}.pdf"
        assert strip_spaces(duty.officer) in read_pages(book.read_bytes())[0]


def test_a_part_does_not_take_the_place_of_the_whole_week(few, folder, part):
    """The papers of one officer are refused where those of the week are; all of them stay."""
    before = files(folder)
    with pytest.raises(OutputError, match="name another folder with --out, or leave out --officer"):
        pp.write_pack(few, folder, officer="SSO-07")
    assert files(folder) == before
    with pytest.raises(OutputError, match="leave out --officer and --date"):
        pp.write_pack(few, part, officer="SSO-01")
    again = pp.write_pack(few, part, officer="SSO-07")
    assert files(again) == files(part)


@pytest.fixture(scope="module")
def duty(roll):
    """A duty of a day on which not every officer has one."""
    everyone = {duty.officer for duty in roll.week.duties}
    busy = {(duty.officer, duty.date) for duty in roll.week.duties}
    return next(duty for duty in roll.week.duties if {(one, duty.date) for one in everyone} - busy)


@pytest.fixture(scope="module", params=[PHONE, SLOW_DESK], ids=["phone", "desk"])
def page(request, browser, roll, tmp_path_factory):
    """The week's page with the network off; it must ask for nothing and complain of nothing."""
    file = tmp_path_factory.mktemp("week") / "map.html"
    file.write_bytes(render_week_map(roll))
    context = browser.new_context(viewport=request.param, offline=True)
    visit = Visit(context.new_page(), file)
    yield visit.open()
    visit.assert_quiet()


def offered(page):
    """Addresses of the patrols that the list offers."""
    return page.locator("#patrol-choice option").evaluate_all("all => all.map((o) => o.value)")


def test_day_and_officer_choose(roll, duty, page):
    """A day offers its patrols and draws them all; an officer as well leaves their own."""
    page.select_option("#officer-choice", "")
    page.select_option("#day-choice", f"{duty.date}")
    of_day = [other for other in roll.week.duties if other.date == duty.date]
    assert len(offered(page)) == len(of_day)
    drawn = page.locator(".leaflet-beside-pane path").count()
    assert drawn == len(of_day) - 1
    page.select_option("#officer-choice", duty.officer)
    (own,) = offered(page)
    assert own == f"{duty.date}-{duty.urn}-{duty.officer}"
    assert page.evaluate("location.hash") == f"#{own}"
    about = f"{format_day(duty.date)}, {duty.officer}, set out {format_time(duty.leave_minutes)}"
    assert about in page.locator(".patrol:visible .about").inner_text()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_an_address_outside_the_choice_widens_it(roll, duty, page):
    """An address of another day's patrol shows that patrol and offers all again."""
    page.select_option("#day-choice", f"{duty.date}")
    other = next(other for other in roll.week.duties if other.date != duty.date)
    address = f"{other.date}-{other.urn}-{other.officer}"
    page.evaluate("id => { location.hash = `#${id}`; }", address)
    page.wait_for_selector(f'[data-patrol="{address}"]:visible')
    assert len(offered(page)) == len(roll.week.duties)
    assert page.locator("#day-choice").input_value() == ""


def test_names_of_officers_open_no_tag(hostile):
    """Officers' names are text in the page, and their addresses are plain."""
    html = render_week_map(Roster(hostile)).decode()
    assert "<script>alert(1)" not in html
    assert "=HYPERLINK(&#34;http://x&#34;)" in html
    assert re.findall(r'<option value="([^"]*)"', html)
    assert all(re.fullmatch(r"[\w-]*", v) for v in re.findall(r'<option value="([^"]*)"', html))


def test_a_ledger_out_of_reach_is_not_known(week, monkeypatch):
    """Where the ledger cannot be reached, the papers are written, and claim no presence."""
    monkeypatch.setattr(week_pack, "load_recent_presence", Mock(side_effect=LedgerError))
    urn = week.duties[0].urn
    sheets = week_pack.build_school_papers(Roster(week), week.duties[:1], is_whole=True)
    data = sheets[f"schools/{urn}.pdf"].data
    assert {answer["before"] for answer in data["answers"]} == {""}
    assert data["unrecorded"].startswith("No visits are recorded")
    assert data["heard"] == "we heard you"
    assert not sheets[f"posters/{urn}.pdf"].data["was_there"]


def test_only_changed_papers_are_typeset(hand, folder, tmp_path, monkeypatch):
    """A week read again draws no card; with a patrol less, its cards and sheets, and no poster."""
    out = tmp_path / "out"
    shutil.copytree(folder, out)
    typeset, render = [], week_pack.render_card_books

    def record(books, **options):
        typeset.extend(books)
        return render(books, **options)

    def record_sheet(sheet, plan):
        typeset.append(sheet.template)
        return render_sheet(sheet, plan)

    render_sheet = week_pack.Sheet.render
    monkeypatch.setattr(week_pack, "render_card_books", record)
    monkeypatch.setattr(week_pack.Sheet, "render", record_sheet)
    again = read_week(out, hand.plan.area, hand.plan)
    pp.write_pack(again, out)
    assert typeset in ([], ["lead.typ"])
    pairs = {name: (out / name, folder / name) for name in files(out)}
    changed = {name for name, (a, b) in pairs.items() if a.read_bytes() != b.read_bytes()}
    assert changed <= {"lead.pdf", "notes.txt"}  # notes of a week that was read again

    typeset.clear()
    officer = again.duties[0].officer
    pp.write_pack(replace(again, duties=again.duties[1:]), out)
    assert b"STATUS:CANCELLED" not in (folder / f"calendars/{officer}.ics").read_bytes()
    assert b"STATUS:CANCELLED" in (out / f"calendars/{officer}.ics").read_bytes()
    book, *sheets = typeset
    assert len(book.cards) == len(hand.duties) - 1
    assert {*sheets} <= {"tasks.typ", "lead.typ", "school.typ"}
