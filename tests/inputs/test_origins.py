"""Where pupils live: only joined and rounded counts come in, whatever the files hold."""

import pandas as pd
import pytest
from hypothesis import given, strategies as st

from patrolplan.errors import InputError
from patrolplan.inputs.origins import digest_origins, join_and_round, read_origins

AREAS = ("E01000851", "E01000852", "E01000853", "E01000854", "E01000855")
COUNTS = st.dictionaries(
    st.tuples(st.sampled_from(["100008", "100018", "7"]), st.sampled_from(AREAS)),
    st.integers(0, 13),
)


def _frame(counts):
    rows = [(urn, area, float(pupils)) for (urn, area), pupils in counts.items()]
    return pd.DataFrame(rows, columns=["urn", "area", "pupils"])


def _list(table):
    return list(table.itertuples(index=False, name=None))


def _write(folder, counts, name="origins.csv"):
    path = folder / name
    rows = [f"{urn},{area},{pupils}" for (urn, area), pupils in counts.items()]
    path.write_text("\n".join(["urn,area,pupils", *rows]), encoding="utf-8")
    return path


def _join_by_hand(counts):
    """The rule word for word: join the first area with too few to its neighbour, again and again.

    Of a school's areas in order, one under five goes to the next; the last, which has no next, to
    the one before.
    """
    rows = []
    for urn in sorted({urn for urn, _ in counts}):
        areas = [[area, n] for (one, area), n in sorted(counts.items()) if one == urn]
        while len(areas) > 1 and any(n < 5 for _, n in areas):
            first = next(k for k, (_, n) in enumerate(areas) if n < 5)
            other = first + 1 if first + 1 < len(areas) else first - 1
            areas[other][1] += areas[first][1]
            del areas[first]
        rows += [(urn, area, float(5 * (n // 5))) for area, n in areas if n >= 5]
    return rows


@given(COUNTS)
def test_joined_counts_are_those_of_the_rule_by_hand(counts):
    """The single pass gives the counts of the rule applied step by step."""
    assert _list(join_and_round(_frame(counts))) == _join_by_hand(counts)


@given(COUNTS, st.randoms())
def test_counts_are_in_fives_and_lose_less_than_five_each(counts, random):
    """No count is under five; each loses under five, and so does a school without one."""
    table = join_and_round(_frame(counts))
    assert (table["pupils"] >= 5).all()
    assert (table["pupils"] % 5 == 0).all()
    for urn in {urn for urn, _ in counts}:
        whole = sum(n for (one, _), n in counts.items() if one == urn)
        held = table[table["urn"] == urn]
        assert 0 <= whole - held["pupils"].sum() <= 4 * max(1, len(held))
    shuffled = list(counts.items())
    random.shuffle(shuffled)
    pd.testing.assert_frame_equal(join_and_round(_frame(dict(shuffled))), table)


@given(COUNTS, st.lists(st.tuples(st.integers(0, 14), st.integers(-4, 4)), max_size=12))
def test_files_alike_in_joined_counts_cannot_be_told_apart(tmp_path_factory, counts, changes):
    """Files that differ below the steps alone give the same table and the same digest."""
    other, keys = dict(counts), sorted(counts)
    for place, change in changes if keys else ():
        key = keys[place % len(keys)]
        changed = other | {key: max(0, other[key] + change)}
        if _join_by_hand(changed) == _join_by_hand(counts):
            other = changed
    folder = tmp_path_factory.mktemp("origins")
    one = read_origins([_write(folder, counts)])
    two = read_origins([_write(folder, other, "two.csv")])
    pd.testing.assert_frame_equal(one, two)
    assert digest_origins(one) == digest_origins(two)


def test_a_count_that_passes_a_step_changes_the_digest():
    """The digest is that of the counts: it differs where they do."""
    one, two = ({("7", AREAS[0]): n} for n in (9, 10))
    assert digest_origins(join_and_round(_frame(one))) != digest_origins(
        join_and_round(_frame(two))
    )


@pytest.mark.parametrize("row", ["7,A,61x7", "7,A,-617", "7,A,6.17", "7,B,617"])
def test_a_wrong_row_is_named_without_its_number(tmp_path, row):
    """An error names row and column and what to do, and shows no number of pupils."""
    path = tmp_path / "origins.csv"
    path.write_text(f"urn,area,pupils\n7,B,8\n{row}\n", encoding="utf-8")
    with pytest.raises(InputError) as error:
        read_origins([path])
    (problem,) = error.value.problems
    assert "row 3, column" in str(problem)
    assert "61" not in str(problem).removeprefix(str(path))
