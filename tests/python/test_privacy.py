"""Personal columns stay in staging: no mart and no report holds what comes from one.

A column is personal where its YAML says ``meta: {pii: true}``. Every column of a mart is followed
back, through the SQL that dbt compiled, to the columns of staging that its values are made of:
whatever stands in the expression that gives it, be it an argument, a condition of a case, a
subquery, or what a function over rows is partitioned and ordered by. What only chooses or matches
rows does not count: a where, a join, a group by, a named window. Every column of a Python model
counts as made of every column of whatever the model reads.
"""

from __future__ import annotations

import copy
import csv
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any

import duckdb
import matplotlib.figure
import pytest
import sqlglot
from matplotlib.text import Text
from sqlglot import exp
from sqlglot.lineage import lineage
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import build_scope
from sqlglot.schema import MappingSchema

from conftest import (
    PROJECT,
    Build,
    Warehouse,
    complaint,
    invoke,
    orders_input,
)
from customer_value import cli

DIALECT = "duckdb"
MARTS, STAGING = "models/marts/", "models/staging/"
# In every e-mail address and every name of the shop's customers, and nowhere else.
MARK = "zaphod"
# A group that every other customer belongs to, and nothing else.
GROUP = "pastafarian"
GROUPS = "stg_customer_value__customer_groups"

# A relation of the warehouse, and a column of one.
Relation = tuple[str, str, str]
Column = tuple[Relation, str]
Manifest = dict[str, Any]


class UnknownOriginError(AssertionError):
    """A column that can't be followed: to be mended here, never passed over."""


@dataclass
class Origins:
    """The columns of staging that each column of each relation is made of, found on demand."""

    manifest: Manifest
    schema: MappingSchema = field(default_factory=lambda: MappingSchema(dialect=DIALECT))
    found: dict[Relation, dict[str, frozenset[Column]]] = field(default_factory=dict)

    @cached_property
    def nodes(self) -> dict[Relation, dict[str, Any]]:
        """The models and seeds by their relations; what is inlined has none."""
        return {
            relation_of(node): node
            for node in self.manifest["nodes"].values()
            if node["resource_type"] in {"model", "seed"} and node["relation_name"]
        }

    def of(self, relation: Relation) -> dict[str, frozenset[Column]]:
        """The origins of a relation's columns, by the columns' names."""
        if relation not in self.found:
            if relation not in self.nodes:
                raise UnknownOriginError(f"{'.'.join(relation)} is no model and no seed.")
            node = self.nodes[relation]
            # An incremental model reads itself: what was there came from the same columns.
            self.found[relation] = dict.fromkeys(node["columns"], frozenset())
            self._add_to_schema(relation)
            self.found[relation] = self._look(relation, node)
            self._add_to_schema(relation)
        return self.found[relation]

    def _look(self, relation: Relation, node: Mapping[str, Any]) -> dict[str, frozenset[Column]]:
        path = node["original_file_path"]
        if node["resource_type"] == "seed":
            with (PROJECT / path).open(encoding="utf-8", newline="") as file:
                return dict.fromkeys(next(csv.reader(file)), frozenset())
        if path.startswith(STAGING):
            names = query_of(node["compiled_code"]).named_selects
            return {name: frozenset([(relation, name)]) for name in names}
        if node["language"] == "python":
            parents = [self.manifest["nodes"][name] for name in node["depends_on"]["nodes"]]
            read = [self.of(relation_of(parent)).values() for parent in parents]
            everything = frozenset(chain.from_iterable(chain.from_iterable(read)))
            return dict.fromkeys(node["columns"], everything)
        return self._look_in_sql(node["compiled_code"])

    def _look_in_sql(self, sql: str) -> dict[str, frozenset[Column]]:
        query = query_of(sql)
        for table in query.find_all(exp.Table):
            # Without a schema it is a CTE or a function that gives rows.
            if table.db:
                self.of(relation_named(table))
        qualify(query, schema=self.schema, dialect=DIALECT)
        scope = build_scope(query)
        origins: dict[str, frozenset[Column]] = {}
        for name in query.named_selects:
            root = lineage(
                name,
                query,
                schema=self.schema,
                dialect=DIALECT,
                scope=scope,
                trim_selects=False,
                copy=False,
            )
            leaves = [node for node in root.walk() if not node.downstream]
            origins[name] = frozenset[Column]().union(*map(self._of_leaf, leaves))
        return origins

    def _of_leaf(self, leaf: Any) -> frozenset[Column]:
        if isinstance(leaf.expression, exp.Placeholder | exp.Star):
            raise UnknownOriginError(f"{leaf.name} comes from no relation that is known.")
        if not isinstance(leaf.expression, exp.Table):
            return frozenset()  # a constant, or a count of rows
        if isinstance(leaf.expression.this, exp.GenerateSeries):
            return frozenset()  # numbers, from range() too
        name = leaf.name.rsplit(".", 1)[-1].strip('"').lower()
        columns = self.of(relation_named(leaf.expression))
        if name not in columns:
            raise UnknownOriginError(f"{leaf.name} is no column that is known.")
        return columns[name]

    def _add_to_schema(self, relation: Relation) -> None:
        database, schema, name = relation
        table = exp.table_(name, schema, database)
        columns = dict.fromkeys(self.found[relation], "text")
        self.schema.add_table(table, columns, dialect=DIALECT, match_depth=False)


