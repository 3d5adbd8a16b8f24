"""Environments of tools that can't share ours, made once and kept in build/ for the next run."""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


def made(name: str, requirements: Path) -> Path:
    """The folder of an environment with exactly these requirements."""
    folder = REPOSITORY / "build" / name
    mark = folder / "requirements.sha256"
    wanted = hashlib.sha256(requirements.read_bytes()).hexdigest()
    if not mark.exists() or mark.read_text() != wanted:
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        # All of them are pinned: there is nothing to resolve, which would take minutes.
        pip = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps")
        subprocess.run([str(folder / "bin" / "python"), *pip, "-r", str(requirements)], check=True)
        mark.write_text(wanted)
    return folder
