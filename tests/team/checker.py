"""Rules and worth of a week, checked by code that shares nothing with the solver."""

import datetime as dt
import itertools
from collections import Counter, defaultdict

import numpy as np

GAINS = (1.0, 0.85, 0.65, 0.2, 0.1)


def find_broken_rules(problem, chosen):
    """Every rule that these options break, in words."""
    rows = [_describe(problem, o) for o in chosen]
    found = []
    if max(Counter((k, d, w) for k, d, _, w, _ in rows).values(), default=0) > 1:
        found.append("an officer twice in a window")
    found += [
        f"options {o} and {p} overlap"
        for o, p in itertools.combinations(chosen, 2)
        if problem.officer[o] == problem.officer[p] and overlap(problem, o, p)
    ]
    for officer, count in Counter(k for k, *_ in rows).items():
        if count > problem.max_patrols[officer]:
            found.append(f"officer {officer} over their most")
    if max(Counter((s, d, w, n) for _, d, s, w, n in rows).values(), default=0) > 1:
        found.append("a route number twice in a window")
    for lock in {int(lock) for lock in problem.lock if lock >= 0}:
        if sum(problem.lock[o] == lock for o in chosen) != 1:
            found.append(f"lock {lock} not fulfilled once")
    found += list(_find_lonely(problem, chosen))
    found += list(_find_overmet(problem, chosen))
    return found + list(_find_over_cap(problem, chosen))


def _describe(problem, option):
    """Officer, day, school, window and number of an option."""
    route = problem.route[option]
    of_route = (problem.route_school, problem.route_window, problem.route_number)
    values = problem.officer[option], problem.day[option], *(one[route] for one in of_route)
    return tuple(map(int, values))


def overlap(problem, option, other):
    """Whether two options are on the same day and at the same time."""
    if problem.day[option] != problem.day[other]:
        return False
    (a, b), (c, d) = problem.option_minutes[option], problem.option_minutes[other]
    return bool(np.isnan([a, b, c, d]).any()) or (a < d - 1e-6 and c < b - 1e-6)


def _find_lonely(problem, chosen):
    """Those who follow, join or need somebody who is not there; a lock may send one alone."""
    numbers, along = defaultdict(set), defaultdict(set)
    for o in chosen:
        _, day, school, window, number = _describe(problem, o)
        numbers[day, school, window].add(number)
        if problem.is_companion[problem.route[o]]:
            along[day, school, window].add(int(problem.route_after[problem.route[o]]))
    for o in chosen:
        _, day, school, window, number = _describe(problem, o)
        after = int(problem.route_after[problem.route[o]])
        locked = problem.lock[o] >= 0
        joins = problem.is_companion[problem.route[o]]
        sent = locked and not joins
        if after and after not in numbers[day, school, window] and not sent:
            yield f"option {o} follows nobody"
        if problem.needs_companion[o] and number not in along[day, school, window]:
            yield f"option {o} goes alone"


def count_visits(problem, chosen):
    """Visits that meet each demand."""
    met = Counter()
    pairs = set(map(tuple, problem.demand_routes.tolist()))
    for o in chosen:
        for demand, route in pairs:
            if route == problem.route[o] and problem.demand_days[demand, problem.day[o]]:
                met[demand] += 1
    return [met[demand] for demand in range(len(problem.demand_visits))]


def count_unmet(problem, chosen, *, tasked):
    """Visits that tasked places, or watched hotspots, are short of."""
    visits = count_visits(problem, chosen)
    return sum(
        max(0, int(problem.demand_visits[demand]) - met)
        for demand, met in enumerate(visits)
        if problem.is_tasked[demand] == tasked
    )


def _find_overmet(problem, chosen):
    """Tasked places with more visits than they ask for and than locks force."""
    locks = defaultdict(list)
    for o in range(len(problem)):
        if problem.lock[o] >= 0:
            locks[int(problem.lock[o])].append(o)
    for demand, met in enumerate(count_visits(problem, chosen)):
        forced = 0
        for options in locks.values():
            forced += all(count_visits(problem, [o])[demand] > 0 for o in options)
        if problem.is_tasked[demand] and met > max(problem.demand_visits[demand], forced):
            yield f"demand {demand} has {met} visits"


