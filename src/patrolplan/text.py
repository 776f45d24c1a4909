"""Counts with the right form of the word, and text shortened so that it fits on paper."""


def pluralise(count: int, one: str, several: str) -> str:
    """The word that goes with a count."""
    return one if count == 1 else several


def format_count(count: int, one: str, several: str = "") -> str:
    """A count and its word; without `several`, the word for more or none is `one` with an s.

    Examples
    --------
    >>> format_count(1, "patrol"), format_count(0, "patrol")
    ('1 patrol', '0 patrols')
    >>> format_count(1200, "category", "categories")
    '1,200 categories'
    """
    return f"{count:,} {pluralise(count, one, several or f'{one}s')}"


def capitalise(text: str) -> str:
    """The text with a capital first letter; the others stay as they are."""
    return text[:1].upper() + text[1:]


LONGEST_NAME = 34
"""Letters of a name on the map."""


def shorten(text: str, max_letters: int = LONGEST_NAME) -> str:
    """A name with at most so many letters, cut at a word where enough of it remains.

    Examples
    --------
    >>> shorten("Saint Somebody the Great and All Angels Primary School")
    'Saint Somebody the Great and All…'
    """
    if len(text) <= max_letters:
        return text
    cut = text[: max_letters - 1]
    word = cut.rfind(" ")
    return (cut[:word] if word > max_letters // 2 else cut).rstrip(" ,;") + "…"
