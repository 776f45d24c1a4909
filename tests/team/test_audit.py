"""A week is drawn again and compared: what was changed since is found, and what cannot be said."""

import datetime as dt
from dataclasses import replace

import pytest

from patrolplan.cli.week import build_audit_document, describe_audit
from patrolplan.team.audit import audit_week
from patrolplan.team.draw import make_draw_key
from patrolplan.team.rota import plan_week
from patrolplan.team.solve import SearchLimits
from patrolplan.team.week_records import Ban, HandChange

MONDAY = dt.date(2026, 11, 30)
QUICK = SearchLimits(nodes=1, moves_per_school=1000)
SECRET = bytes(range(32))


@pytest.fixture(scope="module")
def area(demo_area, tmp_path_factory):
    """The demo borough with a secret of its own."""
    return _with_secret(demo_area, tmp_path_factory.mktemp("secret"), SECRET)


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
    key = make_draw_key(area, MONDAY, 2)
    return plan_week(area, plan, start=MONDAY, bans=bans, stop=QUICK, key=key)


def test_a_week_as_drawn_holds(week, area, plan):
    """Nothing differs, and the answer names the draw."""
    audit = audit_week(week, area, plan)
    assert (audit.verdict, audit.withdrawn, audit.new) == ("holds", (), ())
    assert describe_audit(audit) == [
        f"The draw holds: draw number 2, commitment {week.draw.commitment}.",
        "Every patrol is as drawn.",
    ]
    assert build_audit_document(audit)["number"] == 2


@pytest.mark.slow
def test_changes_hold_only_where_they_are_on_record(week, area, plan):
    """A patrol less, another minute: named, and refused where no line of history says why."""
    gone, later = week.duties[0], week.duties[1]
    stops = tuple(
        replace(stop, arrive_minutes=stop.arrive_minutes + 3) for stop in later.patrol.stops
    )
    moved = replace(later, patrol=replace(later.patrol, stops=stops))
    changed = replace(week, duties=(moved, *week.duties[2:]))
    audit = audit_week(changed, area, plan)
    assert audit.verdict == "unrecorded"
    assert {(duty.officer, duty.urn) for duty in audit.withdrawn} == {
        (duty.officer, duty.urn) for duty in (gone, later)
    }
    assert audit.new == (moved,)
    assert describe_audit(audit)[0].startswith("The draw does not hold: patrols were changed")
    recorded = replace(changed, history=(HandChange("2026-11-27 14:00", "Removed: one"),))
    audit = audit_week(recorded, area, plan)
    assert audit.verdict == "holds"
    assert describe_audit(audit)[-1] == "recorded: 2026-11-27 14:00 Removed: one"


@pytest.mark.slow
def test_another_digest_or_number_does_not_hold(week, area, plan):
    """A file that claims another draw than its key makes is found out."""
    forged = replace(week, draw=replace(week.draw, digest="0" * 64))
    assert audit_week(forged, area, plan).verdict == "differs"
    first = make_draw_key(area, MONDAY, 1)
    renumbered = replace(week.draw, number=1, commitment=first.commitment)
    audit = audit_week(replace(week, draw=renumbered), area, plan)
    assert audit.verdict == "differs"
    assert describe_audit(audit)[0].startswith("The draw does not hold: draw number 1")


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
        audit = audit_week(case, now, plan)
        assert (audit.verdict, audit.obstacle) == ("impossible", obstacle)
        assert describe_audit(audit)[0].startswith("The draw cannot be audited: ")
