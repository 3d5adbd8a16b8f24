"""The command erase: what it records, what it writes into a project, and what it refuses."""

from __future__ import annotations

import io
import json
import sys
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from customer_value import cli, erasure
from customer_value.errors import SentenceError
from customer_value.keyed_hash import KEY_VARIABLE, PseudonymKey

LIST = "erased_customers.csv"
KEY = "a key for tests, of many letters"
PROJECT_FILE = """# A shop.
name: shop
vars:
  other: 1  # stays
  customer_value:
    inputs:
      orders: {model: orders}  # stays too

models:
  shop: {+materialized: view}
"""
AWKWARD = ["ann", "007", "1.10", 'bob, "the" 2nd', "two\nlines", "a;b|c\td", "#1", "null", "😀"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A dbt project that is the working folder."""
    (tmp_path / "dbt_project.yml").write_text(PROJECT_FILE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    return tmp_path


def erase(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    """What erase says as JSON."""
    assert cli.main(["erase", *arguments, "--json"]) == 0
    said: dict[str, Any] = json.loads(capsys.readouterr().out)
    return said


def refusal(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert cli.main(["erase", *arguments]) == 2
    return capsys.readouterr().err


def as_the_build_reads(path: Path) -> list[str]:
    with duckdb.connect() as connection:
        rows = connection.execute(
            f"select customer_id from read_csv('{path}', sample_size = -1, "
            "types = {'customer_id': 'varchar'})"
        ).fetchall()
    return [customer_id for (customer_id,) in rows]


def test_records_customers_and_has_the_project_read_them(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = erase(capsys, "ann", "bob", "ann")
    assert (folder / LIST).read_text() == 'customer_id\n"ann"\n"bob"\n'
    assert said["recorded"] == ["ann", "bob"]
    assert said["is_project_file_changed"]
    assert "dbt build" in said["remaining"][0]
    added = f"      erased_customers: {{path: {LIST}}}\n"
    assert (folder / "dbt_project.yml").read_text() == PROJECT_FILE.replace(
        "# stays too\n", f"# stays too\n{added}"
    )
    assert sorted(path.name for path in folder.iterdir()) == ["dbt_project.yml", LIST]


def test_recording_again_changes_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    erase(capsys, "ann", "bob")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    said = erase(capsys, "bob", "ann")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert said["recorded"] == []
    assert said["already_recorded"] == ["bob", "ann"]
    assert not said["is_project_file_changed"]


def test_awkward_ids_come_back_as_they_are(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    erase(capsys, *AWKWARD[:4])
    erase(capsys, *AWKWARD[3:])
    assert as_the_build_reads(folder / LIST) == AWKWARD
    assert cli.main(["erase", "--list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"customer_ids": AWKWARD}
    assert cli.main(["erase", "--list"]) == 0
    assert capsys.readouterr().out.splitlines()[:2] == ["ann", "007"]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    ids=st.lists(
        st.text(st.sampled_from("aé😀 0.,;|\t\"'\\#\r\n-")).filter(str.strip), min_size=1
    ).map(lambda ids: list(dict.fromkeys(ids)))
)
def test_any_id_is_recorded_as_it_is_or_refused(folder: Path, ids: list[str]) -> None:
    (folder / LIST).unlink(missing_ok=True)
    with suppress(SentenceError):
        erasure.record(ids, folder)
    # A few can't be told in a CSV file that DuckDB has to recognise: refused, never garbled.
    assert not (folder / LIST).exists() or as_the_build_reads(folder / LIST) == ids


def test_a_list_kept_by_hand_keeps_its_form(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = "\ufeffticket,customer_id\r\n17,ann".encode()
    (folder / LIST).write_bytes(kept)
    said = erase(capsys, "ann", "bob")
    assert (folder / LIST).read_bytes() == kept + b'\r\n"","bob"\r\n'
    assert said["already_recorded"] == ["ann"]
    assert as_the_build_reads(folder / LIST) == ["ann", "bob"]


@pytest.mark.parametrize(
    "content",
    ["ann\n\nbob\n", "customer_id\nann\nbob\n", 'name,customer_id\n"Ann, A.",ann\nBob,bob'],
)
@pytest.mark.parametrize("is_piped", [False, True])
def test_takes_customers_from_a_file(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    content: str,
    *,
    is_piped: bool,
) -> None:
    (folder / "requests.csv").write_text(content)
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(content.encode())))
    said = erase(capsys, "zoe", "--from-file", "-" if is_piped else "requests.csv")
    assert said["recorded"] == ["zoe", "ann", "bob"]


@pytest.mark.parametrize(
    "project",
    [
        "vars: {inputs: {orders: {path: a.csv}}}\n",
        "vars:\n  inputs:\n    orders:\n      path: a.csv\n      # last\n\n  # other\n  other: 1",
        "name: x\r\nvars:\r\n  customer_value:\r\n    inputs:\r\n      orders: {path: a.csv}\r\n",
        "\ufeffvars:\n  customer_value: {inputs: {orders: {path: a.csv}}, period: 7}\n",
        "\ufeffvars:\n   inputs:\n      orders: {path: a.csv}\n   customer_value: {period: 7}\n",
        "vars:\n  inputs: {a: b}\n  customer_value:\n    inputs:\n      orders: {path: a.csv}\n",
    ],
)
def test_adds_to_inputs_wherever_they_stand(
    folder: Path, capsys: pytest.CaptureFixture[str], project: str
) -> None:
    (folder / "dbt_project.yml").write_bytes(project.encode())
    erase(capsys, "ann")
    after = (folder / "dbt_project.yml").read_bytes().decode()
    added = f"erased_customers: {{path: {LIST}}}"
    assert after.count(added) == 1
    # Nothing else has changed, but for the end of a last line that had none.
    rest = [line.replace(f"{added}, ", "") for line in after.splitlines(keepends=True)]
    kept = "".join(line for line in rest if added not in line)
    assert kept.rstrip("\n") == project.rstrip("\n")
    variables = yaml.safe_load(after.removeprefix("\ufeff"))["vars"]
    place = variables["customer_value"] if "inputs" in variables.get("customer_value", {}) else None
    inputs = (place or variables)["inputs"]
    assert inputs == {"orders": {"path": "a.csv"}, "erased_customers": {"path": LIST}}


def test_leaves_a_project_that_reads_the_list_already(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project = PROJECT_FILE.replace(
        "    inputs:\n", f"    inputs:\n      erased_customers: [{{path: ./{LIST}}}]\n"
    )
    (folder / "dbt_project.yml").write_text(project)
    assert not erase(capsys, "ann")["is_project_file_changed"]
    assert (folder / "dbt_project.yml").read_text() == project


def test_says_that_inputs_are_given_elsewhere(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "dbt_project.yml").write_text("name: shop\n")
    said = erase(capsys, "ann")
    assert "no var inputs" in said["remaining"][0]
    assert f"erased_customers: {{path: {LIST}}}" in said["remaining"][0]
    assert (folder / "dbt_project.yml").read_text() == "name: shop\n"
    assert (folder / LIST).exists()


@pytest.mark.parametrize(
    ("project", "arguments", "sentence"),
    [
        (None, (), "Name at least one customer"),
        (None, ("ann", " "), "A customer id is blank"),
        (None, ("--from-file", "gone.csv"), "There is no file gone.csv"),
        (None, ("--from-file", "empty.csv"), "empty.csv holds no customer id"),
        (None, ("--from-file", "wide.csv"), "has 2 columns and none is called customer_id"),
        (None, ("--from-file", "gap.csv"), "no customer id in line 3"),
        (None, ("--from-file", "torn.csv"), "not readable as CSV in line 2"),
        (None, ("--from-file", "latin.csv"), "not UTF-8"),
        (None, ("ann", "--list"), "leave out the customers"),
        (None, ("ann", "--project", "gone"), "There is no dbt_project.yml in gone"),
        (None, ("--list", "--project", "gone"), "There is no dbt_project.yml in gone"),
        ("vars: [", ("ann",), "not readable as YAML"),
        ("vars: {inputs: orders}", ("ann",), 'The var inputs of dbt_project.yml is "orders"'),
        (
            "vars: {inputs: {orders: {model: o}, erased_customers: {model: gdpr}}}",
            ("ann",),
            'takes erased_customers from {"model": "gdpr"}',
        ),
        (
            "x: &i {orders: {model: o}}\nvars: {inputs: *i}",
            ("ann",),
            "can't be edited safely",
        ),
    ],
)
def test_says_a_mistake_in_a_sentence_and_records_nothing(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    project: str | None,
    arguments: tuple[str, ...],
    sentence: str,
) -> None:
    (folder / "empty.csv").write_text("customer_id\n")
    (folder / "wide.csv").write_text("id,name\n1,Ann\n")
    (folder / "gap.csv").write_text('customer_id\nann\n" "\n')
    (folder / "torn.csv").write_text('customer_id\n"ann\n')
    (folder / "latin.csv").write_bytes("Jürgen\n".encode("latin-1"))
    if project is not None:
        (folder / "dbt_project.yml").write_text(project)
    before = {path: path.read_bytes() for path in folder.iterdir()}
    assert sentence in refusal(capsys, *arguments)
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


def test_two_commands_do_not_lose_each_others_customers(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / f".{LIST}.lock").touch()
    assert "another erase is running" in refusal(capsys, "ann")
    assert not (folder / LIST).exists()


def test_an_interrupted_write_leaves_the_list_whole(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    erase(capsys, "ann")
    before = (folder / LIST).read_bytes()

    def full(_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    assert "can't be written (No space left on device)" in refusal(capsys, "bob")
    assert (folder / LIST).read_bytes() == before
    assert sorted(path.name for path in folder.iterdir()) == ["dbt_project.yml", LIST]


def test_records_pseudonyms_where_ids_are_not_to_be_seen(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    project = PROJECT_FILE.replace("    inputs:\n", "    pseudonymize: true\n    inputs:\n")
    (folder / "dbt_project.yml").write_text(project)
    monkeypatch.setenv(KEY_VARIABLE, KEY)
    pseudonym = PseudonymKey(KEY.encode()).pseudonym("ann")
    assert erase(capsys, "ann")["recorded"] == [pseudonym]
    assert "ann" not in (folder / LIST).read_text()
    # Who reads the tables knows no id.
    assert erase(capsys, pseudonym)["already_recorded"] == [pseudonym]
    assert (folder / LIST).read_text() == f'customer_id\n"{pseudonym}"\n'


def test_says_when_an_id_is_recorded_for_want_of_a_key(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project = PROJECT_FILE.replace("    inputs:\n", "    pseudonymize: true\n    inputs:\n")
    (folder / "dbt_project.yml").write_text(project)
    said = erase(capsys, "ann")
    assert said["recorded"] == ["ann"]
    assert KEY_VARIABLE in said["remaining"][0]
