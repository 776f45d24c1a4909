"""The draw: a week near the best by a secret key that decides which, drawn again for an audit."""

import copy
import datetime as dt
import os
import pickle
import stat
from dataclasses import replace

import numpy as np
import pytest
from team import checker, teams

from patrolplan.cli.week import build_audit_document, describe_audit
from patrolplan.errors import InputError
from patrolplan.settings.load import parse_settings
from patrolplan.team import draw, rota, secret as secrets
from patrolplan.team.solve import SearchLimits, solve_rota
from patrolplan.team.walks import DwellMiddles
from patrolplan.team.week_records import Ban, HandChange

MONDAY = dt.date(2026, 11, 30)


def _key(number=1, content=bytes(32)):
    return secrets.Secret(content).make_key("A", MONDAY, number)


@pytest.fixture(scope="module")
def team():
    """A team of twelve schools and eight officers, and its best week."""
    problem = teams.draw_team(12, 8, seed=400)
    return problem, solve_rota(problem, stop=SearchLimits(gap_percent=0.5, moves_per_school=3000))


def test_the_key_decides_and_nothing_else_does(team):
    """Equal keys draw the same week; another number, secret or Monday draws another."""
    problem, best = team
    once, again = (draw.draw_week(problem, best, 0.02, _key()) for _ in range(2))
    assert once.chosen.tolist() == again.chosen.tolist()
    others = [_key(2), _key(content=bytes([1] * 32))]
    weeks = {tuple(draw.draw_week(problem, best, 0.02, key).chosen.tolist()) for key in others}
    assert len(weeks | {tuple(once.chosen.tolist())}) == 3


def test_a_drawn_week_states_its_own_worth_and_the_bound_of_the_best(team):
    """At least 98 % of the best's, with bound, proof and floor unchanged, and every rule kept."""
    problem, best = team
    for number in range(1, 9):
        drawn = draw.draw_week(problem, best, 0.02, _key(number))
        assert drawn.worth == pytest.approx(checker.compute_worth(problem, drawn.chosen))
        assert 0.98 * best.worth <= drawn.worth < best.worth
        assert (drawn.bound, drawn.proven) == (best.bound, best.proven)
        checker.check_floor(problem, best.floor, [drawn.chosen])


def _middles(*timings):
    """Timings of a route: for each a chance, and the minute at each stop in order."""
    return DwellMiddles(
        np.array([range(len(minutes)) for _, *minutes in timings]),
        np.array([minutes for _, *minutes in timings], dtype=float),
        np.array([chance for chance, *_ in timings], dtype=float),
    )


def test_chances_of_one_week_follow_from_its_timings():
    """A cell's chance is its share of the timings; two patrols may both come, or either."""
    # Two officers, a school each; the second hotspot is of both schools' routes.
    problem = teams.build_team([(0, 0, 0), (1, 0, 1)], [0, 1], [(0, 0), (0, 1), (1, 1)], [0.5, 0.2])
    times = [
        draw.count_visit_times(np.array([0, 1]), _middles((0.25, 900, 925), (0.75, 901, 940))),
        draw.count_visit_times(np.array([1]), _middles((0.5, 925), (0.5, 940))),
    ]
    chances = draw.compute_chances(problem, times, [np.array([0, 1])])
    assert chances.shape == (2, 1, draw.QUARTERS)
    assert chances[0, 0, 60] == pytest.approx(1.0)
    assert chances[1, 0, 61] == pytest.approx(1 - 0.75 * 0.5)
    assert chances[1, 0, 62] == pytest.approx(1 - 0.25 * 0.5)
    assert chances.sum() == pytest.approx(1 + 0.625 + 0.875)


@pytest.mark.slow
def test_chances_agree_with_many_drawn_weeks():
    """Counted over 200 weeks that were really drawn, hotspot and day by hotspot and day."""
    problem = teams.draw_team(6, 4, seed=7)
    best = solve_rota(problem, stop=SearchLimits(gap_percent=0.5, moves_per_school=2000))
    routes = range(len(problem.route_school))
    stops = [problem.visits[problem.visits[:, 0] == route, 1] for route in routes]
    times = [draw.count_visit_times(own, _middles((1.0, *[900] * len(own)))) for own in stops]
    chances = draw.compute_chances(problem, times, draw.sample_weeks(problem, best, 0.02, seed=3))
    counted = np.zeros(chances.shape[:2])
    draws = 200
    for number in range(draws):
        drawn = draw.draw_week(problem, best, 0.02, _key(number))
        for cell in checker.sum_minutes_by_day(problem, drawn.chosen)[0]:
            counted[cell] += 1 / draws
    off = np.abs(counted - chances[:, :, 60])
    assert off.mean() < 0.05
    assert off.max() < 0.3


