"""Output folders are complete after any failure, and nobody else's files are replaced."""

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from patrolplan import atomic
from patrolplan.errors import OutputError
from patrolplan.outputs import output_folder as folders

IN_PATH = ("write_text", "write_bytes", "mkdir", "rename", "replace", "chmod", "open", "unlink")
WRITES = (*((Path, name) for name in IN_PATH[:3]), (tempfile, "mkdtemp"), (os, "fsync"))
CHANGES = (
    *((Path, name) for name in IN_PATH),
    *((tempfile, "mkdtemp"), (os, "rename"), (os, "replace"), (shutil, "rmtree")),
)
HOLDER = """
import sys
from pathlib import Path
from patrolplan.outputs.output_folder import replace_folder
with replace_folder(Path(sys.argv[1]), {"version": "first"}) as folder:
    (folder / "map.html").write_text("first", encoding="utf-8")
    print("writing", flush=True)
    sys.stdin.readline()
"""


def _write(out, version, names=("plan.json", "cards/1.pdf", "cards/2.pdf")):
    with folders.replace_folder(out, {"version": version}) as folder:
        folders.write_files(folder, {name: f"{version} {name}".encode() for name in names})


def _version(out):
    """The version in a folder, after checking that the folder is complete and has no other file."""
    manifest = json.loads((out / folders.MANIFEST).read_text(encoding="utf-8"))
    files = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    assert files == {folders.MANIFEST, *manifest["files"]}
    for name, digest in manifest["files"].items():
        content = (out / name).read_bytes()
        assert hashlib.sha256(content).hexdigest() == digest
        assert content.decode().startswith(manifest["version"])
    return manifest["version"]


@given(st.dictionaries(st.text("abcäß-_ ", min_size=1), st.binary(), max_size=6))
def test_manifest_names_every_file_with_its_hash(tmp_path_factory, files):
    """The manifest holds the given details, and the hash of every file written."""
    out = tmp_path_factory.mktemp("files") / "out"
    files = {f"brief-{name}.pdf": content for name, content in files.items()}
    with folders.replace_folder(out, {"seed": 7}) as folder:
        folders.write_files(folder, files)
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    assert json.loads((out / folders.MANIFEST).read_bytes()) == {"seed": 7, "files": hashes}
    assert list(out.parent.iterdir()) == [out]


def test_a_week_is_only_replaced_by_a_week(tmp_path):
    """Changes made by hand in a week are not lost to another output in the same folder."""
    out = tmp_path / "out"
    for _ in range(2):
        _write(out, "week", ("week.json",))
    with pytest.raises(OutputError, match="holds a week"):
        _write(out, "brief", ("brief.pdf",))
    assert _version(out) == "week"


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, OSError])
def test_failure_inside_leaves_the_old_output(tmp_path, error):
    """When writing fails half way, the old pack is unchanged and nothing is left next to it."""
    out = tmp_path / "out"
    _write(out, "old")

    def fail():
        with folders.replace_folder(out, {"version": "new"}) as folder:
            (folder / "plan.json").write_text("half", encoding="utf-8")
            raise error

    with pytest.raises(OutputError if error is OSError else error):
        fail()
    assert (_version(out), list(tmp_path.iterdir())) == ("old", [out])


class _KilledError(BaseException):
    """The process is killed, or the computer is switched off."""


def _killed_at(at, write, *given, error=_KilledError, changes=CHANGES):
    """Write something without this change of the disk and any later one; whether it came to it."""
    count = 0

    def make_mortal(real, name):
        def call(*args, **options):
            nonlocal count
            is_lock = str(*args[:1]).endswith(".lock")  # which the system releases
            count += not is_lock
            if is_lock or count <= at:
                return real(*args, **options)
            if count == at + 1 and name == "rmtree":  # half of the files are gone
                for file in [*filter(Path.is_file, sorted(Path(args[0]).rglob("*")))][::2]:
                    os.remove(file)  # noqa: PTH107 - that of Path is mortal, too
            raise error

        return call

    with pytest.MonkeyPatch.context() as patches, contextlib.suppress(_KilledError):
        for owner, name in changes:
            patches.setattr(owner, name, make_mortal(getattr(owner, name), name))
        write(*given)
    return count > at


