"""The keyed hash of ids: the same in Python and in the engine, and nowhere without its key."""

from __future__ import annotations

import hashlib
import hmac
import json
from pathlib import Path

import duckdb
import pytest
from dbt.adapters.duckdb.credentials import DuckDBCredentials, PluginConfig
from dbt.adapters.duckdb.environments import create
from hypothesis import given
from hypothesis import strategies as st

from conftest import PROJECT, complaint, invoke
from customer_value.keyed_hash import (
    KEY_VARIABLE,
    PseudonymKey,
    key_in_environment,
    key_problem,
    set_variables,
)

KEY = "a key for tests, of many letters €"
PROBLEMS = "select {{ customer_value.require_pseudonym_key() | tojson | replace(\"'\", '') }}"


def compiled(folder: Path, sql: str, *arguments: str) -> str:
    """What dbt makes of a query."""
    result = invoke("compile", folder, ["--inline", sql, *arguments], {})
    assert result.success, complaint(result)
    text: str = result.result.results[0].node.compiled_code
    return text


@pytest.fixture(scope="module")
def hashing(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The SQL expression that the macro gives for a column customer_id."""
    folder = tmp_path_factory.mktemp("compiled")
    return compiled(folder, "{{ customer_value.pseudonym('customer_id') }}")


@pytest.fixture
def with_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY_VARIABLE, KEY)


@pytest.mark.parametrize(
    ("key", "message", "digits"),
    [
        (b"\x0b" * 20, "Hi There", "b0344c61d8db38535ca8afceaf0bf12b"),
        (b"Jefe", "what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c7"),
        (b"\x0c" * 20, "Test With Truncation", "a3b6167473100ee06e0c796c2955552b"),
        (
            b"\xaa" * 131,
            "Test Using Larger Than Block-Size Key - Hash Key First",
            "60e431591ee0b67f0d8a26aacbf5b77f",
        ),
    ],
)
def test_gives_the_digits_of_rfc_4231(key: bytes, message: str, digits: str) -> None:
    pseudonym_key = PseudonymKey(key)
    assert pseudonym_key.pseudonym(message) == digits
    inner = hashlib.sha256(pseudonym_key.inner + message.encode()).digest()
    assert hashlib.sha256(pseudonym_key.outer + inner).hexdigest()[:32] == digits


@pytest.mark.parametrize("key", [KEY, "k" * 63, "k" * 64, "k" * 65, "\N{KEY}" * 50])
def test_the_engine_computes_the_same_hmac_as_python(
    hashing: str, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(KEY_VARIABLE, key)
    with duckdb.connect() as connection:
        set_variables(connection)

        @given(st.lists(st.text(st.characters(codec="utf-8"), min_size=1), min_size=1))
        def same(ids: list[str]) -> None:
            ids = [customer_id for customer_id in ids if customer_id.strip()]
            rows = connection.execute(
                f"select customer_id, {hashing} from (select unnest(?) as customer_id)", [ids]
            ).fetchall()
            assert [row[0] for row in rows] == ids
            for customer_id, pseudonym in rows:
                whole = hmac.new(key.encode(), customer_id.encode(), "sha256").hexdigest()
                assert pseudonym == whole[:32]

        same()


@pytest.mark.usefixtures("with_key")
def test_null_and_blank_stay_as_they_are(hashing: str) -> None:
    key = key_in_environment()
    assert key is not None
    assert [key.pseudonym(blank) for blank in ("", "  ")] == ["", "  "]
    with duckdb.connect() as connection:
        set_variables(connection)
        rows = connection.execute(
            f"select {hashing} from (values (null), (''), ('  ')) as ids (customer_id)"
        ).fetchall()
    assert rows == [(None,), ("",), ("  ",)]


@pytest.mark.usefixtures("with_key")
def test_a_reader_of_a_view_without_the_key_is_told_so(hashing: str, tmp_path: Path) -> None:
    database = str(tmp_path / "shop.duckdb")
    with duckdb.connect(database) as connection:
        set_variables(connection)
        connection.execute("create table ids as select 'ann' as customer_id")
        connection.execute(f"create view hidden as select {hashing} as customer_id from ids")
        ((seen,),) = connection.execute("select customer_id from hidden").fetchall()
        with (
            connection.cursor() as other,
            pytest.raises(duckdb.Error, match="this session has no key for pseudonyms"),
        ):
            other.execute("select customer_id from hidden").fetchall()
    assert len(seen) == 32
    with (
        duckdb.connect(database) as reader,
        pytest.raises(duckdb.Error, match="this session has no key for pseudonyms"),
    ):
        reader.execute("select customer_id from hidden").fetchall()
    key = key_in_environment()
    assert key is not None
    content = (tmp_path / "shop.duckdb").read_bytes()
    assert not any(part in content for part in (key.secret, key.inner, key.outer))


@pytest.mark.usefixtures("with_key")
def test_every_cursor_of_dbt_has_the_key(hashing: str) -> None:
    # A cursor for each thread; Python models get the one of the thread that runs them.
    plugin = PluginConfig(module="customer_value.pseudonyms")
    environment = create(DuckDBCredentials(database="memory", schema="main", plugins=[plugin]))
    handles = [environment.handle() for _ in range(3)]  # type: ignore[no-untyped-call]
    query = f"select {hashing} from (select 'ann' as customer_id)"
    seen = [handle.cursor().execute(query).fetchall() for handle in handles]
    key = key_in_environment()
    assert key is not None
    assert seen == [[(key.pseudonym("ann"),)]] * 3
    environment.close()  # type: ignore[no-untyped-call]


def test_a_key_is_never_shown() -> None:
    assert "secret" not in repr(PseudonymKey(b"a secret of a shop"))


@pytest.mark.parametrize(
    ("key", "problem"),
    [(None, "unset"), ("", "unset"), ("  \n", "unset"), ("fifteen letters", "short"), (KEY, None)],
)
def test_says_what_is_wrong_with_a_key(
    key: str | None, problem: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    if key is not None:
        monkeypatch.setenv(KEY_VARIABLE, key)
    assert key_problem() == problem
    assert (key_in_environment() is None) == (problem is not None)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("key", "sentence"),
    [
        (None, "the environment variable CUSTOMER_VALUE_PSEUDONYM_KEY is not set"),
        ("of 13 letters", "CUSTOMER_VALUE_PSEUDONYM_KEY is shorter than 16 characters"),
        (KEY, None),
    ],
)
def test_dbt_says_why_it_has_no_key(
    key: str | None, sentence: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    if key is not None:
        monkeypatch.setenv(KEY_VARIABLE, key)
    (*said,) = json.loads(compiled(tmp_path, PROBLEMS).removeprefix("select "))
    assert len(said) == (sentence is not None)
    assert sentence is None or sentence in said[0]
    # Not in the manifest, nor in what dbt keeps for its next run, nor in the database.
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert any(path.name == "partial_parse.msgpack" for path in files)
    assert key is None or not [path for path in files if key.encode() in path.read_bytes()]


@pytest.mark.slow
@pytest.mark.usefixtures("with_key")
def test_dbt_says_that_the_profile_lacks_the_plugin(tmp_path: Path) -> None:
    profile = (PROJECT / "profiles" / "profiles.yml").read_text()
    without = profile.replace("      plugins:\n        - module: customer_value.pseudonyms\n", "")
    assert without != profile
    (tmp_path / "profiles.yml").write_text(without)
    said = json.loads(
        compiled(tmp_path, PROBLEMS, "--profiles-dir", str(tmp_path)).removeprefix("select ")
    )
    assert len(said) == 1
    assert "plugins: [{module: customer_value.pseudonyms}]" in said[0]