def query_of(sql: str) -> exp.Query:
    query = sqlglot.parse_one(sql, dialect=DIALECT)
    assert isinstance(query, exp.Query)
    return query


def relation_of(node: Mapping[str, Any]) -> Relation:
    return relation_named(exp.to_table(node["relation_name"], dialect=DIALECT))


def relation_named(table: exp.Table) -> Relation:
    return table.catalog.lower(), table.db.lower(), table.name.lower()


def personal_columns(manifest: Manifest) -> set[Column]:
    return {
        (relation_of(node), name)
        for node in manifest["nodes"].values()
        if node["resource_type"] in {"model", "seed"}
        for name, column in node["columns"].items()
        if column["config"].get("meta", {}).get("pii") or column["meta"].get("pii")
    }


def leaks(origins: Origins) -> dict[str, list[str]]:
    """The columns of marts that hold something personal, each with the columns it comes from."""
    personal = personal_columns(origins.manifest)
    found: dict[str, list[str]] = {}
    for relation, node in origins.nodes.items():
        if not node["original_file_path"].startswith(MARTS):
            continue
        for name, columns in origins.of(relation).items():
            reached = (columns | {(relation, name)}) & personal
            if reached:
                found[f"{node['name']}.{name}"] = sorted(f"{of[-1]}.{it}" for of, it in reached)
    return found


