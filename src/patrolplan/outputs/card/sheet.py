"""The patrol card: one A4 page that an officer carries, typeset by typst."""

import re
import tempfile
from collections.abc import Sequence
from concurrent.futures import Executor
from pathlib import Path

from patrolplan.crew.share import Tell
from patrolplan.outputs.card.lettering import printable
from patrolplan.outputs.card.workshop import Workshop
from patrolplan.patrols.plans import Patrol
from patrolplan.patrols.plans import Plan


def render_cards(
    plan: Plan,
    *,
    patrols: Sequence[Patrol] | None = None,
    executor: Executor | None = None,
    tell: Tell | None = None,
) -> dict[str, bytes]:
    """Typeset the cards of a plan.

    Parameters
    ----------
    plan
        What the patrols belong to.
    patrols
        Those to typeset; all of the plan by default.
    executor
        Whose workers share the cards, see `patrolplan.crew`; default this process alone.
    tell
        Is told what is done, how many of the cards, and of how many.

    Returns
    -------
    dict
        File name to PDF: "cards/URN.pdf", "cards/URN-2.pdf" for the second officer..., and
        "cards.pdf" with all of them in order. Equal plans give equal bytes.
    """
    chosen = plan.patrols if patrols is None else tuple(patrols)
    if not chosen:
        return {}
    with tempfile.TemporaryDirectory() as folder:
        press = Workshop(Path(folder), executor, tell)
        cards = press.lay_out([(plan, patrol) for patrol in chosen])
        names = [card_name(patrol) for patrol in chosen]
        done = dict(zip(names, press.typeset_each(cards), strict=True))
        whole = f"Patrol cards: {printable(plan.area.name)}"
        return {**done, "cards.pdf": press.typeset(whole, cards)}


def card_name(patrol: Patrol) -> str:
    """File name of a patrol's card; a URN that is no plain word cannot lead out of the folder."""
    further = f"-{patrol.number}" if patrol.number > 1 else ""
    return f"cards/{re.sub('[^0-9A-Za-z_-]', '_', patrol.urn)}{further}.pdf"