@pytest.mark.parametrize(("older", "again"), [(True, "check"), (True, "write"), (False, "check")])
def test_kill_at_every_step_leaves_one_complete_output(tmp_path, older, again):
    """Killed at any step, after the next command the folder has one complete pack, or none."""
    found = set()
    for step in range(1000):
        out = tmp_path / str(step) / "out"
        out.parent.mkdir()
        if older:
            _write(out, "old")
        died = _killed_at(step, _write, out, "new")
        _write(out, "newer") if again == "write" else folders.check_folder(out)
        found.add(_version(out) if out.exists() else "none")
        if not died:
            break
        assert {*out.parent.iterdir()} <= {out}
    assert step > 8
    expected = {"new", "old" if older else "none"}
    assert found == ({"newer"} if again == "write" else expected)


def test_kill_without_a_new_pack_brings_the_old_one_back(tmp_path):
    """Moved away, with nothing to replace it, the old pack is the output again."""
    out = tmp_path / "out"
    _write(out, "old")
    out.rename(tmp_path / ".out.old")
    folders.check_folder(out)
    assert (_version(out), list(tmp_path.iterdir())) == ("old", [out])


def _give_away(out):
    """A manifest that lists somebody's file with its very hash."""
    (out / "thesis.txt").write_bytes(b"mine")
    manifest = folders.read_manifest(out)
    manifest["files"]["thesis.txt"] = hashlib.sha256(b"mine").hexdigest()
    folders.write_json(out / folders.MANIFEST, manifest)


SPOILT = [
    (lambda out: (out / "thesis.doc").touch(), r"holds 1 file .*\(thesis.doc\).*--out"),
    (lambda out: (out / "cards/thesis.doc").touch(), r"holds 1 file .*\(cards/thesis.doc\)"),
    (lambda out: (out / "link").symlink_to(out / "gone"), r"\(link\)"),
    (lambda out: (out / "cards/1.pdf").write_text("with my notes"),
     r"changed after patrolplan wrote them \(cards/1.pdf\)"),
    (lambda out: (out / folders.MANIFEST).unlink(), "holds 3 files that patrolplan did not write"),
    (_give_away, r"1 file that patrolplan did not write \(thesis.txt\)"),
    *(
        (lambda out, text=text: (out / folders.MANIFEST).write_bytes(text), "holds 4 files")
        for text in (b"", b"[]", b"{}", b'{"files": 3}', b"\xff", b"[" * 99_999)
    ),
]  # fmt: skip


@pytest.mark.parametrize(("spoil", "message"), SPOILT)
def test_foreign_and_edited_files_are_refused_and_named(tmp_path, spoil, message):
    """A folder with a file that is not as patrolplan wrote it is refused, and stays as it is."""
    out = tmp_path / "out"
    _write(out, "old")
    spoil(out)
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    with pytest.raises(OutputError, match=message):
        _write(out, "new")
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before
    assert list(tmp_path.iterdir()) == [out]


@pytest.mark.parametrize("name", ["out", "o[u]t"])
def test_own_leftovers_of_killed_commands_are_removed(tmp_path, name):
    """Those of folders with similar names stay, also where a name looks like a pattern."""
    others = {f".{one}.part-abc" for one in {"out", "o[u]t", "out[1]", "outer"} - {name}}
    for one in (*others, f".{name}.part-abc"):
        (tmp_path / one).mkdir()
        (tmp_path / one / "x").touch()
    _write(tmp_path / name, "new")
    assert {path.name for path in tmp_path.iterdir()} == {*others, name}


