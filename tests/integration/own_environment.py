"""Environments of tools that can't share ours, made once and kept in build/ for the next run."""

import shutil
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
# As in the Makefile, which makes that of Superset the same way.
PIP = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile")


def made(name: str, requirements: Path) -> Path:
    """The folder of an environment with exactly these requirements."""
    folder = REPOSITORY / "build" / name
    ready = folder / "ready"
    if not ready.exists() or ready.stat().st_mtime < requirements.stat().st_mtime:
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        command = [str(folder / "bin" / "python"), *PIP, "--no-deps", "-r", str(requirements)]
        subprocess.run(command, check=True)
        ready.touch()
    return folder
