"""Time sixty cards with their maps, and whether one takes longer in a larger plan.

    python benchmarks/cards.py --cards 60 --json

The patrols of the demo borough represent any area; repeated, they form a plan with any number of
patrols, each of which is drawn and typeset again.
"""

import argparse
import json
import time
from dataclasses import replace

import patrolplan as pp
from patrolplan.outputs.card.card import BODY_WIDTH, MAX_MAP_HEIGHT, render_cards
from patrolplan.outputs.card.card_map import draw_patrol_map
from patrolplan.patrols.plan import Plan

SMALL = 12
"""Cards of the plan that the large one is compared with."""


def repeat_patrols(plan: Plan, count: int) -> Plan:
    """A plan with `count` patrols, each of a different school."""
    patrols = tuple(
        replace(plan.patrols[number % len(plan.patrols)], urn=str(900_000 + number))
        for number in range(count)
    )
    return replace(plan, patrols=patrols)


def time_cards(plan: Plan) -> float:
    """Seconds to render all cards of a plan."""
    begun = time.perf_counter()
    render_cards(plan)
    return time.perf_counter() - begun


def time_map(plan: Plan, runs: int = 3) -> float:
    """Processor milliseconds per map over all the plan's patrols, in the best run."""
    spent = []
    for _ in range(runs):
        begun = time.process_time()
        for patrol in plan.patrols:
            draw_patrol_map(plan, patrol, width=BODY_WIDTH, height=MAX_MAP_HEIGHT)
        spent.append(time.process_time() - begun)
    return 1000 * min(spent) / len(plan.patrols)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--config", help="settings file; default the demo borough")
    parser.add_argument("--cards", type=int, default=60)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    wish = parser.parse_args()
    area = pp.load_area(wish.config or pp.demo_settings())
    risk = pp.estimate_risk(area)
    plan = pp.plan_patrols(area, risk, pp.find_hotspots(area, risk))
    time_cards(repeat_patrols(plan, 1))  # reads the typefaces
    small, large = (
        time_cards(repeat_patrols(plan, SMALL)),
        time_cards(repeat_patrols(plan, wish.cards)),
    )
    result = {
        "cards": wish.cards,
        "seconds": round(large, 2),
        "seconds_a_card": round(large / wish.cards, 3),
        "seconds_a_card_of_few": round(small / SMALL, 3),
        "processor_milliseconds_a_map": round(time_map(plan), 1),
    }
    if wish.json:
        print(json.dumps(result))
        return
    for name, value in result.items():
        print(f"{name.replace('_', ' ')}: {value}")


if __name__ == "__main__":
    main()