CONTENT = bytes(range(100, 132))


def _settings(folder, name="week.secret"):
    data = {"sources": {"crimes": "c", "schools": "s", "streets": "x"}, "week": {"secret": name}}
    return parse_settings(data, folder=folder)


def test_a_secret_is_created_once_for_its_owner_alone(tmp_path):
    """A new file has 32 bytes of its own; a second call leaves it as it is."""
    paths = [tmp_path / name for name in ("a.secret", "b.secret")]
    assert all(map(secrets.create_secret, paths))
    one, other = (path.read_bytes() for path in paths)
    assert len(one) == len(other) == 32
    assert one != other
    assert not secrets.create_secret(paths[0])
    assert paths[0].read_bytes() == one
    if os.name == "posix":
        assert stat.S_IMODE(paths[0].stat().st_mode) == 0o600
        assert secrets.note_secret(_settings(tmp_path, "a.secret")) == ()


@pytest.mark.parametrize("content", [b"", CONTENT[:31], CONTENT + b"\n"])
def test_a_wrong_secret_is_refused_without_showing_it(tmp_path, content):
    """The error says how long it is, and nothing of what is in it."""
    (tmp_path / "week.secret").write_bytes(content)
    with pytest.raises(InputError, match=f"this file has {len(content)}") as caught:
        secrets.read_secret(_settings(tmp_path))
    assert CONTENT.decode("latin-1")[:4] not in str(caught.value)


@pytest.mark.skipif(os.name != "posix", reason="modes are of POSIX")
def test_a_secret_that_others_can_read_is_noted(tmp_path):
    """The note names the file, not what is in it."""
    path = tmp_path / "week.secret"
    path.write_bytes(CONTENT)
    path.chmod(0o640)
    (note,) = secrets.note_secret(_settings(tmp_path))
    assert (note.key, note.urgency) == ("secret_readable", "fix")
    assert "read the secret week.secret, and so" in note.text


def test_neither_secret_nor_key_shows_itself():
    """Not in print, not in a copy, not in a pickle."""
    secret = secrets.Secret(CONTENT)
    key = secret.make_key("A", MONDAY, 1)
    for hidden in (secret, key, key.derive(1)):
        for text in (repr(hidden), str(hidden), f"{hidden}"):
            assert text == f"<{type(hidden).__name__}>"
        for copied in (pickle.dumps, copy.copy, copy.deepcopy):
            with pytest.raises(TypeError, match="not pickled"):
                copied(hidden)
        assert not hasattr(hidden, "__dict__")


def test_keys_of_different_draws_and_parts_differ():
    """Any part of what a key is for makes another key, and so another commitment and number."""
    secret = secrets.Secret(CONTENT)
    keys = [
        secret.make_key("A", MONDAY, 1),
        secret.make_key("A", MONDAY, 2),
        secret.make_key("B", MONDAY, 1),
        secret.make_key("A", MONDAY + dt.timedelta(days=7), 1),
        secrets.Secret(CONTENT[::-1]).make_key("A", MONDAY, 1),
    ]
    assert len({key.commitment for key in keys}) == len(keys)
    assert len(keys[0].commitment) == 2 * secrets.COMMITMENT_BYTES
    assert keys[0].commitment not in keys[0]._content.hex()  # what is published is no part of it
    parts = [key.derive(*names) for key in keys for names in ((), ("a",), ("a", "b"), ("ab",))]
    assert len({part.draw(2**64) for part in parts}) == len(parts)
    again = _key(content=CONTENT)
    assert again.commitment == keys[0].commitment
    assert again.derive("a").draw(10**9) == keys[0].derive("a").draw(10**9)


def test_a_number_is_as_often_drawn_as_any_other():
    """Six thousand draws of a die give each side about a thousand times."""
    key = _key(content=CONTENT)
    sides = [key.derive(number).draw(6) for number in range(6000)]
    assert all(880 < sides.count(side) < 1120 for side in range(6))