def test_older_output_is_replaced_through_a_link(tmp_path):
    """What a link points to is replaced, repeatedly; what only the old pack had is removed."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real", target_is_directory=True)
    _write(tmp_path / "link", "old", ("map.html", "gpx/1.gpx"))
    _write(tmp_path / "link", "new", ("map.html",))
    assert not (tmp_path / "real" / "gpx").exists()
    assert _version(tmp_path / "real") == "new"
    assert (tmp_path / "link").is_symlink()


@pytest.mark.parametrize("where", ["file", "file/out", "file/deep/out"])
def test_places_that_cannot_be_written(tmp_path, where):
    """A file in the way is named, with what to do, before anything is computed."""
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    with pytest.raises(OutputError, match=r"file.*: (is a file|cannot be written).*--out"):
        folders.check_folder(tmp_path / where)
    assert (tmp_path / "file").read_text(encoding="utf-8") == "mine"


def test_full_disk_at_every_step_leaves_one_complete_output(tmp_path):
    """If the disk is full at any point, one complete pack remains, no leftovers, and an error."""
    out, full = tmp_path / "out", OSError(28, "No space left on device")
    for writes in range(100):
        _write(out, "old")
        try:
            if not _killed_at(writes, _write, out, "new", error=full, changes=WRITES):
                break
        except OutputError as error:
            assert "cannot be written (No space left on device)" in str(error)  # noqa: PT017
        assert _version(out) in {"old", "new"}  # full after the swap: the new one stays
        assert list(tmp_path.iterdir()) == [out]
    assert writes > 10
    assert _version(out) == "new"


def test_every_file_is_synced_before_the_swap(tmp_path, monkeypatch):
    """No folder is swapped in before all of its files are on the disk."""
    events = []
    real_sync, real_rename = os.fsync, Path.rename
    monkeypatch.setattr(os, "fsync", lambda fd: (events.append("sync"), real_sync(fd))[1])

    def rename(self, target):
        events.append(f"rename {Path(target).name}")
        return real_rename(self, target)

    monkeypatch.setattr(Path, "rename", rename)
    _write(tmp_path / "out", "new")
    files_and_folders = ["sync"] * (4 + 2)
    assert events == [*files_and_folders, "rename .out.new", "rename out", "sync"]


def _holding(out):
    """Another run that is in the middle of writing a folder."""
    command = [sys.executable, "-c", HOLDER, str(out)]
    pipes = dict.fromkeys(("stdin", "stdout"), subprocess.PIPE)
    process = subprocess.Popen(command, **pipes, text=True)  # noqa: S603 - this very interpreter
    assert process.stdout.readline() == "writing\n"
    return process


def test_two_runs_do_not_mix_and_a_killed_one_does_not_block(tmp_path, monkeypatch):
    """A second run on a folder is refused and changes nothing; a killed run's lock is ignored."""
    out = tmp_path / "out"
    monkeypatch.setattr("patrolplan.atomic.WAIT_SECONDS", 0.1)
    with _holding(out) as first:
        siblings = {path.name for path in tmp_path.iterdir()}
        for again, *more in ((_write, "second"), (folders.check_folder,)):
            with pytest.raises(OutputError, match=r"out: another patrolplan is writing.*--out"):
                again(out, *more)
        assert {path.name for path in tmp_path.iterdir()} == siblings
        first.stdin.write("\n")
        first.stdin.close()
        assert first.wait() == 0
    assert _version(out) == "first"
    with _holding(out) as killed:
        killed.kill()
    _write(out, "third")
    assert (_version(out), list(tmp_path.iterdir())) == ("third", [out])


def test_json_keeps_order_and_letters_and_refuses_nan(tmp_path):
    """It is read back as it was, and ends with a line break."""
    document = {"b": [1, 2.5], "a": "Café"}
    folders.write_json(tmp_path / "x.json", document)
    text = (tmp_path / "x.json").read_text(encoding="utf-8")
    assert list(json.loads(text).items()) == list(document.items())
    assert text == atomic.format_json(document)
    assert text.endswith('"Café"\n}\n')
    with pytest.raises(ValueError, match="JSON compliant"):
        atomic.format_json({"a": float("nan")})


def test_files_replaced_in_place_are_complete_after_a_kill(tmp_path):
    """Killed before any step of a replacement, the next command finds the old files or the new."""
    old = {"week.json": b"old a", "plan.json": b"old b", "tasks.pdf": b"paper"}
    new = {"week.json": b"new a", "plan.json": b"new b"}
    seen = []
    for moment in range(100):
        folder = tmp_path / f"out{moment}"
        with folders.replace_folder(folder, {"version": 1}) as part:
            folders.write_files(part, old)
        killed = _killed_at(moment, folders.replace_files, folder, new, {"version": 2})
        folders.check_folder(folder)
        found = {name: (folder / name).read_bytes() for name in old}
        manifest = folders.read_manifest(folder)
        assert found in ({**old, **new}, old)
        assert manifest["version"] == (2 if found["week.json"] == b"new a" else 1)
        for name, content in found.items():
            assert manifest["files"][name] == hashlib.sha256(content).hexdigest()
        assert not list(folder.glob(".*.part"))
        seen.append((killed, manifest["version"]))
        if not killed:
            break
    assert {*seen} == {(True, 1), (True, 2), (False, 2)}


def test_files_are_only_replaced_in_our_folders(tmp_path):
    """Without our manifest no file is replaced, and a file with our ending stays."""
    (tmp_path / ".mine.txt.part").write_text("mine", encoding="utf-8")
    with pytest.raises(OutputError, match=r"holds no manifest\.json"):
        folders.replace_files(tmp_path, {"a.json": b"x"}, {})
    assert [path.name for path in tmp_path.iterdir()] == [".mine.txt.part"]
