"""What several files need: clones of the repository, and a shop that is built once."""

import fcntl
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from built_shop import Shop, built, in_folder

REPOSITORY = Path(__file__).resolve().parents[2]

# Run by the Python of another environment, whose packages this one lacks.
collect_ignore = ["spark_answers.py"]

# Files run two at a time: the longest begin first, so that none of them is left alone at the end.
LONGEST_FIRST = (
    "test_spark.py",
    "test_postgres.py",
    "test_consumer_project.py",
    "test_fresh_clone.py",
    "test_schedules.py",
    "test_superset.py",
    "test_complete_journey.py",
    "test_semantic_layer.py",
    "test_refresh.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    rank = {name: number for number, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: rank.get(item.path.name, len(rank)))


def run(command: list[str], folder: Path) -> str:
    """Run a command with nothing in the environment but PATH and HOME."""
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    finished = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert finished.returncode == 0, finished.stdout[-4000:] + finished.stderr[-4000:]
    return finished.stdout


def cloned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh clone in a path with a space."""
    folder = tmp_path_factory.mktemp("a shop") / "customer value"
    run(["git", "clone", "--quiet", str(REPOSITORY), str(folder)], REPOSITORY)
    return folder


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """Built by the worker that asks first; each has a copy, since a database has one writer."""
    temporary = tmp_path_factory.getbasetemp()
    shared = temporary.parent if "PYTEST_XDIST_WORKER" in os.environ else temporary
    with (shared / "shop.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (shared / "built").exists():
            built(shared / "the shop")
            (shared / "built").touch()
    copy = tmp_path_factory.mktemp("a shop") / "copy"
    shutil.copytree(shared / "the shop", copy)
    return in_folder(copy)
