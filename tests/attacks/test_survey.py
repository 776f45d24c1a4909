"""An attacker holds what `survey --read` writes and prints, or writes survey files themselves.

What two sets of files must agree in is counted here by hand, apart from the program's own table.
"""

import copy
import datetime as dt
import json
import re
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings, strategies as st
from survey_forms import ID, answer, answers_file, save, tally_file, tally_square

from patrolplan.crs import find_squares
from patrolplan.errors import InputError
from patrolplan.inputs import survey_reading
from patrolplan.inputs.survey_reading import build_reading_document, describe_reading

TODAY = dt.date(2026, 11, 26)
STEP = 5

WORDS = (
    st.sampled_from(["lunch", "after_school", "unknown"]),
    st.sampled_from(["isolated", "poor_lighting", "none"]),
    st.sampled_from(["followed", "none"]),
)
COLUMNS = ("time_band", "place_factor", "behaviour_factor")
WITHIN = st.floats(-0.0004, 0.0004)


def _lie_at(column, x, y):
    place = (0.8803 + 0.0036 * column + x, 51.5319 + y)
    return {"longitude": round(place[0], 6), "latitude": round(place[1], 6)}


ANSWER = st.builds(
    lambda *drawn: answer(**dict(zip(COLUMNS, drawn[3:], strict=True)), **_lie_at(*drawn[:3])),
    *(st.integers(0, 2), WITHIN, WITHIN, *WORDS),
)
CROWD = st.lists(ANSWER, max_size=40)
DAYS, ISOLATED = ("2026-10-08", "2026-03-05"), {"isolated": 3}


def _write(folder, classes):
    """A file for each class: its pupils and its answers, a few decimetres from another class's."""
    paths = []
    for number, (pupils, given_) in enumerate(classes):
        moved = [one | {"longitude": one["longitude"] + 2e-6 * number} for one in given_]
        own = answers_file(moved, pupils=pupils, day=DAYS[number], id=f"{number}" * 32)
        paths.append(save(folder / f"{number}.json", own))
    return paths


def _build_classes(pupils, crowds):
    """Classes of so many pupils; one answer of each is its own, so that none is a copy."""
    return [(pupils, [*given_, answer(9 + number)]) for number, given_ in enumerate(crowds)]


def _observe(folder, paths, **options):
    """All that can be seen of a reading: both files, and what is printed."""
    out = folder / "out" / "reports.csv"
    for path in out.parent.glob("*"):
        path.unlink()
    options = {"urns": None, "threshold": STEP, "today": TODAY} | options
    reading = survey_reading.take_in_surveys(paths, out, **options)
    written = {path.name: path.read_bytes() for path in out.parent.iterdir()}
    return written, describe_reading(reading), build_reading_document(reading)


def _read(folder, classes):
    return _observe(folder, _write(folder, classes))


def _square_of(one):
    return tuple(find_squares([[one["longitude"], one["latitude"]]])[0].tolist())


