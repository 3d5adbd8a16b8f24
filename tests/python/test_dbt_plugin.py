"""The plugin of dbt translates the package's own nodes elsewhere, and leaves all others alone."""

from __future__ import annotations

import gc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from dbt.compilation import Compiler

from dbt_customer_value import COLLECTED_AFTER, CustomerValuePlugin, _translating, plugins

QUERY = "select cast(a as varchar) as a from t"


def compiled(package: str, adapter: str, sql: str = QUERY, **promised: str) -> Any:
    """A node of a package as it leaves dbt's compiler on an adapter."""
    node = SimpleNamespace(
        package_name=package,
        language="sql",
        compiled_code=None,
        columns={
            name: SimpleNamespace(name=name, data_type=kind) for name, kind in promised.items()
        },
        config=SimpleNamespace(
            contract=SimpleNamespace(enforced=bool(promised)), materialized="table", post_hook=[]
        ),
    )

    def compile_code(_: object, node: Any) -> Any:
        node.compiled_code = sql
        return node

    compiler = SimpleNamespace(config=SimpleNamespace(credentials=SimpleNamespace(type=adapter)))
    return _translating(compile_code)(compiler, node)


def test_dbt_finds_it_and_puts_it_around_the_compiler_once() -> None:
    assert plugins == [CustomerValuePlugin]
    CustomerValuePlugin(project_name="a shop")
    around = Compiler._compile_code
    CustomerValuePlugin(project_name="a shop")
    assert Compiler._compile_code is around


def test_a_project_that_stays_is_not_looked_through_time_and_again() -> None:
    before = gc.get_threshold()
    try:
        gc.set_threshold(700, 10, 10)
        CustomerValuePlugin(project_name="a shop")
        assert gc.get_threshold() == COLLECTED_AFTER
    finally:
        gc.set_threshold(*before)


def test_python_models_import_one_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "imported_alone.py").write_text("busy = []\n")
    for number in range(4):
        (tmp_path / f"imported_{number}.py").write_text(
            "import time\nfrom imported_alone import busy\n"
            "busy.append(1)\nassert len(busy) == 1\ntime.sleep(0.05)\nbusy.pop()\n"
        )
    monkeypatch.syspath_prepend(str(tmp_path))

    def compile_model(number: int) -> Any:
        node = SimpleNamespace(
            package_name="customer_value",
            language="python",
            name=f"model_{number}",
            raw_code=f"import imported_{number}\n\ndef model(dbt, session):\n    raise OSError\n",
        )
        compiler = SimpleNamespace(
            config=SimpleNamespace(credentials=SimpleNamespace(type="duckdb"))
        )
        return _translating(lambda _, node: node)(compiler, node)

    with ThreadPoolExecutor(4) as threads:
        assert len(list(threads.map(compile_model, range(4)))) == 4


def test_what_a_python_model_lacks_it_says_itself() -> None:
    node = SimpleNamespace(
        package_name="customer_value",
        language="python",
        name="m",
        raw_code="import not_there_at_all",
    )
    compiler = SimpleNamespace(config=SimpleNamespace(credentials=SimpleNamespace(type="duckdb")))
    assert _translating(lambda _, node: node)(compiler, node) is node


@pytest.mark.parametrize(
    ("package", "adapter"), [("a_shop", "postgres"), ("customer_value", "duckdb")]
)
def test_leaves_others_and_duckdb_alone(package: str, adapter: str) -> None:
    node = compiled(package, adapter, a="varchar")
    assert node.compiled_code == QUERY
    assert node.columns["a"].data_type == "varchar"


def test_translates_our_nodes_and_what_their_contracts_promise() -> None:
    node = compiled("customer_value", "postgres", a="double")
    assert node.columns["a"].data_type == "DOUBLE PRECISION"
    assert "cast(answer.a as DOUBLE PRECISION) as a" in node.compiled_code
    assert "CAST(a AS TEXT)" in node.compiled_code


@pytest.mark.parametrize(("adapter", "hooks"), [("postgres", 1), ("bigquery", 0)])
def test_postgres_is_told_to_count_what_was_built(adapter: str, hooks: int) -> None:
    node = compiled("customer_value", adapter, a="double")
    assert [hook.sql for hook in node.config.post_hook] == ["analyze {{ this }}"] * hooks


def test_leaves_a_node_without_sql_as_it_is() -> None:
    assert not compiled("customer_value", "postgres", sql="  ").compiled_code.strip()
