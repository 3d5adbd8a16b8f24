"""What pyproject.toml allows is what is tested: the oldest of it and the newest."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from conftest import PROJECT

PYPROJECT = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
DECLARED = {
    requirement.name: requirement.specifier
    for requirement in map(
        Requirement, [*PYPROJECT["dependencies"], *PYPROJECT["optional-dependencies"]["report"]]
    )
}


def pinned(file: str) -> dict[str, Version]:
    lines = (PROJECT / file).read_text().splitlines()
    pins = [line.split("==") for line in lines if "==" in line]
    return {name.lower().replace("_", "-"): Version(version) for name, version in pins}


def lower_bound(specifier: SpecifierSet) -> Version:
    (bound,) = [Version(part.version) for part in specifier if part.operator == ">="]
    return bound


@pytest.mark.parametrize("name", DECLARED)
def test_the_oldest_version_that_is_allowed_is_tested(name: str) -> None:
    assert pinned("requirements-lowest.txt")[name] == lower_bound(DECLARED[name])


@pytest.mark.parametrize("name", DECLARED)
def test_the_version_that_is_installed_is_allowed_and_its_next_major_one_is_not(name: str) -> None:
    newest = pinned("requirements.txt")[name]
    assert newest in DECLARED[name]
    assert Version(f"{newest.major + 1}") not in DECLARED[name]


def test_dbt_asks_for_the_same_versions_of_itself() -> None:
    project = yaml.safe_load(Path(PROJECT / "dbt_project.yml").read_text())
    assert SpecifierSet(",".join(project["require-dbt-version"])) == DECLARED["dbt-core"]
