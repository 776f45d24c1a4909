"""How long anybody was at a place, against a count minute by minute."""

import itertools

import pytest
from hypothesis import given, strategies as st

from patrolplan.team.ledger.presence import (
    Stay,
    Stop,
    account_for_place,
    measure_spans,
    share_presence,
    unite_spans,
)

SPANS = st.lists(
    st.tuples(st.integers(0, 60), st.integers(0, 30)).map(lambda span: (span[0], sum(span))),
    max_size=8,
)


@given(SPANS)
def test_spans_cover_the_minutes_that_any_of_them_covers(spans):
    """The union of spans, against every minute looked at by itself."""
    minutes = {minute for begin, end in spans for minute in range(begin, end)}
    assert measure_spans(spans) == len(minutes)
    united = unite_spans(spans)
    assert {m for begin, end in united for m in range(begin, end)} == minutes
    assert all(end < begin for (_, end), (begin, _) in itertools.pairwise(united))


PEOPLE = ("A", "B", "C", "D")


@st.composite
def stays(draw):
    """Visits of one place and day, by some of four people, with and without times."""
    found = []
    for row in range(draw(st.integers(0, 7))):
        officer = draw(st.sampled_from(PEOPLE))
        names = frozenset({officer, *draw(st.sets(st.sampled_from(PEOPLE), max_size=1))})
        begin = draw(st.none() | st.integers(900, 960))
        minutes = draw(st.integers(0, 30))
        people = len(names) + draw(st.integers(0, 1))
        found.append(Stay(row, officer, names, people, "", begin, minutes, None))
    return found


STOPS = (
    Stop(0, "A", frozenset("AB"), "after_school", 920.0, 15.0, 2),
    Stop(1, "C", frozenset("C"), "after_school", 940.0, 10.0, 1),
)


@given(stays(), st.integers(0, 2))
def test_every_visit_is_of_one_stop_and_every_minute_counts_once(entered, count):
    """Shares sum to the presence of the place, by the definition, minute by minute."""
    place = account_for_place(STOPS[:count], entered)
    there = [stay for account in place.stops for stay in account.stays] + list(place.others)
    assert sorted(stay.row for stay in there) == [stay.row for stay in entered]

    def cover(some):
        spans = [span for stay in some for span in stay.spans]
        return {m for begin, end in spans for m in range(int(begin), int(end))}

    expected = len(cover(there))
    for account in place.stops:
        untimed = max((s.minutes for s in account.stays if s.begin is None), default=0)
        expected += max(0, untimed - len(cover(account.stays)))
        presence = max(untimed, len(cover(account.stays)))
        assert account.presence_minutes == presence
        assert account.delivered_minutes == min(presence, account.stop.minutes)
    expected += sum(stay.minutes for stay in place.others if stay.begin is None)
    shares = share_presence([place])
    assert sum(shares.values()) == pytest.approx(expected)
    assert all(share <= entered[row].minutes for row, share in shares.items())


@given(stays(), st.integers(0, 2))
def test_people_without_a_name_are_those_entered_by_themselves(entered, count):
    """Person-minutes lie between those of the people named and those of everyone counted."""
    place = account_for_place(STOPS[:count], entered)
    for stay, unnamed in place.list_people_counts():
        assert 0 <= unnamed <= stay.people - len(stay.names)
