"""A mixed-integer programme to maximise, built block by block and solved by HiGHS."""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse

from patrolplan.arrays import Bools, Floats, Ints
from patrolplan.patrols.solver.highs import Answer, Options, Programme, maximise


@dataclass
class MipBuilder:
    """Variables and rows of a programme, added block by block."""

    objective: list[Floats] = field(default_factory=list)
    lower: list[Floats] = field(default_factory=list)
    upper: list[Floats] = field(default_factory=list)
    is_integer: list[Bools] = field(default_factory=list)
    entries: list[tuple[Ints, Ints, Floats]] = field(default_factory=list)
    row_lower: list[Floats] = field(default_factory=list)
    row_upper: list[Floats] = field(default_factory=list)
    columns: int = 0
    rows: int = 0

    def add_variables(
        self,
        objective: ArrayLike,
        *,
        lower: ArrayLike = 0.0,
        upper: ArrayLike = 1.0,
        is_integer: bool = False,
    ) -> Ints:
        """Add variables, by default between 0 and 1, and return their column numbers."""
        each = np.asarray(objective, dtype=np.float64)
        self.objective.append(each)
        self.lower.append(np.broadcast_to(np.asarray(lower, dtype=np.float64), each.shape))
        self.upper.append(np.broadcast_to(np.asarray(upper, dtype=np.float64), each.shape))
        self.is_integer.append(np.full(each.shape, is_integer))
        self.columns += len(each)
        return np.arange(self.columns - len(each), self.columns)

    def add_constraints(
        self,
        *terms: tuple[Ints, Ints, ArrayLike],
        lower: ArrayLike = -np.inf,
        upper: ArrayLike = np.inf,
        count: int,
    ) -> None:
        """Add `count` rows; each term is rows (from 0), columns and factors."""
        for row, column, factor in terms:
            value = np.broadcast_to(np.asarray(factor, dtype=np.float64), column.shape)
            self.entries.append((row + self.rows, column, value))
        self.row_lower.append(np.broadcast_to(np.asarray(lower, dtype=np.float64), (count,)))
        self.row_upper.append(np.broadcast_to(np.asarray(upper, dtype=np.float64), (count,)))
        self.rows += count

    def add_row(
        self, columns: Ints, *, factor: float = 1.0, lower: float = -np.inf, upper: float = np.inf
    ) -> int:
        """Bound the sum of some columns times a factor; gives the number of the row."""
        at = np.zeros(len(columns), dtype=np.int64)
        self.add_constraints((at, columns, factor), lower=lower, upper=upper, count=1)
        return self.rows - 1

    def add_no_more(self, some: tuple[Ints, Ints], others: tuple[Ints, Ints], count: int) -> None:
        """Limit the sum of some columns in each of `count` rows by that of other columns there."""
        self.add_constraints((*some, 1.0), (*others, -1.0), upper=0.0, count=count)

    def add_group_caps(self, group: Ints, columns: Ints, cap: ArrayLike) -> None:
        """Limit the sum of each group's columns; `cap` is by group, or one for all."""
        groups, row = np.unique(group, return_inverse=True)
        limit = np.asarray(cap, dtype=np.float64)
        upper = limit[groups] if limit.ndim else limit
        self.add_constraints((row, columns, 1.0), upper=upper, count=len(groups))

    def build(self) -> "MixedIntegerProgramme":
        """The finished programme."""
        # Entries that meet in one place are added up, so that a block may add to another's rows.
        row, column, value = (np.concatenate(part) for part in zip(*self.entries, strict=True))
        matrix = sparse.csr_array((value, (row, column)), shape=(self.rows, self.columns))
        names = ("objective", "lower", "upper", "is_integer", "row_lower", "row_upper")
        blocks: dict[str, Any] = {name: np.concatenate(getattr(self, name)) for name in names}
        return MixedIntegerProgramme(matrix=matrix, **blocks)


class MixedIntegerProgramme(Programme):
    """A programme that is solved as it is, or with all its columns continuous."""

    def solve(
        self, *, gap: float, nodes: int, seconds: float = np.inf, start: Floats | None = None
    ) -> Answer:
        """Maximise until a gap or a limit of nodes or seconds, from feasible values if given."""
        options: Options = {"mip_rel_gap": gap, "mip_max_nodes": nodes}
        # Without feasible values no bound is claimed: the programme may be infeasible.
        answer = maximise(self, options, seconds=seconds, start=start)
        return answer if len(answer.values) else answer._replace(bound=np.inf, is_best=False)

    def solve_relaxation(self) -> Answer:
        """Maximise with all columns continuous, by the interior point method."""
        # On weeks of hundreds of schools it is several times faster than the simplex method.
        relaxed = replace(self, is_integer=np.zeros_like(self.is_integer))
        return maximise(relaxed, {"solver": "ipm"})


def list_chosen(answer: Answer, x: Ints) -> Ints:
    """The rows of binary columns `x` that an answer sets to one."""
    # To HiGHS what is within 1e-6 of a whole number is one, so no value is compared with 1.
    return np.flatnonzero(answer.values[x] > 1 / 2)
