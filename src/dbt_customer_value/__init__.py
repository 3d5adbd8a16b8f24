"""What dbt has to know to run the package on another warehouse than DuckDB, and to run it faster.

dbt imports every module whose name begins with dbt_ and makes its plugins. dbt's own interface
for plugins has no hook on compiled code, so this one goes where dbt itself compiles, and touches
nothing but nodes of the package customer_value on other adapters. Those of the project that
installs it are compiled as ever, and on DuckDB everything is. What it tells Python's collector of
cycles holds for the whole process, whatever the adapter.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import gc
import threading
from typing import Any

from dbt.compilation import Compiler
from dbt.plugins.manager import dbtPlugin
from dbt.task.seed import SeedRunner

PACKAGE = "customer_value"
# After how many new objects Python looks for cycles, and how rarely among all. A parsed project is
# 300,000 objects that stay: by Python's own 700 a tenth of a build's time goes into looking there.
COLLECTED_AFTER = (50_000, 20, 100)

_importing = threading.Lock()


class CustomerValuePlugin(dbtPlugin):
    """Translates the package's compiled SQL, and readies Python for the package's models."""

    def initialize(self) -> None:
        """Put what is ours around dbt's compilation, and set Python's collector of cycles."""
        gc.set_threshold(*COLLECTED_AFTER)
        for owner, name, around in (
            (Compiler, "_compile_code", _translating),
            (SeedRunner, "execute", _seeding),
        ):
            method = getattr(owner, name)
            if not hasattr(method, "__wrapped__"):
                setattr(owner, name, around(method))


plugins = [CustomerValuePlugin]


def _translated_for(runner: Any, node: Any) -> str | None:  # noqa: ANN401 - dbt's own
    """The adapter whose dialect a node needs: none on DuckDB, and for what is not the package's."""
    adapter: str = runner.config.credentials.type
    return None if node.package_name != PACKAGE or adapter == "duckdb" else adapter


def _import_alone(node: Any) -> None:  # noqa: ANN401 - dbt's own
    """Import what a Python model imports, one thread at a time.

    Models run in threads of one process. Where two of them begin with scikit-learn at the same
    time, each waits for a module that the other has begun, and Python gives one of them half of it.
    """
    imports: list[ast.stmt] = [
        statement
        for statement in ast.parse(node.raw_code).body
        if isinstance(statement, ast.Import | ast.ImportFrom)
    ]
    code = compile(ast.Module(imports, type_ignores=[]), node.name, "exec")
    # What is not there the model itself will say, or it runs elsewhere.
    with _importing, contextlib.suppress(ImportError):
        exec(code, {"__name__": node.name})  # noqa: S102 - the package's own


def _translating(compile_code: Any) -> Any:  # noqa: ANN401 - a method of dbt's
    @functools.wraps(compile_code)
    def wrapper(self: Any, node: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        if node.package_name == PACKAGE and node.language == "python":
            _import_alone(node)
        adapter = _translated_for(self, node)
        if adapter is None:
            return compile_code(self, node, *args, **kwargs)
        # Here and not above, since sqlglot would make every start of dbt slower.
        from dbt_customer_value import translation  # noqa: PLC0415

        if adapter == "spark":
            from dbt_customer_value import spark_session  # noqa: PLC0415

            spark_session.prepare(self.config.credentials)
            spark_session.suit_files(node)
        return translation.translated(compile_code(self, node, *args, **kwargs), adapter)

    return wrapper


def _seeding(execute: Any) -> Any:  # noqa: ANN401 - a method of dbt's
    @functools.wraps(execute)
    def wrapper(self: Any, model: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        adapter = _translated_for(self, model)
        if adapter is None:
            return execute(self, model, *args, **kwargs)
        from dbt_customer_value import translation  # noqa: PLC0415

        translation.translate_seed(model, adapter)
        if adapter != "spark":
            return execute(self, model, *args, **kwargs)
        from dbt_customer_value import spark_session  # noqa: PLC0415

        spark_session.prepare(self.config.credentials)
        with spark_session.rows_as_data():
            return execute(self, model, *args, **kwargs)

    return wrapper