def count_by_hand(classes):
    """What may be known: counts by square, word and term, and of pupils, in steps."""
    held, gave, made = Counter(), Counter(), Counter()
    for number, (_, given_) in enumerate(classes):
        for one in given_:
            square = _square_of(one)
            held[square] += 1
            made[square, DAYS[number]] += 1
            for column in COLUMNS:
                if one[column] not in {"none", "unknown"}:
                    gave[square, one[column]] += 1
    few = sum(count for count in held.values() if count < STEP)
    counts = {what: count // STEP for what, count in (held + gave + made).items() if count >= STEP}
    return counts, few // STEP, [pupils // STEP for pupils, _ in classes]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder for many readings, one after the other."""
    return tmp_path_factory.mktemp("survey")


ANY = settings(suppress_health_check=[HealthCheck.filter_too_much])


@ANY
@given(st.tuples(CROWD, CROWD), ANSWER, st.integers(0, 1), st.integers(45, 49))
def test_one_answer_more_shows_only_where_a_step_is_passed(folder, crowds, more, which, pupils):
    """Between multiples of five neither reports, nor record, nor what is printed changes a byte."""
    before = _build_classes(pupils, crowds)
    after = copy.deepcopy(before)
    after[which][1].append(more)
    assume(count_by_hand(before) == count_by_hand(after))
    assert _read(folder, before) == _read(folder, after)


@ANY
@given(st.tuples(CROWD, CROWD), st.integers(41, 60), st.integers(41, 60))
def test_one_pupil_who_marked_nothing_shows_only_at_a_step(folder, crowds, one, other):
    """How many took part is known in steps of five."""
    views = [_read(folder, _build_classes(pupils, crowds)) for pupils in (one, other)]
    assert (views[0] == views[1]) == (one // STEP == other // STEP)


@given(CROWD, st.lists(st.tuples(WITHIN, WITHIN), min_size=1, max_size=40))
def test_where_in_its_square_a_pupil_tapped_is_lost(folder, crowd, moves):
    """Pins moved within their squares give the same bytes."""
    moved = []
    for number, one in enumerate(crowd):
        column = round((one["longitude"] - 0.8803) / 0.0036)
        moved.append(one | _lie_at(column, *moves[number % len(moves)]))
    assume(list(map(_square_of, crowd)) == list(map(_square_of, moved)))
    assert _read(folder, [(50, crowd)]) == _read(folder, [(50, moved)])


@given(st.tuples(CROWD, CROWD), st.randoms(use_true_random=False))
def test_which_answers_were_of_one_pupil_is_lost(folder, crowds, random):
    """Answers in any order, and files in any order, give the same bytes."""
    classes = _build_classes(50, crowds)
    seen = _read(folder, classes)
    paths = _write(folder, [(50, random.sample(given_, len(given_))) for _, given_ in classes])
    assert _observe(folder, paths[::-1]) == seen


@given(CROWD, CROWD)
def test_words_that_stood_together_are_not_known(folder, crowd, other):
    """Which words one pupil gave does not show: columns shuffled by square give the same bytes."""
    by_square = {}
    for one in [*crowd, *other]:
        by_square.setdefault(_square_of(one), []).append(one)
    turned = [
        one | {"time_band": following["time_band"]}
        for same in by_square.values()
        for one, following in zip(same, same[1:] + same[:1], strict=True)
    ]
    assert _read(folder, [(90, [*crowd, *other])]) == _read(folder, [(90, turned)])


@given(st.lists(st.tuples(st.integers(0, 14), st.integers(0, 14)), min_size=1, max_size=4))
def test_one_pupil_more_on_paper_shows_only_at_a_step(folder, counts):
    """Tallies of the same counts in steps, by square and by word, give the same bytes."""
    views, steps = [], []
    for tallies in zip(*counts, strict=True):
        held = [
            tally_square((27700, 2393 + k, 738), n, time_band={"lunch": n}, place_factor=ISOLATED)
            for k, n in enumerate(tallies)
            if n >= 3
        ]
        views.append(_observe(folder, [save(folder / "t.json", tally_file(held, pupils=30))]))
        few = sum(count for count in tallies if 3 <= count < STEP)
        steps.append(([count // STEP for count in tallies], few // STEP))
    assert (views[0] == views[1]) == (steps[0] == steps[1])


def test_the_area_and_its_schools_decide_nothing_that_is_counted(folder):
    """Runs under two lists of schools cannot be subtracted: a file is read whole, or refused."""
    paths = _write(folder, [(50, [answer(k % 3) for k in range(19)])])
    seen = [_observe(folder, paths, urns=urns) for urns in (None, {"900003"}, {"900003", "1"})]
    assert seen[0] == seen[1] == seen[2]
    with pytest.raises(InputError):
        _observe(folder, paths, urns={"900001"})


def test_neither_place_nor_day_nor_number_is_written(folder):
    """Of pins, days and pupils as they were, no digit pattern stands in what is written."""
    given_ = [answer(latitude=51.531521 + k / 1e5) for k in range(13)]
    written, lines, document = _read(folder, [(47, given_)])
    text = b"\n".join(written.values()).decode() + "\n".join(lines) + json.dumps(document)
    text = text.replace(f"{folder}", "")  # the number of a run of tests is in its name
    for one in given_:
        assert f"{one['latitude']:.6f}" not in text
        assert f"{one['longitude']:.6f}" not in text
    assert "2026-10-08" not in text
    assert not re.search(r"\b(13|47)\b", text)


@pytest.mark.parametrize("changes", [{"pupils": 2}, {"pupils": 1_000_000}, {"pupils": -3}])
def test_a_forged_number_of_pupils_is_refused(tmp_path, changes):
    """More places in a square than pupils, more pupils than a school has, fewer than none."""
    path = save(tmp_path / "a.json", answers_file([answer()] * 5) | changes)
    with pytest.raises(InputError):
        _observe(tmp_path, [path])


def test_copies_of_a_small_file_do_not_pass_the_threshold(tmp_path):
    """Three answers in five files of one ID are three answers."""
    paths = [save(tmp_path / f"{k}.json", answers_file([answer()] * 3, pupils=9)) for k in range(5)]
    written, lines, document = _observe(tmp_path, paths)
    assert document["reports"] == 0
    assert written["reports.csv"].count(b"\n") == 1
    assert sum("it is counted once" in line for line in lines) == 4


HOSTILE = (
    *("Jo Bloggs, 7 Elm Row", "<script>alert(1)</script>", '=cmd|"/c calc"!A1', "../../etc/passwd"),
    *("\x1b[2J\x07", "a\nb,c", "\u202egpj", "'; DROP TABLE reports; --", "x" * 10_000, "\ud800"),
)


@pytest.mark.parametrize("value", HOSTILE, ids=range(len(HOSTILE)))
def test_no_text_of_a_file_reaches_a_message_or_an_output(tmp_path, value):
    """Whatever stands in whatever key, or as a key: the file is refused and nothing is shown."""
    good = answers_file([answer()] * 6)
    tally = tally_file([tally_square((27700, 2393, 738), 7)])
    forged = [good | {key: value} for key in good] + [good | {value: 1}, tally | {value: 1}]
    forged += [answers_file([answer() | {key: value}] * 6) for key in (*answer(), value)]
    forged += [tally_file([tally_square((1, 1, 1), 7, **{key: {value: 5}})]) for key in COLUMNS]
    forged += [tally_file([tally_square((1, 1, 1), 7) | {value: {}}])]
    for document in forged:
        path = save(tmp_path / "a.json", document)
        with pytest.raises(InputError) as error:
            _observe(tmp_path, [path])
        message = str(error.value).replace(f"{path}", "")
        assert value not in message
        assert "Jo" not in message
        assert message.isprintable() or message.replace("\n", "").isprintable()
    assert not (tmp_path / "out" / "reports.csv").exists()


def test_many_wrong_answers_give_a_short_message(tmp_path):
    """A file of thousands of faults does not flood the screen."""
    path = save(tmp_path / "a.json", answers_file([{}] * 9000, pupils=5000))
    with pytest.raises(InputError) as error:
        _observe(tmp_path, [path])
    assert len(str(error.value)) < 2000


def test_a_reading_leaves_nothing_of_a_pupil_behind(tmp_path, monkeypatch):
    """Neither temporary files nor the cache hold anything of the files afterwards."""
    cache = tmp_path / "cache"
    monkeypatch.setenv("PATROLPLAN_CACHE", str(cache))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    path = save(tmp_path / "a.json", answers_file([answer()] * 6, id=ID))
    _observe(tmp_path, [path], delete=True)
    left = {one.relative_to(tmp_path).as_posix() for one in tmp_path.rglob("*") if one.is_file()}
    assert left == {"out/reports.csv", "out/reports.record.json"}


def test_a_file_that_changes_while_it_is_read_is_read_once(tmp_path, monkeypatch):
    """What is checked is what is counted: no second opening can bring in other content."""
    path = save(tmp_path / "a.json", answers_file([answer()] * 6))
    opened, real = [], Path.open

    def watch(one, *args, **options):
        if one == path:
            opened.append(args)
        return real(one, *args, **options)

    monkeypatch.setattr(Path, "open", watch)
    _observe(tmp_path, [path])
    assert len(opened) == 1
