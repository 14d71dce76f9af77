"""Full disks, closed folders, private homes, root and normal users: it works or says why not."""

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from stack.postgres.binaries import SHELTERS
from tests.fixtures.disks import small_disk
from tests.stack.commands.commands import ROOT, Commands, is_alive, wait_until

UP = ("up", "--port", "0", "--db-port", "0", "--no-fsync")


def test_a_disk_too_small_for_a_database(commands, place, as_root):
    with small_disk(place / "disk", 60):
        commands.folder = place / "disk" / "stack"
        done = commands.run(*UP)
        assert done.returncode == 1
        assert done.stderr.startswith(f"Error: the disk of {commands.folder}/postgres has ")
        assert "a new database needs 200: free some space" in done.stderr
        assert len(done.stderr.splitlines()) == 1
        assert commands.running() is None
        commands.run("reset")


def test_a_disk_that_is_full_when_it_starts(commands, place, as_root):
    with small_disk(place / "disk", 260):
        commands.folder = place / "disk" / "stack"
        commands.up()
        commands.run("down")
        filler = place / "disk" / "filler"
        filler.write_bytes(bytes(shutil.disk_usage(filler.parent).free))
        done = commands.run(*UP)
        assert done.returncode == 1
        assert done.stderr.endswith(" is full: free some space and start again\n")
        assert len(done.stderr.splitlines()) == 1
        filler.unlink()
        commands.up()
        assert commands.answers()
        commands.run("reset")


def test_a_full_disk_is_asked_about_first(commands, monkeypatch, tmp_path):
    """The same sentence where nothing may be mounted: the disk's answer is a fault of ours."""
    from stack.core.config import load_config
    from stack.core.errors import StackError
    from stack.postgres import cluster

    monkeypatch.setattr(
        cluster.shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10, 10, 1 << 20)
    )
    config = load_config(commands.project, commands.folder, api_port=0, db_port=0)
    with pytest.raises(StackError, match="has 1 MB free, a new database needs 200"):
        cluster.Cluster(config).start()


def test_a_private_home(commands, place, as_root):
    """As root, Postgres' data is sheltered outside a home that others may not enter."""
    home = place / "home"
    home.mkdir(mode=0o700)
    commands.folder = home / "stack"
    commands.up()
    assert commands.answers()
    shelter = (commands.folder / "postgres").resolve()
    assert shelter.parent == SHELTERS
    assert stat.S_IMODE(shelter.stat().st_mode) == 0o700
    commands.run("down")
    commands.up()
    assert commands.answers()
    commands.run("reset")
    assert not shelter.exists()
    assert not (commands.folder / "postgres").is_symlink()


def test_installed_in_a_private_home(place, as_root, monkeypatch):
    """Programs that the unprivileged user cannot reach are copied, once per version."""
    from stack.postgres import binaries

    installed = binaries.MODULES / "@embedded-postgres"
    home = place / "home"
    home.mkdir(mode=0o700)
    shutil.copytree(installed, home / "@embedded-postgres", symlinks=True)
    monkeypatch.setattr(binaries, "MODULES", home)
    monkeypatch.setattr(binaries, "SHELTERS", place / "shelters")
    found = binaries.find_installation()
    assert found.root.is_relative_to(place / "shelters")
    version = subprocess.run(
        [found.program("postgres"), "--version"],
        user=65534,
        group=65534,
        capture_output=True,
        check=False,
    )
    assert version.returncode == 0, version.stderr
    inode = found.root.stat().st_ino
    assert binaries.find_installation().root.stat().st_ino == inode
    package = next(home.glob("@embedded-postgres/*/package.json"))
    package.write_text(package.read_text() + "\n")
    newer = binaries.find_installation().root
    assert newer != found.root
    assert not found.root.exists()


@pytest.fixture
def as_nobody(commands, place, project, as_root):
    """The same commands as a normal user, with a Python that this user may run."""
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for python in (sys.executable, f"/usr/bin/{name}", f"/usr/local/bin/{name}"):
        test = [python, "-c", "import ssl"]
        try:
            if subprocess.run(test, user=65534, capture_output=True, check=False).returncode == 0:
                break
        except OSError:
            continue
    else:
        pytest.skip(f"no {name} that a normal user may run")
    packages = next(path for path in sys.path if path.endswith("site-packages"))
    if not all(parent.stat().st_mode & stat.S_IXOTH for parent in Path(packages).parents):
        pytest.skip("a normal user may not read the packages")
    home = place / "home-of-nobody"
    home.mkdir(mode=0o700)
    os.chown(home, 65534, 65534)
    nobody = Commands(
        project,
        home / "stack",
        {"PYTHONPATH": f"{ROOT}:{packages}", "HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1"},
        [python],
        {"user": 65534, "group": 65534, "extra_groups": []},
    )
    yield nobody
    nobody.run("reset")
    assert wait_until(lambda: nobody.running() is None)


def test_a_life_as_a_normal_user(as_nobody):
    env = as_nobody.up()
    assert as_nobody.answers()
    pid, postgres = as_nobody.running().pid, as_nobody.postgres_pid()
    assert Path(f"/proc/{postgres}").stat().st_uid == 65534
    assert as_nobody.run("status").returncode == 0
    assert env["SUPABASE_URL"]
    os.kill(pid, 9)
    assert wait_until(lambda: not is_alive(postgres))
    as_nobody.up()
    assert as_nobody.answers()
    assert as_nobody.run("down").stdout == "Stopped.\n"


def test_a_folder_that_may_not_be_written(as_nobody, place):
    closed = place / "closed"
    closed.mkdir(mode=0o755)
    as_nobody.folder = closed / "stack"
    done = as_nobody.run(*UP)
    assert done.returncode == 1
    assert done.stderr == f"Error: cannot use the folder {closed}/stack: Permission denied\n"


def test_a_folder_of_another_user(as_nobody, commands):
    commands.up()
    commands.run("down")
    as_nobody.folder = commands.folder
    done = as_nobody.run(*UP)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "Permission denied" in done.stderr


def test_data_of_another_user(as_nobody, commands):
    """A normal user's own folder, with a database that Postgres refuses for its owner."""
    as_nobody.up()
    as_nobody.run("down")
    os.chown(as_nobody.folder / "postgres", 65533, 65533)
    (as_nobody.folder / "postgres").chmod(0o755)
    done = as_nobody.run(*UP)
    assert done.returncode == 1
    assert "belongs to another user" in done.stderr or "check its owner" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    os.chown(as_nobody.folder / "postgres", 65534, 65534)
