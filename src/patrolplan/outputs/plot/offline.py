"""The phone map inside a notebook: one page with everything in it, which asks no server."""

from dataclasses import dataclass
from html import escape
from pathlib import Path

from patrolplan.outputs.webmap.page import render_map
from patrolplan.patrols.plans import Plan


@dataclass(frozen=True)
class OfflineMap:
    """A page that a notebook shows in a frame of its own; `save` writes it as a file.

    Parameters
    ----------
    html
        The whole page.
    height
        Of the frame, in pixels.
    """

    html: str
    height: int = 560

    def __repr__(self) -> str:
        return f"<OfflineMap: {len(self.html) / 1e6:.1f} MB; save('map.html') writes it>"

    def _repr_html_(self) -> str:
        return (
            f'<iframe title="Map of the patrols" srcdoc="{escape(self.html)}" '
            f'style="width:100%;height:{self.height}px;border:1px solid #999"></iframe>'
        )

    def save(self, path: str | Path) -> Path:
        """Write the page as a file that opens in any browser."""
        path = Path(path)
        path.write_text(self.html, encoding="utf-8", newline="\n")
        return path


def web_map(plan: Plan, *, height: int = 560) -> OfflineMap:
    """The plan's map for a notebook: patrols, hotspots and both voices, with no network.

    Parameters
    ----------
    plan
        Patrols, hotspots and risk.
    height
        Of the frame, in pixels.
    """
    return OfflineMap(render_map(plan).decode("utf-8"), height)
