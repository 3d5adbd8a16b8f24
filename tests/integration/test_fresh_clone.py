"""A stranger's first hour: a fresh clone, in a path with a space, with an empty environment."""

from pathlib import Path

import pytest

from conftest import cloned, run


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return cloned(tmp_path_factory)


@pytest.fixture(scope="module")
def first_build(clone: Path) -> str:
    return run(["make", "build"], clone)


def test_make_build_ends_with_a_summary(clone: Path, first_build: str) -> None:
    assert "69,659" in first_build
    assert "23,570" in first_build
    assert "warehouse/customer_value.duckdb" in first_build
    assert (clone / "warehouse" / "customer_value.duckdb").exists()


def test_plain_dbt_build_again_changes_no_model(clone: Path, first_build: str) -> None:
    output = run([".venv/bin/dbt", "build", "--profiles-dir", "profiles"], clone)
    assert "ERROR=0" in output
    summary = first_build[first_build.index("Customer value") :]
    assert run([".venv/bin/customer-value", "report"], clone) == summary


def test_documentation_is_generated(clone: Path, first_build: str) -> None:
    assert first_build
    run(["make", "docs"], clone)
    assert (clone / "target" / "catalog.json").exists()


def test_nothing_built_is_left_in_git(clone: Path, first_build: str) -> None:
    assert first_build
    assert run(["git", "status", "--porcelain"], clone) == ""
