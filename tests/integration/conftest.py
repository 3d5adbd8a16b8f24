"""A stranger's copy of the repository: a fresh clone in a path with a space, made once."""

import os
import subprocess
from pathlib import Path

import pytest
from built_shop import Shop, built

REPOSITORY = Path(__file__).resolve().parents[2]


def run(command: list[str], folder: Path) -> str:
    """Run a command with nothing in the environment but PATH and HOME."""
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    finished = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert finished.returncode == 0, finished.stdout[-4000:] + finished.stderr[-4000:]
    return finished.stdout


@pytest.fixture(scope="session")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("a shop") / "customer value"
    run(["git", "clone", "--quiet", str(REPOSITORY), str(folder)], REPOSITORY)
    return folder


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return built(tmp_path_factory.mktemp("a shop"))
