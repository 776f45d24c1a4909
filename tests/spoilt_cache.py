"""Ways in which an entry of the cache can be spoilt, for the tests of every store."""

import re

import pytest

from patrolplan.cache import hash_content


def _flip(content):
    """One bit of the last byte but ten is another."""
    at = len(content) - 10
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


def _name_another_key(content):
    """The seal and the content are whole, but belong to another key."""
    seal, _, rest = content.partition(b"\n")
    words = seal.split(b" ")
    words[3] = hash_content(b"another key").encode()
    return b" ".join(words) + b"\n" + rest


SPOILT = {
    "a flipped bit": _flip,
    "cut short": lambda content: content[: len(content) * 2 // 3],
    "cut in the seal": lambda content: content[:30],
    "empty": lambda _: b"",
    "rubbish": lambda _: b"nothing",
    "of another key": _name_another_key,
    "of another version": lambda content: re.sub(rb"^(\S+ \S+) \S+", rb"\1 0", content),
}

every_way = pytest.mark.parametrize("way", SPOILT)
"""Run a test once for each way."""


def spoil_entries(folder, way):
    """Spoil every entry below a folder, and give a check that each has been replaced."""
    before = {path: path.read_bytes() for path in folder.rglob("*.entry")}
    assert before
    for path, content in before.items():
        assert SPOILT[way](content) != content
        path.write_bytes(SPOILT[way](content))

    def check_replaced():
        assert {path: path.read_bytes() for path in folder.rglob("*.entry")} == before

    return check_replaced
