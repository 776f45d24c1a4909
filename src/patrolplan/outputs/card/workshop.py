"""A folder in which cards are laid out and typeset."""

import io
import json
import tempfile
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import asdict
from dataclasses import replace
from pathlib import Path
from typing import Any

import segno

from patrolplan.crew.share import Tell
from patrolplan.crew.share import shared_out
from patrolplan.crew.share import told_as
from patrolplan.outputs.card.fit import BODY_WIDTH
from patrolplan.outputs.card.fit import LOWEST_MAP
from patrolplan.outputs.card.fit import Heights
from patrolplan.outputs.card.fit import Layout
from patrolplan.outputs.card.fit import fit_page
from patrolplan.outputs.card.lettering import printable
from patrolplan.outputs.card.press import compiler
from patrolplan.outputs.card.press import lay_template
from patrolplan.outputs.card.press import typeset
from patrolplan.outputs.card.streetmap import draw_patrol_map
from patrolplan.outputs.card.words import card_data
from patrolplan.outputs.card.words import tightened
from patrolplan.outputs.wording import plan_id
from patrolplan.patrols.plans import Patrol
from patrolplan.patrols.plans import Plan

TEMPLATE = "card.typ"
COVER = "cover.typ"


class Workshop:
    """A folder with the template and the pictures, and typst working in it."""

    def __init__(
        self, root: Path, executor: Executor | None = None, tell: Tell | None = None
    ) -> None:
        self.root = root
        self.executor, self.tell = executor, tell
        for template in (TEMPLATE, COVER):
            lay_template("patrolplan.outputs.card", template, root)

    def lay_out(self, dated: Sequence[tuple[Plan, Patrol]]) -> list[dict[str, Any]]:
        """What each card says, with its code and map; a map that serves twice is drawn once."""
        if not dated:
            return []
        codes = {id(plan): plan_id(plan) for plan in {id(plan): plan for plan, _ in dated}.values()}
        cards = [
            card_data(plan, patrol, codes[id(plan)])
            | self.code(f"code-{number}.svg", plan, patrol, codes[id(plan)])
            for number, (plan, patrol) in enumerate(dated)
        ]
        crowded = [heights.map_room(0.0) < LOWEST_MAP for heights in self.measure(cards)]
        cards = [
            tightened(card) if tight else card for card, tight in zip(cards, crowded, strict=True)
        ]
        layouts = [
            fit_page(heights, directions=bool(card["legs"]))
            for heights, card in zip(self.measure(cards), cards, strict=True)
        ]
        maps = self.draw([patrol for _, patrol in dated], layouts, dated[0][0])
        return [
            card | {"map": name} | asdict(layout)
            for card, name, layout in zip(cards, maps, layouts, strict=True)
        ]

    def draw(self, patrols: Sequence[Patrol], layouts: Sequence[Layout], plan: Plan) -> list[str]:
        """Lay every card's map where the template finds it; give back their names.

        Every card's plan is of one area and the same hotspots, so that any of them will do.
        """
        keys = [
            (id(patrol), layout.map_height) for patrol, layout in zip(patrols, layouts, strict=True)
        ]
        wanted = {key: (patrol, key[1]) for key, patrol in zip(keys, patrols, strict=True)}
        pictures = shared_out(
            _picture,
            replace(plan, area=plan.area.for_schools(), patrols=()),
            list(wanted.values()),
            executor=self.executor,
            tell=told_as("Drawing maps", wanted, self.tell),
        )
        names = {key: f"map-{number}.pdf" for number, key in enumerate(wanted)}
        for name, picture in zip(names.values(), pictures, strict=True):
            (self.root / name).write_bytes(picture)
        return [names[key] for key in keys]

    def typeset_each(self, cards: Sequence[dict[str, Any]]) -> list[bytes]:
        """Every card as a tagged PDF of its own."""
        names = [(card["map"], card["code"]) for card in cards]
        told = told_as("Typesetting cards", cards, self.tell)
        if self.executor is None:
            return shared_out(_typeset_here, self, cards, tell=told)
        parts = [
            (card, {name: (self.root / name).read_bytes() for name in pictures})
            for card, pictures in zip(cards, names, strict=True)
        ]
        return shared_out(_typeset_apart, None, parts, executor=self.executor, tell=told)

    def code(self, name: str, plan: Plan, patrol: Patrol, code: str) -> dict[str, str]:
        """Lay the QR code where the template finds it: area, plan and patrol, but no place."""
        text = f"patrolplan/{code}/{patrol.urn}-{patrol.number}/{plan.area.name}"
        picture = io.BytesIO()
        square = segno.make(printable(text)[:200], error="m", micro=False)
        square.save(picture, kind="svg", border=1, xmldecl=False, nl=False)
        (self.root / name).write_bytes(picture.getvalue())
        return {"code": name}

    def measure(self, cards: Sequence[dict[str, Any]]) -> list[Heights]:
        """How tall the words of each card are."""
        self._lay("Measuring", cards, measuring=True)
        found = json.loads(compiler(self.root, TEMPLATE).query("<heights>", field="value"))
        return [Heights(**heights) for heights in found]

    def typeset(
        self, title: str, cards: Sequence[dict[str, Any]], *, cover: dict[str, Any] | None = None
    ) -> bytes:
        """Cards as one tagged PDF, under a cover where one is given."""
        self._lay(title, cards, measuring=False, cover=cover)
        return typeset(self.root, TEMPLATE)

    def _lay(
        self,
        title: str,
        cards: Sequence[dict[str, Any]],
        *,
        measuring: bool,
        cover: dict[str, Any] | None = None,
    ) -> None:
        data = {"title": title, "cards": list(cards), "measuring": measuring, "cover": cover}
        text = json.dumps(data, ensure_ascii=False)
        (self.root / "cards.json").write_text(text, encoding="utf-8")


def _typeset_here(press: Workshop, card: dict[str, Any]) -> bytes:
    """A card alone."""
    return press.typeset(card["title"], [card])


def _typeset_apart(_: None, part: tuple[dict[str, Any], dict[str, bytes]]) -> bytes:
    """A card alone, in a folder of its own, from its words and pictures."""
    card, pictures = part
    with tempfile.TemporaryDirectory() as folder:
        press = Workshop(Path(folder))
        for name, picture in pictures.items():
            (press.root / name).write_bytes(picture)
        return _typeset_here(press, card)


def _picture(plan: Plan, asked: tuple[Patrol, float]) -> bytes:
    """The map of a patrol, so many points high."""
    patrol, height = asked
    return draw_patrol_map(plan, patrol, width=BODY_WIDTH, height=height).pdf
