"""Plan against delivered, the same on both databases, and what the next week starts from."""

import datetime as dt
import itertools
import random
from collections import Counter
from dataclasses import replace

import pytest
import shapely
from hexagons import make_hexagons
from hypothesis import HealthCheck, given, settings, strategies as st
from team.entries import make_visit, make_week
from team.slow_counts import list_stops

import patrolplan as pp
from patrolplan.outputs.week.spreadsheet import build_return_tables, write_return
from patrolplan.team.ledger import monthly_return, presence
from patrolplan.team.ledger.ledger import open_ledger
from patrolplan.team.ledger.promised import list_place_ids

MONDAY, FRIDAY = dt.date(2026, 11, 30), dt.date(2026, 12, 4)
DAY = dt.timedelta(days=1)


def _renamed(plan, shift=7):
    """The same hotspots under other names, as next month's plan may have them."""
    names = list(plan.hotspots["hotspot"])
    moved = plan.hotspots.assign(hotspot=names[shift:] + names[:shift])
    return replace(plan, hotspots=moved)


def _visits(visit, count=40, seed=1):
    """Visits of the first doses: full, cut short, or not made; some are never recorded."""
    rng = random.Random(seed)  # noqa: S311 - a test's draw
    recorded = [number for number in range(count) if rng.random() < 0.8]
    return [
        visit(number, rng.choice([15.0, 15.0, 8.5, 0.0]), engagements=rng.choice([None, 0, 3]))
        for number in recorded
    ]


@pytest.fixture
def used(ledger, promised_week, visit):
    """A ledger with a week handed out and most of it recorded."""
    ledger.hand_out(promised_week)
    ledger.record(_visits(visit))
    return ledger


@pytest.mark.parametrize("column", ["officer", "urn", "week", "hotspot", "polygon"])
def test_sums_are_those_of_the_doses_one_by_one(used, due, visit, demo_area, column):
    """Against a plain loop; corners and gates are one sum each; what lies in no polygon has one."""
    visits = _visits(visit)
    hexagons = make_hexagons(shapely.total_bounds(demo_area.network.piece_lines), 300)
    # Whichever week was drawn, a visit that was made lies in none of those that are left.
    made = next(row for row in visits if row.minutes)
    place = shapely.Point(*used.projection.to_metres(made.longitude, made.latitude))
    hexagons = hexagons[~hexagons.intersects(place)]
    keys = {}
    for one in due:
        point = shapely.Point(*used.projection.to_metres(one["longitude"], one["latitude"]))
        names = {**one, "week": MONDAY, "polygon": "outside"}
        names["polygon"] = next(iter(hexagons["id"][hexagons.intersects(point)]), "outside")
        names["hotspot"] = one["kind" if one["kind"] in {"corner", "gate"} else "hotspot"]
        keys[one["id"], one["urn"], one["officer"]] = names[column]
    doses = pp.compare_doses(used, MONDAY, FRIDAY, polygons=hexagons.to_crs(4326))
    promised, delivered, spoken = Counter(), Counter(), Counter()
    for dose in due:
        key = keys[dose["id"], dose["urn"], dose["officer"]]
        promised[key] += dose["minutes"]
    for row in visits:
        key = keys[row.id, row.urn, row.officer]
        delivered[key] += row.minutes
        spoken[key] += row.engagements or 0
    found = pp.summarise_doses(doses, [column]).set_index(column)
    for name, sums in (("promised", promised), ("delivered", delivered)):
        assert {k: v for k, v in found[f"{name}_minutes"].items() if v} == dict(+sums)
    assert {k: v for k, v in found["engagements"].items() if k in spoken} == spoken
    assert found["not_recorded"].sum() == len(due) - len(visits)
    assert found["delivered_visits"].sum() == sum(row.minutes > 0 for row in visits)
    if column == "polygon":  # those without a patrol have 0
        assert found.index.tolist() == [*hexagons["id"], "outside"]
        assert len(promised) > 2
        assert delivered["outside"]
        assert len(pp.summarise_doses(doses, ["polygon", "officer"])) < len(doses)


OFFICERS = st.sampled_from(["", "SSO-98", "SSO-99"])
MINUTES = st.sampled_from([0.0, 8.5, 15.0, 40.0])
TOGETHER = st.sampled_from([None, (), ("SSO-99",), ("SSO-97", "SSO-98")])