def test_a_key_of_the_seed_commits_to_nothing():
    """Anyone can make it, so it has no commitment; equal seeds give equal keys."""
    key = secrets.make_open_key(7, "A", MONDAY, 1)
    assert (key.commitment, key.is_secret, key.number) == ("", False, 1)
    assert key.derive().draw(2**64) == secrets.make_open_key(7, "A", MONDAY, 1).derive().draw(2**64)
    assert key.derive().draw(2**64) != secrets.make_open_key(8, "A", MONDAY, 1).derive().draw(2**64)


@pytest.fixture(scope="module")
def area(demo_area, tmp_path_factory):
    """The demo borough with a secret of its own."""
    return _with_secret(demo_area, tmp_path_factory.mktemp("secret"), bytes(range(32)))


def _with_secret(area, folder, content):
    """The area with its settings in a folder, which holds this secret if any."""
    if content:
        (folder / "week.secret").write_bytes(content)
        (folder / "week.secret").chmod(0o600)
    moved = area.settings.model_copy()
    moved._folder = folder
    return replace(area, settings=moved)


@pytest.fixture(scope="module")
def week(area, plan):
    """The second draw of a short week."""
    bans = [Ban(date=MONDAY + dt.timedelta(days=day)) for day in (2, 3, 4)]
    key = draw.make_draw_key(area, MONDAY, 2)
    short = SearchLimits(nodes=1, moves_per_school=1000)
    return rota.plan_week(area, plan, start=MONDAY, bans=bans, stop=short, key=key)


def test_a_week_as_drawn_holds(week, area, plan):
    """Nothing differs, and the answer names the draw."""
    audit = rota.audit_week(week, area, plan)
    assert (audit.verdict, audit.withdrawn, audit.new) == ("holds", (), ())
    assert describe_audit(audit) == [
        f"The draw holds: draw number 2, commitment {week.draw.commitment}.",
        "Every patrol is as drawn.",
    ]
    assert build_audit_document(audit)["number"] == 2


def test_changes_hold_only_where_they_are_on_record(week, area, plan, monkeypatch):
    """A patrol less, another minute: refused without a line of history; so is another draw."""
    monkeypatch.setattr(rota, "plan_week", lambda *_, **__: week)  # as the test before this proves
    gone, later = week.duties[:2]
    stops = (replace(one, arrive_minutes=one.arrive_minutes + 3) for one in later.patrol.stops)
    moved = replace(later, patrol=replace(later.patrol, stops=tuple(stops)))
    changed = replace(week, duties=(moved, *week.duties[2:]))
    audit = rota.audit_week(changed, area, plan)
    assert audit.verdict == "unrecorded"
    assert set(audit.withdrawn) == {gone, later}
    assert audit.new == (moved,)
    assert describe_audit(audit)[0].startswith("The draw does not hold: patrols were changed")
    history = (HandChange("2026-11-27 14:00", "Removed: one"),)
    audit = rota.audit_week(replace(changed, history=history), area, plan)
    assert audit.verdict == "holds"
    assert describe_audit(audit)[-1] == "recorded: 2026-11-27 14:00 Removed: one"
    absent = replace(changed, absent={gone.officer: frozenset({gone.date})})
    assert rota.audit_week(absent, area, plan).verdict == "holds"
    forged = replace(week, draw=replace(week.draw, digest="0" * 64))
    audit = rota.audit_week(forged, area, plan)
    assert audit.verdict == "differs"
    assert describe_audit(audit)[0].startswith("The draw does not hold: draw number 2")


def test_what_keeps_a_draw_from_being_made_again_is_named(week, area, plan, tmp_path):
    """No draw, no secret, another secret, other data, another version."""
    (tmp_path / "other").mkdir()
    nobody = _with_secret(area, tmp_path, b"")
    others = _with_secret(area, tmp_path / "other", bytes(32))
    later = replace(week, created_from=week.created_from | {"version": "0"})
    data = replace(week, draw=replace(week.draw, data="0" * 8))
    older = replace(week, created_from=week.created_from | {"inputs": "0"})
    older = replace(older, draw=replace(week.draw, data=""))
    cases = [
        (replace(week, draw=None), area, "not_drawn"),
        (week, nobody, "no_secret"),
        (week, others, "other_secret"),
        (replace(week, draw=replace(week.draw, number=3)), area, "other_secret"),
        (data, area, "other_data"),
        (older, area, "other_data"),
        (later, area, "other_version"),
    ]
    for case, now, obstacle in cases:
        audit = rota.audit_week(case, now, plan)
        assert (audit.verdict, audit.obstacle) == ("impossible", obstacle)
        assert describe_audit(audit)[0].startswith("The draw cannot be audited: ")