def sum_minutes_by_day(problem, chosen):
    """The minutes of each hotspot on each day, and the chosen options that stop there."""
    minutes, there = defaultdict(float), defaultdict(list)
    for o in chosen:
        for row, (route, hotspot) in enumerate(problem.visits.tolist()):
            if route == problem.route[o]:
                key = hotspot, int(problem.day[o])
                minutes[key] += float(problem.visit_minutes[row])
                there[key].append((o, row))
    return minutes, there


def _find_over_cap(problem, chosen):
    """Hotspots over the daily maximum, though a visit was neither mandatory nor locked."""
    minutes, there = sum_minutes_by_day(problem, chosen)
    for (hotspot, day), total in minutes.items():
        if total <= problem.max_dose_minutes + 1e-6:
            continue
        for o, row in there[hotspot, day]:
            if problem.lock[o] < 0 and not problem.mandatory_visits[row]:
                yield f"hotspot {hotspot} gets {total:g} minutes on day {day}"


def compute_worth(problem, chosen):
    """What a week is worth, hotspot by hotspot and day by day, as the docs say it."""
    by_day, _ = sum_minutes_by_day(problem, chosen)
    minutes = {(spot, int(problem.dates[day])): total for (spot, day), total in by_day.items()}
    total = 0.0
    first = int(problem.dates[0])
    for hotspot in {hotspot for hotspot, _ in minutes}:
        weight = problem.weight[hotspot]
        if problem.is_once[hotspot]:
            total += weight
            continue
        days = sorted(date for h, date in minutes if h == hotspot)
        nth, rewarded = int(problem.dosed_before[hotspot]), False
        run, last = int(problem.run_before[hotspot]), first - 1
        for date in days:
            run = run + 1 if date - last == 1 else 1
            last = date
            gain = GAINS[nth] if nth < len(GAINS) else 0.05
            nth += 1
            gain += 0.3 if run >= 3 and not rewarded else 0.0
            rewarded |= run >= 3
            over = max(0.0, minutes[hotspot, date] / problem.max_dose_minutes - 1)
            total += weight * (gain - 0.2 * over)
    return total + _compute_fairness_terms(problem, chosen)


def _compute_fairness_terms(problem, chosen):
    """Presence at schools, evenness between officers, and those who walk along."""
    along = np.flatnonzero(problem.is_companion).tolist()
    unit = sum(problem.weight[h] for _, h in problem.visits.tolist())
    unit /= len(problem.route_school) - len(along)
    rows = [_describe(problem, o) for o in chosen]
    gates = Counter((s, w) for _, _, s, w, n in rows if n == 1)
    total = sum(0.2 * unit / n for count in gates.values() for n in range(1, count + 1))
    total += sum(0.3 * unit for o in chosen if problem.route[o] in along)
    for officer, count in Counter(k for k, *_ in rows).items():
        mine = [o for o in range(len(problem)) if problem.officer[o] == officer]
        fit = {(int(problem.day[o]), _describe(problem, o)[3]) for o in mine}
        capacity = min(len(fit), int(problem.max_patrols[officer]))
        total += sum(0.05 * unit * (1 - n / capacity) for n in range(count))
    return total


def count_school_patrols(problem, chosen):
    """How many patrols each school gets in the first window."""
    rows = [_describe(problem, o) for o in chosen]
    count = Counter(s for _, _, s, w, n in rows if (w, n) == (0, 1))
    return [count[school] for school in range(problem.schools)]


def sum_school_dose(problem, chosen):
    """Minutes of dose that each school's patrols give, as an array."""
    dwell = problem.route_dose.tolist()
    dose = np.zeros(problem.schools)
    for o in chosen:
        route = int(problem.route[o])
        dose[problem.route_school[route]] += dwell[route]
    return dose