@given(drawn=st.lists(st.tuples(st.integers(0, 5), OFFICERS, MINUTES, TOGETHER), max_size=12))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_return_never_shows_more_than_was_delivered(demo_area, promised_week, visit, drawn):
    """Whatever is entered: no place has more delivered than planned, or than was entered there."""
    with pp.Ledger("sqlite://", demo_area.name, demo_area.projection) as ledger:
        ledger.hand_out(promised_week)
        for number, officer, minutes, together in drawn:
            who = {"officer": officer} if officer else {}
            people = None if together is None else tuple(set(together) - {officer})
            ledger.record([visit(number, minutes, **who, together=people)])
        standing = ledger.read_delivered(MONDAY, FRIDAY)
        table = pp.compare_doses(ledger, MONDAY, FRIDAY)
    places = table.groupby(["date", "urn", "place"]).sum(numeric_only=True)
    assert (places["delivered_visits"] <= places["promised_visits"]).all()
    assert table["presence_minutes"].sum() <= standing["minutes"].sum()
    made = places["delivered_visits"] + places["further_visits"]
    assert made.sum() <= (standing["minutes"] > 0).sum()
    entered = (standing["minutes"] * standing["people"]).sum()
    assert table["person_minutes"].sum() == pytest.approx(entered)
    assert (places["delivered_minutes"] <= places["promised_minutes"]).all()
    assert (places["delivered_minutes"] <= places["presence_minutes"]).all()
    assert (places["presence_minutes"] <= places["person_minutes"]).all()
    assert (table[["not_recorded", "further_visits"]] >= 0).all(axis=None)


def test_a_return_equals_a_hand_made_sheet(ledger):
    """One day of two patrols, one of them a crew of two, added up on paper."""
    week = make_week(
        [MONDAY],
        ("SSO-01", "SSO-02", MONDAY, 1, "H1", "15:30", 15.0),
        ("SSO-01", "SSO-02", MONDAY, 2, "H2", "15:55", 15.0),
        ("SSO-01", "SSO-02", MONDAY, 3, "H3", "16:20", 10.0),
        ("SSO-03", "", MONDAY, 1, "H4", "15:30", 15.0),
        ("SSO-03", "", MONDAY, 2, "H5", "16:00", 20.0),
    )
    ledger.hand_out(week)
    visits = [
        make_visit("SSO-01", MONDAY, "H1", 15.0, together=("SSO-02",), arrive="15:30"),
        make_visit("SSO-01", MONDAY, "H2", 10.0, arrive="15:55"),
        make_visit("SSO-02", MONDAY, "H2", 12.0, arrive="16:00"),
        make_visit("SSO-01", MONDAY, "H3", 0.0, reason="incident"),
        make_visit("SSO-03", MONDAY, "H4", 9.0, reason="weather"),
        make_visit("SSO-04", MONDAY, "H1", 10.0, arrive="17:00", people=2),
    ]
    ledger.record(visits)
    tables = build_return_tables(ledger, "2026-11", staff=["SSO-02"])
    (week,) = tables["by-week"].to_dict("records")
    visits = {"promised": 5, "delivered": 3, "further": 1}
    # 15 + 15 (of 17) + 0 + 9 delivered, 15 + 17 + 0 + 9 + 10 present; 2 * 40 + 35 person minutes
    # promised, 30 + 22 + 0 + 9 + 20 given; 39 of 75 are 52 %.
    minutes = {"promised": 75.0, "delivered": 39.0, "presence": 51.0}
    minutes |= {"promised_person": 115.0, "person": 81.0}
    expected = {f"{name}_visits": count for name, count in visits.items()}
    expected |= {f"{name}_minutes": sums for name, sums in minutes.items()}
    more = {"week": MONDAY, "not_recorded": 1, "engagements": 0, "delivered_percent": 52.0}
    assert week == expected | more
    officers = tables["by-officer"].set_index("officer")
    columns = ["promised_minutes", "delivered_minutes", "delivered_percent"]
    columns += ["promised_person_minutes", "person_minutes"]
    assert officers.loc["SSO-01", columns].tolist() == [40.0, 30.0, 75.0, 40.0, 25.0]
    assert officers.loc["SSO-03", columns].tolist() == [35.0, 9.0, 25.7, 35.0, 9.0]
    assert officers.loc["school staff", columns[3:]].tolist() == [40.0, 27.0]
    assert "SSO-02" not in officers.index
    assert tables["by-reason"].to_numpy().tolist() == [
        ["incident", 1, 10.0],
        ["weather", 0, 6.0],
        ["not recorded", 1, 20.0],
    ]


