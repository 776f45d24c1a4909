"""Improve a week by a large number of small changes: simulated annealing.

State: a week as slots, one for each officer, day and window, holding an option or none, and what
follows from it (`patrolplan.team.rota_state`).

Moves: a slot gets another option; a slot is emptied; or two days of an officer are swapped. Then
the move is completed, so that few are rejected (`_complete_change`): the patrol already in a
school's place is removed, and so are the officer's patrols that overlap; a second officer or
companion of a removed patrol is removed too; an officer who may not go alone gets a companion.

Acceptance: a move is applied and its gain in worth computed. It is accepted if the gain is not
negative, otherwise with probability exp(gain / temperature). The temperature falls by a constant
factor from `START_TEMPERATURE` to `END_TEMPERATURE` of an average patrol's worth. A rejected move
is undone by applying it backwards.

Rules and floor: a move is also undone unless the week still keeps every rule, has no more patrols
and visits missing than the floor allows, and gives every school it affects its floor of dose. The
search starts from a feasible week, and only options that a move adds or removes can violate a rule.
So every week of the search is feasible, including the best one. The search is compiled and ends
after a number of moves, so that equal inputs give equal weeks.
"""

import numpy as np
from numpy.typing import NDArray

from patrolplan.arrays import Ints
from patrolplan.compiled import jit_compile
from patrolplan.team.problem import Floor, RotaProblem
from patrolplan.team.rota_state import (
    RotaFacts,
    RotaState,
    apply_option,
    begin_state,
    build_facts,
    fill_slots,
    is_allowed,
    is_floor_kept,
    overlap,
)

START_TEMPERATURE = 0.05
END_TEMPERATURE = 0.02
"""Temperatures at the beginning and at the end, as shares of an average patrol's worth."""

SWAP_SHARE, DROP_SHARE = 0.3, 0.05
"""Shares of the moves that swap two days, and that empty a slot; the rest fill one."""

MAX_OUT, MAX_INTO = 8, 2
"""Maximum options that a move removes and adds; one that needs more is not tried."""

RandomState = NDArray[np.uint64]


_Draw = tuple[RandomState, Ints, Ints, Ints]
"""A random generator, room for the move that it draws ((`MAX_OUT`,) options that it removes, and
(`MAX_INTO`,) that it adds, -1 for none), and the slots of the best week."""


def _begin_draw(rng: RandomState, best: Ints) -> _Draw:
    return rng, np.full(MAX_OUT, -1), np.full(MAX_INTO, -1), best


