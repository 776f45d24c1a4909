"""Counts in words whose number is right: one school has, two schools have."""


def agreeing(count: int, one: str, several: str) -> str:
    """The word that goes with a count."""
    return one if count == 1 else several


def counted(count: int, one: str, several: str = "") -> str:
    """So many of a thing.

    Parameters
    ----------
    count
        How many.
    one, several
        Words for one of it and for more or none; without `several`, `one` takes an s.

    Examples
    --------
    >>> counted(1, "patrol"), counted(0, "patrol"), counted(1200, "category", "categories")
    ('1 patrol', '0 patrols', '1,200 categories')
    """
    return f"{count:,} {agreeing(count, one, several or f'{one}s')}"