def test_a_place_keeps_its_doses_when_its_name_changes(used, plan, week):
    """A week of a plan with other names comes after the first: places are joined by place."""
    before = pp.summarise_doses(pp.compare_doses(used, MONDAY, FRIDAY), ["place"])
    renamed = _renamed(plan)
    old = dict(zip(plan.hotspots["hotspot"], renamed.hotspots["hotspot"], strict=True))
    later = []
    for duty in week.duties:
        stops = tuple(replace(s, hotspot=old.get(s.hotspot, s.hotspot)) for s in duty.patrol.stops)
        patrol = replace(duty.patrol, stops=stops)
        later.append(replace(duty, date=duty.date + 7 * DAY, patrol=patrol))
    days = tuple(day + 7 * DAY for day in week.days)
    next_week = replace(week, plan=renamed, duties=tuple(later), days=days)
    assert used.hand_out(pp.build_promised_week(next_week))
    both = pp.compare_doses(used, MONDAY, FRIDAY + 7 * DAY)
    summed = pp.summarise_doses(both, ["place"]).set_index("place")["promised_minutes"]
    assert summed.to_dict() == (2 * before.set_index("place")["promised_minutes"]).to_dict()
    named = both[both["kind"] == "hotspot"]
    assert len(named)
    later = {(stop.hotspot, stop.place) for _, stop in list_stops(next_week)}
    assert set(zip(named["hotspot"], named["place"], strict=True)) <= later


def test_the_next_week_starts_from_what_was_delivered(used, plan, visit, week):
    """Minutes by hotspot at or in view of a stop and day, by a plain loop, under today's names."""
    renamed = _renamed(plan)
    name_of = dict(zip(plan.hotspots["hotspot"], renamed.hotspots["hotspot"], strict=True))
    own = list_place_ids(plan.hotspots, used.projection.crs)
    ids = dict(zip(plan.hotspots["hotspot"], own, strict=True))
    seen = {}
    for _, stop in list_stops(week):
        covered = {ids[name] for name in stop.covered if name in ids}
        seen.setdefault(stop.id, {stop.id}).update(covered)
    expected = Counter()
    for row in (row for row in _visits(visit) if row.minutes > 0 and row.date < FRIDAY):
        for name in [name for name, one in ids.items() if one in seen[row.id]]:
            expected[name_of[name], row.date] += row.minutes
    found = pp.delivered_before(used, FRIDAY, renamed.hotspots)
    got = found.set_index(["hotspot", "date"])["minutes"].to_dict()
    assert got == pytest.approx(expected)
    assert list(found.columns) == ["hotspot", "date", "minutes"]
    assert pp.delivered_before(used, MONDAY, plan.hotspots).empty
    assert pp.delivered_before(used, FRIDAY + 8 * DAY, plan.hotspots).empty


def test_both_databases_give_the_same_reports(tmp_path, used, postgres, promised_week, visit, plan):
    """Every table of the return is the same to the byte, and so are the doses of the next week."""
    with pp.Ledger(postgres, used.area, used.projection) as other:
        for change in (promised_week, replace(promised_week, days=(FRIDAY,))):
            other.hand_out(change)
            used.hand_out(change)
        other.record(_visits(visit))
        for entry in (used, other):
            entry.record([visit(3, 4.25), visit(5, 11.1, officer="ssö-9"), visit(5, 2.0)])
            tables = build_return_tables(entry, "2026-12")
            write_return(tables, entry.area, "2026-12", tmp_path / entry._engine.name)
        mine, theirs = (tmp_path / name for name in ("sqlite", "postgresql"))
        names = sorted(path.name for path in mine.iterdir())
        assert len(names) == 7
        for name in names:
            assert (mine / name).read_bytes() == (theirs / name).read_bytes(), name
        doses = [pp.delivered_before(each, FRIDAY, plan.hotspots) for each in (used, other)]
        assert doses[0].equals(doses[1])
        assert used.read_revisions(MONDAY, FRIDAY).equals(other.read_revisions(MONDAY, FRIDAY))


NEXT = dt.date(2026, 12, 28)


@pytest.fixture
def made(due, visit):
    """A visit of a hotspot."""
    return visit(next(row for row, one in enumerate(due) if one["kind"] == "hotspot"), 15)