def compute_max_dose(problem):
    """The dose of each school with its longest patrols at all times, regardless of officers."""
    best = defaultdict(float)
    for o in range(len(problem.officer)):
        _, day, school, window, number = _describe(problem, o)
        key = (school, day, window, number)
        best[key] = max(best[key], sum_school_dose(problem, [o]).max())
    highest = np.zeros(problem.schools)
    for (school, *_), dose in best.items():
        highest[school] += dose
    return highest


def parse_clock(clock):
    """Minutes after midnight of HH:MM."""
    return int(clock[:2]) * 60 + int(clock[3:])


def _find_hindrances(area, duty, name, leave=None):
    """What keeps a person from a duty, by the tables alone: way to the gate, hours, schools."""
    row = area.officers.set_index("officer").loc[name]
    place = area.schools.set_index("urn").loc[duty.urn].geometry
    speed = (12.0 if row["mode"] == "bicycle" else 4.8) * 1000 / 60
    latest = duty.start_minutes - row.geometry.distance(place) / speed + 1
    leave = latest if leave is None else leave
    if leave > latest:
        yield f"{duty}: {name} flies to the gate"
    hours = row[("mon", "tue", "wed", "thu", "fri")[duty.date.weekday()]]
    if not hours or leave < parse_clock(hours[:5]):
        yield f"{duty}: {name} is off duty, or leaves before duty"
    elif duty.end_minutes > parse_clock(hours[6:]) + 1e-6:
        yield f"{duty}: {name} ends after duty"
    if duty.urn not in row["school_urns"]:
        yield f"{duty}: not their school"


def find_broken_duties(week, area):
    """Every duty of a week that its officer or school could not keep, from the tables alone."""
    found = []
    for duty in week.duties:
        found += _find_hindrances(area, duty, duty.officer, duty.leave_minutes + 1e-6)
        if duty.patrol.way != area.settings.patrol.way:
            found.append(f"{duty}: goes another way than its officer")
        if not _is_in_term(area.term_dates, duty.urn, duty.date):
            found.append(f"{duty}: school closed")
    return found


def find_broken_crews(week, area):
    """Every crew that the tables do not allow, and every patrol that has none but needs one."""
    found, table = [], area.officers.set_index("officer")
    days = Counter()
    for duty in week.duties:
        days.update((name, duty.date) for name in (duty.officer, *duty.crew))
        lead = table.loc[duty.officer]
        if lead["role"] == "staff":
            found.append(f"{duty}: staff lead")
        if not lead["alone"] and not duty.crew:
            found.append(f"{duty}: alone")
        if duty.officer in duty.crew or len(duty.crew) > 1:
            found.append(f"{duty}: {duty.crew}")
        for name in duty.crew:
            found += _find_hindrances(area, duty, name)
    found += [f"{name} twice on {day}" for (name, day), count in days.items() if count > 1]
    counts = Counter(name for name, _ in days)
    found += [f"{name} over their most" for name, count in counts.items()
              if count > table["max_patrols_per_week"][name]]  # fmt: skip
    return found


def check_floor(problem, floor, weeks):
    """Check that weeks keep every rule and the floor."""
    for week in weeks:
        assert find_broken_rules(problem, week) == []
        counts = np.array(count_school_patrols(problem, week))
        assert np.maximum(0, floor.patrols - counts).sum() <= floor.missing
        assert count_unmet(problem, week, tasked=True) <= floor.unmet_tasked
        assert count_unmet(problem, week, tasked=False) <= floor.unmet_watched
        assert (sum_school_dose(problem, week) >= floor.dose - 1e-6).all()


def _is_in_term(terms, urn, date):
    at = dt.datetime.combine(date, dt.time())
    for whose in (urn, "*"):
        rows = terms[(terms["urn"] == whose) & (terms["from"] <= at) & (at <= terms["to"])]
        if (rows["kind"] == "closed").any():
            return False
        if (rows["kind"] == "term").any():
            return True
    return not (terms["kind"] == "term").any()
