"""The browser that pictures are taken and looked at with."""

import fcntl
import shutil
import subprocess
import tempfile
from pathlib import Path


def installed() -> str:
    """Its path; installed first from the system's packages where it is absent, by one worker."""
    with (Path(tempfile.gettempdir()) / "chromium_for_customer_value.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if shutil.which("chromium") is None:
            for step in (["update"], ["install", "--yes", "chromium"]):
                subprocess.run(["apt-get", "--quiet", *step], check=True, capture_output=True)
    found = shutil.which("chromium")
    assert found is not None
    return found
