"""The team's secret: created for its owner alone, read or refused, and never shown."""

import copy
import datetime as dt
import os
import pickle
import stat

import pytest

from patrolplan.errors import InputError
from patrolplan.settings.load import parse_settings
from patrolplan.team import secret as module
from patrolplan.team.secret import Secret, create_secret, make_open_key, note_secret, read_secret

MONDAY = dt.date(2026, 11, 30)
CONTENT = bytes(range(100, 132))


def _settings(folder, name="week.secret"):
    data = {"sources": {"crimes": "c", "schools": "s", "streets": "x"}, "week": {"secret": name}}
    return parse_settings(data, folder=folder)


def test_a_secret_is_created_once_for_its_owner_alone(tmp_path):
    """A new file has 32 bytes of its own; a second call leaves it as it is."""
    paths = [tmp_path / name for name in ("a.secret", "b.secret")]
    assert all(map(create_secret, paths))
    one, other = (path.read_bytes() for path in paths)
    assert len(one) == len(other) == 32
    assert one != other
    assert not create_secret(paths[0])
    assert paths[0].read_bytes() == one
    if os.name == "posix":
        assert stat.S_IMODE(paths[0].stat().st_mode) == 0o600
        assert note_secret(_settings(tmp_path, "a.secret")) == ()


@pytest.mark.parametrize("content", [b"", CONTENT[:31], CONTENT + b"\n"])
def test_a_wrong_secret_is_refused_without_showing_it(tmp_path, content):
    """The error says how long it is, and nothing of what is in it."""
    (tmp_path / "week.secret").write_bytes(content)
    with pytest.raises(InputError, match=f"this file has {len(content)}") as caught:
        read_secret(_settings(tmp_path))
    assert CONTENT.decode("latin-1")[:4] not in str(caught.value)


@pytest.mark.skipif(os.name != "posix", reason="modes are of POSIX")
def test_a_secret_that_others_can_read_is_noted(tmp_path):
    """The note names the file, not what is in it."""
    path = tmp_path / "week.secret"
    path.write_bytes(CONTENT)
    path.chmod(0o640)
    (note,) = note_secret(_settings(tmp_path))
    assert (note.key, note.urgency) == ("secret_readable", "fix")
    assert "read the secret week.secret, and so" in note.text


def test_neither_secret_nor_key_shows_itself():
    """Not in print, not in a copy, not in a pickle."""
    secret = Secret(CONTENT)
    for hidden in (
        secret,
        secret.make_key("A", MONDAY, 1),
        secret.make_key("A", MONDAY, 1).derive(1),
    ):
        for text in (repr(hidden), str(hidden), f"{hidden}"):
            assert text == f"<{type(hidden).__name__}>"
        for copied in (pickle.dumps, copy.copy, copy.deepcopy):
            with pytest.raises(TypeError, match="not pickled"):
                copied(hidden)
        assert not hasattr(hidden, "__dict__")


def test_keys_of_different_draws_and_parts_differ():
    """Any part of what a key is for makes another key, and so another commitment and number."""
    secret = Secret(CONTENT)
    keys = [
        secret.make_key("A", MONDAY, 1),
        secret.make_key("A", MONDAY, 2),
        secret.make_key("B", MONDAY, 1),
        secret.make_key("A", MONDAY + dt.timedelta(days=7), 1),
        Secret(CONTENT[::-1]).make_key("A", MONDAY, 1),
    ]
    assert len({key.commitment for key in keys}) == len(keys)
    parts = [key.derive(*names) for key in keys for names in ((), ("a",), ("a", "b"), ("ab",))]
    assert len({part.draw(2**64) for part in parts}) == len(parts)
    again = Secret(CONTENT).make_key("A", MONDAY, 1)
    assert again.commitment == keys[0].commitment
    assert again.derive("a").draw(10**9) == keys[0].derive("a").draw(10**9)


def test_the_commitment_is_no_part_of_the_key():
    """What is published is not what other numbers are drawn from."""
    key = Secret(CONTENT).make_key("A", MONDAY, 1)
    assert len(key.commitment) == 2 * module.COMMITMENT_BYTES
    assert key.commitment not in key._content.hex()


def test_a_number_is_as_often_drawn_as_any_other():
    """Six thousand draws of a die give each side about a thousand times."""
    key = Secret(CONTENT).make_key("A", MONDAY, 1)
    sides = [key.derive(number).draw(6) for number in range(6000)]
    assert all(880 < sides.count(side) < 1120 for side in range(6))


def test_a_key_of_the_seed_commits_to_nothing():
    """Anyone can make it, so it has no commitment; equal seeds give equal keys."""
    key = make_open_key(7, "A", MONDAY, 1)
    assert (key.commitment, key.is_secret, key.number) == ("", False, 1)
    assert key.derive().draw(2**64) == make_open_key(7, "A", MONDAY, 1).derive().draw(2**64)
    assert key.derive().draw(2**64) != make_open_key(8, "A", MONDAY, 1).derive().draw(2**64)
