"""The team's secret, and the keys of the draws that are made of it.

With the secret every week can be drawn again, and so every patrol is known; without it none is.
It is a file of random bytes: neither it nor a key is printed, pickled, or part of settings,
provenance, papers, logs or caches. What is published is the commitment, a digest of the key of a
week's draw: those who have the secret can show that this key, and no other, drew the week.

A key is keyed BLAKE2b (RFC 7693) of its purpose. Purposes are separated by BLAKE2b's own
personalisation, and parts by their lengths, so that no two purposes share a key.
"""

import datetime as dt
import hashlib
import json
import os
import secrets
from pathlib import Path
from typing import NoReturn

from patrolplan.errors import InputError, OutputError
from patrolplan.notes import Note
from patrolplan.settings import Settings

SECRET_BYTES = 32
KEY_BYTES = 32
COMMITMENT_BYTES = 16

WEEK, PART, NUMBER = b"pp week", b"pp part", b"pp number"
COMMITMENT, FROM_SEED = b"pp commitment", b"pp seed"
"""Purposes of keys, see `person` of `hashlib.blake2b`."""

READABLE_BY_OTHERS = 0o077  # bits of a file's mode for everyone except its owner


class Opaque:
    """Bytes that are never shown, copied or stored."""

    __slots__ = ("_content",)

    def __init__(self, content: bytes) -> None:
        self._content = content

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        message = f"a {type(self).__name__} is not pickled or copied"
        raise TypeError(message)

    def _digest(self, purpose: bytes, *parts: object, size: int = KEY_BYTES) -> bytes:
        texts = [str(part).encode("utf-8") for part in parts]
        message = b"".join(len(text).to_bytes(8, "big") + text for text in texts)
        key = self._content
        return hashlib.blake2b(message, digest_size=size, key=key, person=purpose).digest()


class DrawKey(Opaque):
    """The key of the `number`-th draw of a week, or of a part of it; of the secret or open."""

    __slots__ = ("is_secret", "number")

    def __init__(self, content: bytes, number: int = 0, *, is_secret: bool = False) -> None:
        super().__init__(content)
        self.number = number
        self.is_secret = is_secret

    def derive(self, *parts: object) -> "DrawKey":
        """The key of a part of the draw, such as one patrol, named by what distinguishes it."""
        return DrawKey(self._digest(PART, *parts))

    def draw(self, count: int) -> int:
        """A whole number from 0 to `count` - 1, the same for equal keys."""
        # As 256 bits are reduced, no number is more probable than another by more than 2^-190.
        return int.from_bytes(self._digest(NUMBER), "big") % count

    def pick(self, what: str, count: int) -> int:
        """The number of a part of the draw."""
        return self.derive(what).draw(count)

    @property
    def commitment(self) -> str:
        """The digest that may be published: it does not reveal the key. Empty for no secret."""
        return self._digest(COMMITMENT, size=COMMITMENT_BYTES).hex() if self.is_secret else ""


class Secret(Opaque):
    """The team's secret."""

    __slots__ = ()

    def make_key(self, area: str, monday: dt.date, number: int) -> DrawKey:
        """The key of the `number`-th draw of an area's week."""
        content = self._digest(WEEK, area, monday.isoformat(), number)
        return DrawKey(content, number, is_secret=True)


def make_open_key(seed: int, area: str, monday: dt.date, number: int) -> DrawKey:
    """The key of a draw without a secret, which anyone who has the settings can make."""
    parts = json.dumps([seed, area, monday.isoformat(), number]).encode("utf-8")
    content = hashlib.blake2b(parts, digest_size=KEY_BYTES, person=FROM_SEED).digest()
    return DrawKey(content, number, is_secret=False)


def find_secret_path(settings: Settings) -> Path:
    """The path of the secret in the settings; a relative one starts at their folder."""
    return settings.folder / settings.week.secret


def read_secret(settings: Settings) -> Secret | None:
    """The team's secret, which no error ever shows; None where there is no such file."""
    path = find_secret_path(settings)
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        what = f"the secret cannot be read ({error.strerror})"
        raise InputError.one(path, what, "let your own account read it") from None
    if len(content) != SECRET_BYTES:
        what = f"a secret has {SECRET_BYTES} bytes, and this file has {len(content)}"
        remedy = "restore the file, or remove it: the next week is then drawn with a new one"
        raise InputError.one(path, what, remedy)
    return Secret(content)


def note_secret(settings: Settings) -> tuple[Note, ...]:
    """Whether others than its owner can read the secret, as far as the system shows."""
    path = find_secret_path(settings)
    if os.name != "posix" or not path.stat().st_mode & READABLE_BY_OTHERS:
        return ()
    text = f"Others on this computer can read the secret {path.name}, and so foresee every week"
    fix = f"let its owner alone read the secret: `chmod 600 {path.name}`"
    return (Note("secret_readable", f"{text}: let its owner alone read it.", "lead", fix=fix),)


def create_secret(path: Path) -> bool:
    """Write a new secret that only its owner can read; False where the file already exists."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    try:
        with os.fdopen(os.open(path, flags, 0o600), "wb") as stream:
            stream.write(secrets.token_bytes(SECRET_BYTES))
    except FileExistsError:
        return False
    except OSError as error:
        message = f"{path}: the secret cannot be written ({error.strerror})"
        raise OutputError(message) from None
    return True