@pytest.fixture(scope="module")
def warehouse(
    build: Build,
    shop_orders: list[dict[str, object]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Warehouse:
    """A built shop whose customers have e-mail addresses and names."""
    folder = tmp_path_factory.mktemp("a shop")
    ids = sorted({str(order["customer_id"]) for order in shop_orders})
    with (folder / "customers.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(
            [
                ("customer_id", "email", "name", "acquisition_channel", "faith"),
                *(
                    (id_, f"{id_}@{MARK}.example", f"{MARK} {id_}", "friends", (GROUP, "")[n % 2])
                    for n, id_ in enumerate(ids)
                ),
            ]
        )
    return build(shop_orders, variables=inputs(folder), database=Warehouse(folder), is_whole=True)


def inputs(folder: Path) -> dict[str, object]:
    names = ("email", "name", "acquisition_channel")
    columns = ("discount_amount", "refund_amount", "channel")
    return {
        "fairness_groups": ["faith"],
        "inputs": {
            **orders_input(folder / "its orders.parquet", columns),
            "customers": {
                "path": str(folder / "customers.csv"),
                "columns": {name: name for name in names},
            },
        },
    }


def compiled(folder: Path, variables: Mapping[str, object]) -> Manifest:
    result = invoke("compile", folder, ["--select", "resource_type:model"], variables)
    assert result.success, complaint(result)
    manifest: Manifest = json.loads((folder / "target" / "manifest.json").read_text())
    return manifest


@pytest.fixture(scope="module")
def first_run(tmp_path_factory: pytest.TempPathFactory) -> Origins:
    """Of what dbt compiles where no table is there yet."""
    return Origins(compiled(tmp_path_factory.mktemp("compiled"), {}))


@pytest.fixture(scope="module")
def later_run(warehouse: Warehouse) -> Origins:
    """Of what dbt compiles where tables are there, which incremental models then read."""
    return Origins(compiled(warehouse.folder, inputs(warehouse.folder)))


@pytest.mark.parametrize("run", ["first_run", pytest.param("later_run", marks=pytest.mark.slow)])
def test_no_mart_holds_what_is_personal(run: str, request: pytest.FixtureRequest) -> None:
    assert leaks(request.getfixturevalue(run)) == {}


@pytest.mark.parametrize("run", ["first_run", pytest.param("later_run", marks=pytest.mark.slow)])
def test_groups_are_told_of_by_model_fairness_alone(
    run: str, request: pytest.FixtureRequest
) -> None:
    origins = request.getfixturevalue(run)
    telling = {
        node["name"]
        for relation, node in origins.nodes.items()
        if node["original_file_path"].startswith(MARTS)
        for columns in origins.of(relation).values()
        if any((of[-1], name) == (GROUPS, "group_value") for of, name in columns)
    }
    assert telling == {"model_fairness"}


def test_every_column_of_every_mart_is_followed(first_run: Origins) -> None:
    marts = {
        node["name"]: first_run.of(relation)
        for relation, node in first_run.nodes.items()
        if node["original_file_path"].startswith(MARTS)
    }
    assert marts.keys() == {path.stem for path in (PROJECT / MARTS).rglob("*.sql")}
    for node in first_run.nodes.values():
        if node["name"] in marts:
            assert marts[node["name"]].keys() == node["columns"].keys()
    # Far from staging, through both Python models and the engine's scoring.
    value = {f"{relation[-1]}.{name}" for relation, name in marts["customer_cltv"]["total_value"]}
    assert "stg_customer_value__orders.gross_amount" in value


def test_e_mail_and_name_are_personal(first_run: Origins) -> None:
    names = {f"{relation[-1]}.{name}" for relation, name in personal_columns(first_run.manifest)}
    assert names >= {f"stg_customer_value__customers.{name}" for name in ("email", "name")}


# Leaks are planted in a model between staging and marts, and in a mart that reads it.
CUSTOMERS = '"customer_value"."customer_value_internal"."stg_customer_value__customers"'
BETWEEN = '"customer_value"."customer_value_internal"."between"'
SCORES = '"customer_value"."customer_value_internal"."scores"'
CONTACT = f"select customer_id, lower(email) as contact from {CUSTOMERS}"
SCORE: dict[str, Any] = {"score": {"meta": {}, "config": {}}}
EVERYTHING = f"with source as (select * from {CUSTOMERS}) select * from source"


@pytest.mark.parametrize(
    ("between", "mart"),
    [
        (CONTACT, f"select contact from {BETWEEN}"),
        (CONTACT, f"with a as (select * from {BETWEEN}) select * from a"),
        (CONTACT, f"select a.* exclude (customer_id) from {BETWEEN} as a"),
        (EVERYTHING, f"select * from {BETWEEN}"),
        (EVERYTHING, f"select acquisition_channel || email as channel from {BETWEEN}"),
        (EVERYTHING, f"select string_agg(name, ', ') as names from {BETWEEN}"),
        (EVERYTHING, f"select case when email like '%.de' then 1 end as x from {BETWEEN}"),
        (EVERYTHING, f"select count(*) filter (where name is null) as x from {BETWEEN}"),
        (EVERYTHING, f"select row_number() over (order by email) as x from {BETWEEN}"),
        (EVERYTHING, f"select {{'a': email}} as x from {BETWEEN}"),
        (EVERYTHING, f"select (select max(email) from {BETWEEN}) as x"),
        (EVERYTHING, f"select 'a' as x union all select name from {BETWEEN}"),
        (EVERYTHING, f"select x.y from (select email as y from {BETWEEN}) as x"),
        (EVERYTHING, f"select unnest([email]) as x from {BETWEEN}"),
        (EVERYTHING, f"select x.k from {BETWEEN} as a, unnest([a.email]) as x (k)"),
        (EVERYTHING, f"select list_transform([email], k -> k)[1] as x from {BETWEEN}"),
        (EVERYTHING, f"select c.email as x from {CUSTOMERS} as c"),
        (EVERYTHING, f"select score from {SCORES}"),
    ],
)
def test_finds_a_planted_leak(first_run: Origins, between: str, mart: str) -> None:
    found = leaks(planted(first_run, between, mart))
    assert found
    assert {name.split(".")[0] for name in found} == {"planted"}
    assert {origin for origins in found.values() for origin in origins} <= {
        "stg_customer_value__customers.email",
        "stg_customer_value__customers.name",
    }


@pytest.mark.parametrize(
    "mart",
    [
        f"select customer_id from {BETWEEN} where email is not null order by name",
        f"select count(*) as x from {BETWEEN} group by email",
        f"select a.customer_id from {BETWEEN} as a inner join {BETWEEN} as b using (email)",
        f"select * exclude (email, name) from {BETWEEN}",
        f"with a as (select * from {BETWEEN}) select customer_id from a",
    ],
)
def test_what_only_chooses_rows_is_no_leak(first_run: Origins, mart: str) -> None:
    assert leaks(planted(first_run, EVERYTHING, mart)) == {}


@pytest.mark.parametrize(
    "mart",
    [
        "select x from a.b.c",
        f"select nothing from {BETWEEN}",
        f"select a.x from {BETWEEN} as a",
        "select x from unknown",
        "select * from read_csv('a.csv')",
    ],
)
def test_what_cant_be_followed_is_an_error(first_run: Origins, mart: str) -> None:
    with pytest.raises((UnknownOriginError, sqlglot.errors.SqlglotError)):
        leaks(planted(first_run, EVERYTHING, mart))


def test_a_personal_column_of_a_mart_is_a_leak(first_run: Origins) -> None:
    marked = copy.deepcopy(first_run)
    node = marked.manifest["nodes"]["model.customer_value.customers"]
    node["columns"]["acquisition_channel"]["config"] = {"meta": {"pii": True}}
    assert "customers.acquisition_channel" in leaks(marked)


def planted(origins: Origins, between: str, mart: str) -> Origins:
    """The origins with a mart more, and what it may read: a model, and a Python model on that."""
    internal = "customer_value_internal"
    nodes = {
        name: {
            "name": name,
            "resource_type": "model",
            "language": language,
            "relation_name": f'"customer_value"."{schema}"."{name}"',
            "original_file_path": path,
            "compiled_code": code,
            "columns": columns,
            "depends_on": {"nodes": parents},
        }
        for name, language, schema, path, code, columns, parents in (
            ("between", "sql", internal, "models/intermediate/b.sql", between, {}, []),
            ("scores", "python", internal, "python_models/scores.py", "", SCORE, ["between"]),
            ("planted", "sql", "customer_value", "models/marts/planted.sql", mart, {}, []),
        )
    }
    manifest = {**origins.manifest, "nodes": {**origins.manifest["nodes"], **nodes}}
    # What has been followed need not be followed again: the rest of the project is the same.
    leaks(origins)
    return Origins(manifest, copy.deepcopy(origins.schema), dict(origins.found))


def test_no_table_holds_what_is_personal(warehouse: Warehouse) -> None:
    # What the lineage can't know: the rows themselves, the internal tables' too.
    assert holding(warehouse, MARK) == []


def test_no_table_tells_which_group_a_customer_belongs_to(warehouse: Warehouse) -> None:
    telling = holding(warehouse, GROUP)
    assert set(telling) == {
        "int_customer_value__fairness_cases",
        "fairness_measurement",
        "model_fairness",
    }
    ids = warehouse.rows(f"""
        select table_name from duckdb_columns()
        where column_name = 'customer_id' and list_contains({telling}, table_name)
    """)
    assert ids == []


def holding(warehouse: Warehouse, mark: str) -> list[str]:
    """The tables, internal ones too, in which a text stands somewhere."""
    tables = warehouse.rows(
        "select schema_name, table_name from duckdb_tables() where database_name = 'warehouse'"
    )
    assert len(tables) > 20
    return [
        name
        for schema, name in tables
        if warehouse.value(
            f"select count(*) from {schema}.{name} as t where t::text like '%{mark}%'"
        )
    ]


def test_the_report_reads_marts_alone_and_shows_nothing_personal(
    warehouse: Warehouse,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    # The marts hold nothing personal: a report that needs nothing else shows nothing personal.
    database = tmp_path / "marts.duckdb"
    with duckdb.connect() as connection:
        connection.execute(f"attach '{warehouse.database}' as warehouse (read_only)")
        connection.execute(f"attach '{database}' as marts")
        connection.execute("create schema marts.customer_value")
        for (name,) in connection.execute(
            "select table_name from duckdb_tables() where schema_name = 'customer_value'"
        ).fetchall():
            connection.execute(
                f"create table marts.customer_value.{name} as from warehouse.customer_value.{name}"
            )
    labels = recorded_labels(monkeypatch)
    page = tmp_path / "report.html"
    for arguments in (
        (),
        ("--json",),
        ("--charts", str(tmp_path / "charts")),
        ("--html", str(page)),
    ):
        assert cli.main(["report", "--database", str(database), *arguments]) == 0
    shown = "\n".join([capsys.readouterr().out, page.read_text(encoding="utf-8"), *labels])
    assert "vip" in shown
    assert len(labels) > 20
    assert MARK not in shown


def recorded_labels(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every text of every chart that is saved from now on."""
    labels: list[str] = []
    save: Callable[..., None] = matplotlib.figure.Figure.savefig

    def saved(figure: matplotlib.figure.Figure, *arguments: Any, **options: Any) -> None:
        labels.extend(text.get_text() for text in figure.findobj(Text) if isinstance(text, Text))
        save(figure, *arguments, **options)

    monkeypatch.setattr(matplotlib.figure.Figure, "savefig", saved)
    return labels
