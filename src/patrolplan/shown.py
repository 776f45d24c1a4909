"""How results show themselves in a notebook: what they are, in a few facts, and what to do next."""

from collections.abc import Mapping
from html import escape


def shown_as_table(title: str, facts: Mapping[str, object], *, after: str) -> str:
    """A small table in HTML; text from data is escaped.

    Parameters
    ----------
    title
        What it is.
    facts
        Names and values.
    after
        The call that comes next.

    Examples
    --------
    >>> shown_as_table("Area", {"schools": 2}, after="pp.estimate_risk(area)")
    '<strong>Area</strong><table><tr><th scope="row">schools</th><td>2</td></tr></table>Next: \
<code>pp.estimate_risk(area)</code>'
    """
    rows = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td>{escape(str(value))}</td></tr>'
        for name, value in facts.items()
    )
    return (
        f"<strong>{escape(title)}</strong><table>{rows}</table>Next: <code>{escape(after)}</code>"
    )
