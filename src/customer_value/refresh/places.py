"""Where things lie: one folder beside the published file, on the same file system."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Places:
    """The published file, and everything that belongs to it.

    Each copy of the database is a folder with a file of the same name in it: DuckDB names the
    catalog after the file, and views name their tables by the catalog.
    """

    database: Path

    @classmethod
    def of(cls, database: Path) -> Places:
        """Those of a database file; of a link, those of what it points at."""
        return cls(database.resolve())

    @property
    def root(self) -> Path:
        """The folder of all else."""
        return self.database.with_name(f"{self.database.name}.refresh")

    @property
    def wal(self) -> Path:
        """What DuckDB has written and not yet put into the file, if a writer was cut off."""
        return self.database.with_name(f"{self.database.name}.wal")

    @property
    def lock(self) -> Path:
        """The file that the operating system locks. It stays: removing it would be a race."""
        return self.root / "lock"

    @property
    def holder(self) -> Path:
        """Who holds the lock, and how far it is."""
        return self.root / "holder.json"

    @property
    def log(self) -> Path:
        """One line of JSON for each attempt, the failed ones too."""
        return self.root / "refresh_log.jsonl"

    @property
    def staging(self) -> Path:
        """The folder of the copy that is being built."""
        return self.root / "staging"

    @property
    def staged(self) -> Path:
        """The copy that is being built."""
        return self.staging / self.database.name

    @property
    def attempt(self) -> Path:
        """What was asked of the build, and what came of each node: what a retry goes on from."""
        return self.staging / "attempt.json"

    @property
    def target(self) -> Path:
        """The artifacts of dbt's last build: manifest.json, run_results.json."""
        return self.root / "target"

    @property
    def statuses(self) -> Path:
        """What came of each node in the last build: of all its commands, and of its retries."""
        return self.target / "statuses.json"

    @property
    def versions(self) -> Path:
        """The published files before this one, in numbered folders."""
        return self.root / "versions"

    @property
    def withdrawn(self) -> Path:
        """The folder of the file that the last rollback took back."""
        return self.root / "withdrawn"