def anneal_week(problem: RotaProblem, floor: Floor, chosen: Ints, *, moves: int, seed: int) -> Ints:
    """The best week found by a number of moves from a feasible choice of options."""
    facts = build_facts(problem, floor)
    rng = np.array([2 * seed + 1], dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    best, unit = fill_slots(problem, chosen), problem.patrol_unit
    state, _ = begin_state(facts, best)
    heat = START_TEMPERATURE * unit, END_TEMPERATURE * unit
    _search(facts, state, _begin_draw(rng, best), heat, (0.0, -np.inf), moves)
    return np.sort(best[best >= 0])


def walk_weeks(
    problem: RotaProblem,
    floor: Floor,
    chosen: Ints,
    *,
    limit: float,
    moves: int,
    states: int = 1,
    seed: int,
) -> list[Ints]:
    """Weeks (`states` of them) on a random walk from chosen options, one every `moves` moves."""
    # The walk makes the moves of the search, and accepts each that gives a feasible week worth at
    # least `limit`, which the first week must be, too. Among these weeks none is preferred for its
    # worth. The generator's state must not be zero, and the seed has 64 bits.
    facts, best = build_facts(problem, floor), fill_slots(problem, chosen)
    state, worth = begin_state(facts, best)
    draw, weeks = _begin_draw(np.array([seed | 1], dtype=np.uint64), best), []
    for _ in range(states):
        worth = _search(facts, state, draw, (np.inf, np.inf), (worth, limit), moves)
        weeks.append(np.sort(state.slots[state.slots >= 0]))
    return weeks


@jit_compile(is_inlined=True, allocates=False)
def _draw_change(
    facts: RotaFacts, state: RotaState, rng: RandomState, out: Ints, into: Ints
) -> bool:
    """Draw a move into `out` and `into`, -1 for none; return whether it changes anything."""
    out[:] = -1
    into[:] = -1
    # A slot first, then one of its options: officers with many options are not drawn more often.
    slot = draw_integer(rng, len(state.slots))
    many = facts.slot_start[slot + 1] - facts.slot_start[slot]
    if many == 0:
        return False
    current = state.slots[slot]
    option = facts.slot_options[facts.slot_start[slot] + draw_integer(rng, many)]
    each = facts.days * facts.windows
    officer = slot // each
    kind = draw_uniform(rng)
    if kind < SWAP_SHARE and current >= 0:
        # The same window of another day, so that routes have a chance to be options there.
        other = officer * each + draw_integer(rng, facts.days) * facts.windows
        other += slot % facts.windows
        if other == slot or not _draw_swap(facts, state, slot, other, out, into):
            return False
    elif kind < SWAP_SHARE + DROP_SHARE and current >= 0:
        out[0] = current
    elif option == current:
        return False
    else:
        out[0], into[0] = current, option
        # Somebody at their maximum gives up another patrol, or the move could never be kept.
        if current < 0 and state.officer_patrols[officer] >= facts.max_patrols[officer]:
            out[0] = state.slots[officer * each + draw_integer(rng, each)]
    return _complete_change(facts, state, rng, out, into)


@jit_compile(is_inlined=True, allocates=False)
def _draw_swap(
    facts: RotaFacts, state: RotaState, slot: int, other: int, out: Ints, into: Ints
) -> bool:
    """Swap two days of an officer, if the same routes are options on the other day."""
    first, second = state.slots[slot], state.slots[other]
    out[0], out[1] = first, second
    into[0] = _find_option_of_route(facts, facts.route[first], other)
    if second >= 0:
        into[1] = _find_option_of_route(facts, facts.route[second], slot)
    return bool(into[0] >= 0 and (second < 0 or into[1] >= 0))


@jit_compile(is_inlined=True, allocates=False)
def _find_option_of_route(facts: RotaFacts, route: int, slot: int) -> int:
    """The option of a slot that walks a route, or -1."""
    for at in range(facts.slot_start[slot], facts.slot_start[slot + 1]):
        if facts.route[facts.slot_options[at]] == route:
            return int(facts.slot_options[at])
    return -1


@jit_compile(is_inlined=True, allocates=False)
def _complete_change(
    facts: RotaFacts, state: RotaState, rng: RandomState, out: Ints, into: Ints
) -> bool:
    """Remove what conflicts with a move, and add a companion for who may not go alone."""
    # False if that needs more options than there is room for, or no companion is possible.
    if not _draw_companion(facts, state, rng, out, into):
        return False
    for option in into:
        if option >= 0 and not _make_room(facts, state, out, option):
            return False
    # Where schools have one officer at a time and no companions, nothing depends on an option.
    if facts.together == 1:
        return True
    for number in range(len(out)):  # grows on the way
        if out[number] >= 0 and not _take_out_dependents(facts, state, out, into, out[number]):
            return False
    return True


@jit_compile(is_inlined=True, allocates=False)
def _make_room(facts: RotaFacts, state: RotaState, out: Ints, option: int) -> bool:
    """Remove the option in the place of a new one, and those that overlap it or fulfil its lock."""
    holder = state.cells[facts.cell[option]]
    if holder >= 0 and not _add_out(out, holder):
        return False
    first = facts.slot[option] // facts.windows * facts.windows
    for slot in range(first, first + facts.windows):
        other = state.slots[slot]
        if other < 0:
            continue
        same_lock = facts.lock[option] >= 0 and facts.lock[option] == facts.lock[other]
        leaves = same_lock or overlap(facts, option, other)
        if leaves and not _add_out(out, other):
            return False
    return True


@jit_compile(is_inlined=True, allocates=False)
def _draw_companion(
    facts: RotaFacts, state: RotaState, rng: RandomState, out: Ints, into: Ints
) -> bool:
    """Add a companion for an added option whose officer may not go alone and would."""
    # A swap fills `into`: it needs companions who are there already, or is undone.
    option = into[0]
    if option < 0 or not facts.needs_companion[option] or into[1] >= 0:
        return True
    # Those who walk along now count, less the ones that the move itself removes.
    cell = facts.cell[option]
    along = state.along[cell]
    for other in out:
        if other >= 0 and facts.is_along[other] and facts.after_cell[other] == cell:
            along -= 1
    if along > 0:
        return True
    many = facts.along_start[cell + 1] - facts.along_start[cell]
    if many == 0:
        return False
    into[1] = facts.along_options[facts.along_start[cell] + draw_integer(rng, many)]
    return bool(facts.officer[into[1]] != facts.officer[option])


@jit_compile(is_inlined=True, allocates=False)
def _take_out_dependents(
    facts: RotaFacts, state: RotaState, out: Ints, into: Ints, option: int
) -> bool:
    """Remove what depends on a removed option that has no replacement."""
    cell = facts.cell[option]
    for other in into:
        if other >= 0 and facts.cell[other] == cell:
            return True
    first = cell // facts.together * facts.together
    for place in range(first, first + facts.together):
        other = state.cells[place]
        if other >= 0 and facts.after_cell[other] == cell and not _add_out(out, other):
            return False
    # Who may not go alone leaves with a companion, even if another one stays: that is seldom so,
    # and a later move can bring them back.
    if facts.is_along[option]:
        joined = state.cells[facts.after_cell[option]]
        if joined >= 0 and facts.needs_companion[joined]:
            return _add_out(out, joined)
    return True


@jit_compile(is_inlined=True, allocates=False)
def _add_out(out: Ints, option: int) -> bool:
    """Add an option to those that a move removes, once; return whether there was room."""
    for number in range(len(out)):
        if out[number] == option:
            return True
    for number in range(len(out)):
        if out[number] < 0:
            out[number] = option
            return True
    return False


@jit_compile(is_inlined=True, allocates=False)
def _is_feasible(facts: RotaFacts, state: RotaState, out: Ints, into: Ints) -> bool:
    """Whether the week after a move keeps every rule and the floor."""
    for option in into:
        if option >= 0 and not (
            is_allowed(facts, state, option) and is_floor_kept(facts, state, option)
        ):
            return False
    for option in out:  # noqa: SIM110 - numba has no generators
        if option >= 0 and not is_floor_kept(facts, state, option):
            return False
    return True


@jit_compile(is_inlined=True, allocates=False)
def _is_locked(facts: RotaFacts, out: Ints, into: Ints) -> bool:
    """Whether a move would leave a lock unfulfilled: it may only exchange routes of one lock."""
    for option in out:
        if option >= 0 and facts.lock[option] >= 0:
            held = 0
            for other in into:
                held += int(other >= 0 and facts.lock[other] == facts.lock[option])
            if held != 1:
                return True
    return False


@jit_compile(is_inlined=True, allocates=False)
def _apply_change(facts: RotaFacts, state: RotaState, out: Ints, into: Ints) -> float:
    """Apply a move; return its gain in worth."""
    gain = 0.0
    for option in out:
        if option >= 0:
            gain += apply_option(facts, state, option, -1)
    for option in into:
        if option >= 0:
            gain += apply_option(facts, state, option, 1)
    return gain


@jit_compile(allocates=False)
def _search(
    facts: RotaFacts,
    state: RotaState,
    draw: _Draw,
    heat: tuple[float, float],
    worth_and_limit: tuple[float, float],
    moves: int,
) -> float:
    """Make moves from a week of known worth, never below a limit; return the worth after them."""
    # Cools from one temperature to another, at infinite ones accepts all, and writes the slots of
    # the best week into `best`. The move is applied before its rules are checked: the running sums
    # then tell what it would break, and a move that loses too much worth needs no check.
    rng, out, into, best = draw
    worth, limit = worth_and_limit
    temperature, cooling = heat[0], (heat[1] / heat[0]) ** (1.0 / max(1, moves))
    is_walk, best_worth = heat[0] == np.inf, worth
    for _ in range(moves):
        temperature *= cooling
        if not _draw_change(facts, state, rng, out, into) or _is_locked(facts, out, into):
            continue
        gain = _apply_change(facts, state, out, into)
        accepted = gain >= 0 or is_walk or draw_uniform(rng) < np.exp(gain / temperature)
        if accepted and worth + gain >= limit and _is_feasible(facts, state, out, into):
            worth += gain
            if worth > best_worth + 1e-12:
                best_worth = worth
                for slot in range(len(best)):  # copying a slice would allocate
                    best[slot] = state.slots[slot]
        else:
            _apply_change(facts, state, into, out)
    return worth


@jit_compile(is_inner=True, allocates=False)
def draw_uniform(rng: RandomState) -> float:
    """Draw from [0, 1) by xorshift* (Vigna 2016), so that chunks of rounds join seamlessly."""
    x = rng[0]
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    rng[0] = x
    return np.float64((x * np.uint64(0x2545F4914F6CDD1D)) >> np.uint64(11)) * (1.0 / 2.0**53)


@jit_compile(is_inner=True, allocates=False)
def draw_integer(rng: RandomState, limit: int) -> int:
    """Draw a whole number from 0 to limit - 1."""
    return int(draw_uniform(rng) * limit)
