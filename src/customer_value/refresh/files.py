"""Writing files so that a reader, or a machine that stops, finds the old one or the new one."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

# What a file system says that can't copy for us.
NOT_THERE = frozenset(
    {errno.EXDEV, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL, errno.EPERM, errno.EBADF}
)
BLOCK = 1 << 27


def write_whole(path: Path, content: str) -> None:
    """Put a whole new file in place of an old one."""
    temporary = path.with_name(f".{path.name}.new")
    with temporary.open("w", encoding="utf-8") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def sync(path: Path) -> None:
    """Have the disk hold a file, or the names in a folder; where folders can't be synced, not."""
    if os.name == "nt" and path.is_dir():
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def copy(source: Path, target: Path) -> None:
    """Copy a file; on XFS, Btrfs and the like the copy shares its blocks with the source.

    Elsewhere the kernel copies, and where it can't, Python does.
    """
    with source.open("rb") as reading, target.open("wb") as writing:
        left = os.fstat(reading.fileno()).st_size
        try:
            while left > 0 and (
                copied := os.copy_file_range(reading.fileno(), writing.fileno(), min(left, BLOCK))
            ):
                left -= copied
        except (OSError, AttributeError) as error:
            if isinstance(error, OSError) and error.errno not in NOT_THERE:
                raise
        if left > 0:
            reading.seek(0)
            writing.seek(0)
            shutil.copyfileobj(reading, writing, BLOCK)
    shutil.copymode(source, target)


def link_or_copy(source: Path, target: Path) -> None:
    """A second name for a file; a copy where the file system knows no second names."""
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno not in NOT_THERE | {errno.EMLINK}:
            raise
        copy(source, target)
        sync(target)
