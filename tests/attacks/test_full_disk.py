"""A disk that really runs full, at any size of it, leaves one whole plan."""

import hashlib
import json
import os
import subprocess
import sys

import pytest

import patrolplan as pp
from patrolplan.errors import OutputError
from patrolplan.outputs.output_folder import MANIFEST


@pytest.fixture
def small_disk(tmp_path):
    """Mounts a disk of so many kilobytes; only root may."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("only root on Linux may mount a small disk")
    mounted = []

    def mount(kilobytes):
        where = tmp_path / f"{kilobytes}"
        where.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(where)]
        if subprocess.run(command, check=False).returncode:  # noqa: S603 - fixed words
            pytest.skip("no disk can be mounted here")
        mounted.append(where)
        return where

    yield mount
    for where in mounted:
        subprocess.run(["umount", str(where)], check=True)  # noqa: S603, S607 - fixed words


def _is_whole(out):
    manifest = json.loads((out / MANIFEST).read_text(encoding="utf-8"))
    there = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    return there == {MANIFEST, *manifest["files"]} and all(
        hashlib.sha256((out / name).read_bytes()).hexdigest() == digest
        for name, digest in manifest["files"].items()
    )


@pytest.mark.slow
def test_a_full_disk_leaves_one_whole_plan(demo_plan, small_disk, tmp_path):
    """Whether a plan or a second one beside it fits or not: it is whole, or it is told."""
    size = sum(
        path.stat().st_size
        for path in pp.write_pack(demo_plan, tmp_path / "whole").rglob("*")
        if path.is_file()
    )
    ends = set()
    for step in range(1, 25):
        disk = small_disk(size * step // 10_000)
        for _ in range(2):
            try:
                pp.write_pack(demo_plan, disk / "out")
                ends.add("written")
            except OutputError as error:
                ends.add("told")
                assert "cannot be written" in str(error)  # noqa: PT017
            assert [path.name for path in disk.iterdir()] in ([], ["out"])
            if (disk / "out").exists():
                assert _is_whole(disk / "out")
    assert ends == {"written", "told"}
