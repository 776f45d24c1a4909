"""How a trial is drawn: matched hotspots, a lot for which of them have patrols, and when.

Hotspots are matched in sets, mostly pairs: those whose expected counts are nearest to each other.
In every set the same number of hotspots has patrols, and the others have none. It is drawn

* once for the whole trial (`pairs`), where only the months of crimes are known, or
* again every day (`days`) or every week (`weeks`), where their dates are known. The same streets
  are then their own comparison, which needs far fewer hotspots. If a patrol's effect lasts for
  some days, a comparison by days misses part of it: draw by weeks then.

The lot is a key made of the team's secret (`patrolplan.team.secret`): each day's is drawn when its
week is planned, and cannot be known before without the secret. What is published is the commitment.
As the key also depends on the whole design, a design that was altered after the sealing has a
different commitment.
"""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from math import comb
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from patrolplan.team.secret import DrawKey

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

Randomise = Literal["days", "weeks", "pairs"]
"""Unit of the draw: which hotspot of a set has patrols on a day, in a week, or the whole trial."""

RANK_RANGE = 2**64
MAX_EXACT = 20_000
"""Up to this many possible draws are all evaluated; if there are more, a sample is."""
DRAWS = 999
"""Size of the sample of draws where there are too many."""


@dataclass(frozen=True)
class Block:
    """Days that are drawn together."""

    label: str
    """Names the block for the key: its day, its Monday, or "trial"."""
    days: tuple[dt.date, ...]


@dataclass(frozen=True, eq=False)
class References:
    """Possible draws of the trial, with which the actual one is compared."""

    treated: Bools
    """(r, s, k, b) whether a hotspot has patrols, by draw, set, member of the set and block."""
    is_exact: bool
    """Whether these are all possible draws, each once."""

    def __len__(self) -> int:
        return len(self.treated)


def list_blocks(randomise: Randomise, days: Sequence[dt.date]) -> tuple[Block, ...]:
    """The blocks of a trial's days, in order.

    Examples
    --------
    >>> days = [dt.date(2027, 1, 7), dt.date(2027, 1, 8), dt.date(2027, 1, 11)]
    >>> [block.label for block in list_blocks("weeks", days)]
    ['2027-01-04', '2027-01-11']
    """
    name: Callable[[dt.date], str] = {
        "days": dt.date.isoformat,
        "weeks": lambda day: (day - dt.timedelta(days=day.weekday())).isoformat(),
        "pairs": lambda _: "trial",
    }[randomise]
    members: dict[str, list[dt.date]] = {}
    for day in sorted(days):
        members.setdefault(name(day), []).append(day)
    return tuple(Block(label, tuple(inside)) for label, inside in members.items())


def match_hotspots(
    expected: Floats, apart_metres: Floats, *, size: int, min_metres: float, max_hotspots: int
) -> list[list[int]]:
    """Sets of hotspots that are far apart and have about equal expected incidents.

    Hotspots are chosen in the order of expected incidents if they are far enough from those chosen
    before; neighbours in that order are a set. No other sets have a smaller total difference.

    Parameters
    ----------
    expected
        (h,) incidents expected; hotspots with none are left out.
    apart_metres
        (h, h) between stretches.
    size
        Hotspots in a set.
    min_metres
        Minimum distance of any two, so that the streets around one are not those around another.
    max_hotspots
        Maximum number of hotspots in the trial.

    Examples
    --------
    >>> apart = np.array([[0, 100, 900], [100, 0, 900], [900, 900, 0]])
    >>> match_hotspots(np.array([5, 4, 3]), apart, size=2, min_metres=300, max_hotspots=10)
    [[0, 2]]
    """
    chosen: list[int] = []
    for row in np.argsort(-expected, kind="stable").tolist():
        if len(chosen) == max_hotspots or expected[row] <= 0:
            break
        if (apart_metres[row, chosen] >= min_metres).all():
            chosen.append(row)
    whole = len(chosen) // size * size
    return [chosen[at : at + size] for at in range(0, whole, size)]


def draw_block(key: DrawKey, label: str, *, sets: int, ratio: tuple[int, int]) -> Bools:
    """(s, k) which hotspots of each set have patrols in a block.

    Parameters
    ----------
    key
        Of the trial.
    label
        Of the block.
    sets
        Number of sets.
    ratio
        Hotspots of a set with patrols, and those without.
    """
    treated = np.zeros((sets, sum(ratio)), dtype=bool)
    for number in range(sets):
        ranks = [
            key.derive("trial", label, number, member).draw(RANK_RANGE)
            for member in range(sum(ratio))
        ]
        treated[number, np.argsort(np.array(ranks, dtype=np.uint64))[: ratio[0]]] = True
    return treated


def draw_blocks(
    key: DrawKey, blocks: Sequence[Block], *, sets: int, ratio: tuple[int, int]
) -> Bools:
    """(s, k, b) which hotspots have patrols in which block, see `draw_block`."""
    drawn = [draw_block(key, block.label, sets=sets, ratio=ratio) for block in blocks]
    return np.stack(drawn, axis=-1)


def list_references(
    sets: int, blocks: int, ratio: tuple[int, int], *, seed: int, draws: int = DRAWS
) -> References:
    """All possible draws of a trial if they are few, otherwise a random sample.

    Examples
    --------
    >>> len(list_references(6, 1, (1, 1), seed=1)), len(list_references(5, 60, (1, 1), seed=1))
    (64, 999)
    """
    size = sum(ratio)
    if comb(size, ratio[0]) ** (sets * blocks) <= MAX_EXACT:
        one = np.zeros((comb(size, ratio[0]), size), dtype=bool)
        for row, members in enumerate(combinations(range(size), ratio[0])):
            one[row, list(members)] = True
        rows = np.array(list(product(range(len(one)), repeat=sets * blocks)), dtype=np.int64)
        every = one[rows].reshape(len(rows), sets, blocks, size)
        return References(every.swapaxes(2, 3), is_exact=True)
    rng = np.random.default_rng(seed)
    return References(draw_at_random(rng, (draws, sets, size, blocks), ratio[0]), is_exact=False)


def draw_at_random(
    rng: np.random.Generator, shape: tuple[int, int, int, int], treated: int
) -> Bools:
    """(r, s, k, b) random choices of which of the k hotspots have patrols, all equally likely."""
    ranks = rng.random(shape)
    if shape[2] == 2:  # noqa: PLR2004 - a pair: which of the two is first, without sorting
        first = ranks[:, :, :1] < ranks[:, :, 1:]
        return np.concatenate([first, ~first], axis=2)
    return np.asarray(ranks.argsort(axis=2).argsort(axis=2) < treated)
