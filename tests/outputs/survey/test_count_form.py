"""The form for counting at three corners, from paper and phone to a card that says so."""

import shutil
from pathlib import Path

import pytest
from outputs import printed
from page_access import CONTRAST, SMALL
from survey_areas import HOSTILE, make_hostile

from patrolplan.inputs.small_tables import read_counts
from patrolplan.outputs.survey.count_pack import write_count_pack

URN = "900003"
SMALL_PHONE = {"width": 360, "height": 740}
SPANS = [f"15:{minute:02}-15:{minute + 5:02}" for minute in range(20, 50, 5)]


@pytest.fixture(scope="module")
def pack(demo_area, tmp_path_factory):
    """The forms of a school of the demo, whose name and streets try to be code."""
    hostile = make_hostile(demo_area, URN)
    return write_count_pack(hostile, URN, tmp_path_factory.mktemp("count") / "out")


def _read_paper(path):
    return printed._run_pdftotext(path.read_bytes(), "-layout")


def test_the_paper_is_one_page_with_three_corners(pack, demo_area):
    """Rows of five minutes from the bell and one for clubs, at each; no number of pupils."""
    pages = _read_paper(pack / f"count-{URN}.pdf").split("\f")
    assert len(pages) == 2  # and nothing after the first
    for span in SPANS:
        assert pages[0].count(span.replace("-", "\N{EN DASH}")) == 3
    assert pages[0].count("16:05\N{EN DASH}16:35") == 3  # clubs end
    assert pages[0].count("m from the gate") == 3
    assert "St. <script>" in pages[0]
    write_count_pack(make_hostile(demo_area, URN), URN, pack)  # it may be replaced


def test_a_tap_counts_a_pupil_and_the_file_is_read(open_offline, pack, demo_area, tmp_path):
    """What is entered is in the file, empty rows are not; no word about a person is asked for."""
    visit = open_offline((pack / f"count-{URN}.html").read_text(encoding="utf-8"), SMALL_PHONE)
    visit.page.clock.set_fixed_time("2026-12-03T15:26:00")  # six minutes after the bell
    page = visit.open()
    assert min(ratio for ratio, *_ in page.evaluate(CONTRAST)) >= 4.5
    assert page.evaluate(SMALL, 44) == []
    kinds = page.eval_on_selector_all("input, textarea", "all => all.map(one => one.type)")
    assert set(kinds) == {"date", "time", "number"}
    assert HOSTILE[:20] in page.locator(".school").text_content()
    page.locator("#save").tap()
    assert page.locator("#news").text_content() == "Nothing is counted yet."
    rows = page.locator(".row")
    assert (rows.count(), page.locator(".row[aria-current=time]").count()) == (3 * 7, 3)
    for _ in range(4):
        rows.nth(1).locator(".add").tap()
    rows.nth(1).locator(".step").tap()
    rows.nth(9).locator(".pupils").fill("23")
    rows.nth(10).locator(".pupils").fill("0")
    clubs = rows.nth(13)
    for name, time in (("from", "16:20"), ("to", "16:10")):
        clubs.locator(f".{name}").fill(time)
    clubs.locator(".add").tap()
    page.locator("#save").tap()
    assert "must be later" in page.locator("#news").text_content()
    clubs.locator(".to").fill("16:50")
    assert page.evaluate("document.documentElement.scrollWidth") <= SMALL_PHONE["width"]
    with page.expect_download() as download:
        page.locator("#save").tap()
    assert download.value.suggested_filename == f"count-{URN}-2026-12-03.csv"
    path = shutil.copy(download.value.path(), tmp_path / "count.csv")
    table = read_counts([Path(path)], demo_area.projection)
    assert table["pupils"].tolist() == [3, 23, 0, 1]
    assert (table["from_minutes"] - 920).tolist() == [5, 10, 15, 60]
    assert table["date"].dt.strftime("%Y-%m-%d").unique().tolist() == ["2026-12-03"]
    assert table.geometry.nunique() == 2
    assert demo_area.network.snap(table.geometry.get_coordinates()).moved_metres.max() < 5


def test_from_the_form_to_the_card_in_one_run(run, demo, copy_demo, tmp_path):
    """Form, counts read and checked, settings, and a card that says when was counted."""
    settings = copy_demo(tmp_path, "2026-08", "2026-09")
    out = tmp_path / "form"
    assert run("survey", "--count", "--school", URN, "--out", out, "--config", settings)[0] == 0
    assert (out / f"count-{URN}.pdf").exists()
    counted, read = demo.parent / "counts.csv", tmp_path / "read.csv"
    args = ("survey", "--read-counts", "--config", settings, "--out", read)
    code, said, _ = run(*args, counted)
    assert code == 0
    assert "21 counts of 1 school" in said
    assert read.read_bytes() == counted.read_bytes()
    code, _, error = run(*args, counted, shutil.copy(counted, tmp_path / "again.csv"))
    assert code == 1
    assert "counted twice" in error
    assert run(*args)[0] == 2
    text = settings.read_text().replace("[sources]", '[sources]\ncounts = "read.csv"')
    settings.write_text(text)
    plan = tmp_path / "plan"
    assert run("plan", "--school", URN, "--config", settings, "--out", plan)[0] == 0
    assert "counted on 3 December" in " ".join(_read_paper(plan / "cards.pdf").split())
