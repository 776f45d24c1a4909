"""Where the fictional demo borough lies: in the package, or beside it in a checkout."""

from pathlib import Path


def demo_settings() -> Path:
    """Settings file of the demo borough.

    Examples
    --------
    >>> demo_settings().name
    'patrolplan.toml'
    """
    packed = Path(__file__).parent / "demo_data" / "patrolplan.toml"
    return packed if packed.is_file() else Path(__file__).parents[2] / "data" / "patrolplan.toml"