def test_days_are_counted_once_by_hotspot(ledger, plan, made):
    """Two visits to a hotspot on a day are one day; visits elsewhere are no day there."""
    first, spots = made, list(plan.hotspots["hotspot"])
    later = replace(first, date=first.date + 7 * DAY)
    again = replace(first, officer="SSO-12", urn="900012")
    ledger.record([first, again, later])
    found = monthly_return.read_recent_presence(ledger, NEXT, plan.hotspots)
    assert set(found.days) <= set(spots)
    assert found.find_days(spots) == {first.date, later.date}
    assert found.find_days([]) == frozenset()
    assert found.weeks == 2


LAST = 7 * monthly_return.PRESENCE_WEEKS


@pytest.mark.parametrize(
    ("days", "weeks"), [(-1, None), (0, None), (1, 1), (LAST, 1), (LAST + 1, None)]
)
def test_the_weeks_end_on_the_day_before(ledger, plan, visit, days, weeks):
    """They are the 28 days before the week; of what lies outside nothing is known."""
    ledger.record([replace(visit(0, 15), date=NEXT - days * DAY)])
    found = monthly_return.read_recent_presence(ledger, NEXT, plan.hotspots)
    assert (found if found is None else found.weeks) == weeks


def test_the_settings_ledger_is_read(demo_area, plan, made, tmp_path):
    """Where the settings name a ledger, its visits are those that papers know of."""
    moved = demo_area.settings.model_copy()
    moved._folder = tmp_path
    area = replace(demo_area, settings=moved)
    with open_ledger(area.settings) as opened:
        opened.record([made])
    found = monthly_return.load_recent_presence(area, plan.hotspots, NEXT)
    assert found.find_days(plan.hotspots["hotspot"]) == {made.date}
    assert len(list(tmp_path.iterdir())) == 1


SPANS = st.lists(
    st.tuples(st.integers(0, 60), st.integers(0, 30)).map(lambda span: (span[0], sum(span))),
    max_size=8,
)


@given(SPANS)
def test_spans_cover_the_minutes_that_any_of_them_covers(spans):
    """The union of spans, against every minute looked at by itself."""
    minutes = {minute for begin, end in spans for minute in range(begin, end)}
    assert presence.measure_spans(spans) == len(minutes)
    united = presence.unite_spans(spans)
    assert {m for begin, end in united for m in range(begin, end)} == minutes
    assert all(end < begin for (_, end), (begin, _) in itertools.pairwise(united))


@st.composite
def stays_of_a_day(draw):
    """Visits of one place and day, by some of four people, with and without times."""
    found = []
    for row in range(draw(st.integers(0, 7))):
        officer = draw(st.sampled_from("ABCD"))
        names = frozenset({officer, *draw(st.sets(st.sampled_from("ABCD"), max_size=1))})
        begin = draw(st.none() | st.integers(900, 960))
        minutes = draw(st.integers(0, 30))
        people = len(names) + draw(st.integers(0, 1))
        found.append(presence.Stay(row, officer, names, people, "", begin, minutes, None))
    return found


STOPS = (
    presence.Stop(0, "A", frozenset("AB"), "after_school", 920.0, 15.0, 2),
    presence.Stop(1, "C", frozenset("C"), "after_school", 940.0, 10.0, 1),
)


@given(stays_of_a_day(), st.integers(0, 2))
def test_every_visit_is_of_one_stop_and_every_minute_counts_once(entered, count):
    """Shares sum to the presence of the place, minute by minute; nobody without a name is added."""
    place = presence.account_for_place(STOPS[:count], entered)
    there = [stay for account in place.stops for stay in account.stays] + list(place.others)
    assert sorted(stay.row for stay in there) == [stay.row for stay in entered]

    def cover(some):
        spans = [span for stay in some for span in stay.spans]
        return {m for begin, end in spans for m in range(int(begin), int(end))}

    expected = len(cover(there))
    for account in place.stops:
        untimed = max((s.minutes for s in account.stays if s.begin is None), default=0)
        expected += max(0, untimed - len(cover(account.stays)))
        minutes = max(untimed, len(cover(account.stays)))
        assert account.presence_minutes == minutes
        assert account.delivered_minutes == min(minutes, account.stop.minutes)
    expected += sum(stay.minutes for stay in place.others if stay.begin is None)
    shares = presence.share_presence([place])
    assert sum(shares.values()) == pytest.approx(expected)
    assert all(share <= entered[row].minutes for row, share in shares.items())
    for stay, unnamed in place.list_people_counts():
        assert 0 <= unnamed <= stay.people - len(stay.names)
