"""Rules and worth of a week, checked by code that shares nothing with the solver."""

import datetime as dt
from collections import Counter, defaultdict

import numpy as np

GAINS = (1.0, 0.85, 0.65, 0.2, 0.1)


def find_broken_rules(problem, chosen):
    """Every rule that these options break, in words."""
    rows = [
        (
            int(problem.officer[o]),
            int(problem.day[o]),
            int(problem.route_school[problem.route[o]]),
            int(problem.route_number[problem.route[o]]),
            int(problem.route[o]),
        )
        for o in chosen
    ]
    found = []
    if max(Counter((k, d) for k, d, *_ in rows).values(), default=0) > 1:
        found.append("an officer in two places")
    for officer, count in Counter(k for k, *_ in rows).items():
        if count > problem.max_patrols[officer]:
            found.append(f"officer {officer} over their most")
    slots = Counter((s, d, n) for _, d, s, n, _ in rows)
    if max(slots.values(), default=0) > 1:
        found.append("a route number twice on a day")
    found += [
        "a second officer without a first" for s, d, n in slots if n > 1 and not slots[s, d, n - 1]
    ]
    locks = {int(lock) for lock in problem.lock if lock >= 0}
    if locks - {int(problem.lock[o]) for o in chosen}:
        found.append("a lock not fulfilled")
    return found + list(_find_over_cap(problem, chosen))


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
    stops = defaultdict(set)
    for route, hotspot in problem.visits.tolist():
        stops[route].add(hotspot)
    for (hotspot, day), total in minutes.items():
        if total <= problem.max_dose_minutes + 1e-6:
            continue
        for o, row in there[hotspot, day]:
            lock = int(problem.lock[o])
            same = [int(problem.route[p]) for p in range(len(problem)) if problem.lock[p] == lock]
            locked = lock >= 0 and (
                problem.locks_first or all(hotspot in stops[route] for route in same)
            )
            mandatory = problem.mandatory_visits is not None and problem.mandatory_visits[row]
            if not (locked or mandatory):
                yield f"hotspot {hotspot} gets {total:g} minutes on day {day}"


def compute_worth(problem, chosen):
    """What a week is worth, hotspot by hotspot and day by day, as the docs say it."""
    minutes = defaultdict(float)
    stops = defaultdict(list)
    for (route, hotspot), dwell in zip(problem.visits.tolist(), problem.visit_minutes, strict=True):
        stops[route].append((hotspot, dwell))
    for o in chosen:
        for hotspot, dwell in stops[int(problem.route[o])]:
            minutes[hotspot, int(problem.dates[problem.day[o]])] += dwell
    total = 0.0
    first = int(problem.dates[0])
    for hotspot in {hotspot for hotspot, _ in minutes}:
        weight = problem.weight[hotspot]
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
    """Presence at schools and evenness between officers."""
    unit = sum(problem.weight[h] for _, h in problem.visits.tolist()) / len(problem.route_school)
    firsts = [o for o in chosen if problem.route_number[problem.route[o]] == 1]
    schools = Counter(int(problem.route_school[problem.route[o]]) for o in firsts)
    total = sum(0.2 * unit / n for count in schools.values() for n in range(1, count + 1))
    days = defaultdict(set)
    for o in range(len(problem.officer)):
        days[int(problem.officer[o])].add(int(problem.day[o]))
    for officer, count in Counter(int(problem.officer[o]) for o in chosen).items():
        capacity = min(len(days[officer]), int(problem.max_patrols[officer]))
        total += sum(0.05 * unit * (1 - n / capacity) for n in range(count))
    return total


def count_school_patrols(problem, chosen):
    """How many patrols each school gets."""
    firsts = [o for o in chosen if problem.route_number[problem.route[o]] == 1]
    count = Counter(int(problem.route_school[problem.route[o]]) for o in firsts)
    return [count[school] for school in range(problem.schools)]


def sum_school_dose(problem, chosen):
    """Minutes of dose that each school's patrols give, as an array."""
    dwell = defaultdict(float)
    for (route, _), minutes in zip(problem.visits.tolist(), problem.visit_minutes, strict=True):
        dwell[route] += minutes
    dose = np.zeros(problem.schools)
    for o in chosen:
        route = int(problem.route[o])
        dose[problem.route_school[route]] += dwell[route]
    return dose


def compute_max_dose(problem):
    """The dose of each school with its longest patrols on every day, regardless of officers."""
    best = defaultdict(float)
    for o in range(len(problem.officer)):
        route = int(problem.route[o])
        key = (int(problem.route_school[route]), int(problem.day[o]), problem.route_number[route])
        best[key] = max(best[key], sum_school_dose(problem, [o]).max())
    highest = np.zeros(problem.schools)
    for (school, *_), dose in best.items():
        highest[school] += dose
    return highest


def parse_clock(clock):
    """Minutes after midnight of HH:MM."""
    return int(clock[:2]) * 60 + int(clock[3:])


def find_broken_duties(week, area):
    """Every duty of a week that its officer or school could not keep, from the tables alone."""
    found = []
    for duty in week.duties:
        row = area.officers.set_index("officer").loc[duty.officer]
        hours = row[("mon", "tue", "wed", "thu", "fri")[duty.date.weekday()]]
        place = area.schools.set_index("urn").loc[duty.urn].geometry
        speed = (12.0 if row["mode"] == "bicycle" else 4.8) * 1000 / 60
        straight = row.geometry.distance(place) / speed
        way = row["mode"] if area.settings.week.way_by_officer else area.settings.patrol.way
        if duty.patrol.way != way:
            found.append(f"{duty}: goes another way than its officer")
        if not hours:
            found.append(f"{duty}: off duty")
            continue
        if duty.leave_minutes < parse_clock(hours[:5]) - 1e-6:
            found.append(f"{duty}: leaves before duty")
        if duty.start_minutes - duty.leave_minutes < straight - 1:
            found.append(f"{duty}: flies to the gate")
        if duty.end_minutes > parse_clock(hours[6:]) + 1e-6:
            found.append(f"{duty}: ends after duty")
        if duty.urn not in row["school_urns"]:
            found.append(f"{duty}: not their school")
        if not _is_in_term(area.term_dates, duty.urn, duty.date):
            found.append(f"{duty}: school closed")
    return found


def _is_in_term(terms, urn, date):
    at = dt.datetime.combine(date, dt.time())
    for whose in (urn, "*"):
        rows = terms[(terms["urn"] == whose) & (terms["from"] <= at) & (at <= terms["to"])]
        if (rows["kind"] == "closed").any():
            return False
        if (rows["kind"] == "term").any():
            return True
    return not (terms["kind"] == "term").any()
