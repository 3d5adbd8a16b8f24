"""Which file a dbt profile builds into, and the same profile for the copy that is being built.

Read here and not by dbt, which needs seconds to start: looking at the log or going back needs none
of it. Strings of a profile are Jinja over env_var() and var(), and stay as they are in the copy, so
that a secret from the environment is not written down.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
import jinja2.sandbox
import yaml

from customer_value.refresh.outcome import RefreshError

REMOTE = ("md:", "motherduck:", "ducklake:")


@dataclass(frozen=True)
class Profile:
    """A target of a profile: which database it builds, and all that stands in the file for it."""

    name: str
    target: str
    database: Path
    content: Mapping[str, Any]

    def write_for(self, database: Path, folder: Path) -> None:
        """Write a profiles.yml of the same target, which builds another file instead.

        Only the owner may read it, since a password may stand in it as text.
        """
        outputs = dict(self.content["outputs"])
        output = {**outputs[self.target], "path": database.as_posix()}
        content = {self.name: {"target": self.target, "outputs": {self.target: output}}}
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "profiles.yml"
        path.touch(mode=0o600)
        path.write_text(yaml.safe_dump(content, sort_keys=False), "utf-8")


def read(
    project: Path,
    profiles: Path | None,
    name: str | None,
    target: str | None,
    variables: Mapping[str, Any],
) -> Profile:
    """The target that dbt would build, told as dbt tells it.

    Args:
        project: the dbt project's folder.
        profiles: the folder of profiles.yml; None: where dbt looks for it.
        name: of the profile; None: as dbt_project.yml says.
        target: of the profile; None: its default.
        variables: those of the command line.

    Raises:
        RefreshError: there is none, or it is no DuckDB file.
    """
    project_file = project / "dbt_project.yml"
    if not project_file.is_file():
        raise RefreshError(
            f"There is no dbt_project.yml in {project}. Name a dbt project's folder with "
            "--project-dir."
        )
    folder = profiles or _folder(project)
    path = folder / "profiles.yml"
    if not path.is_file():
        raise RefreshError(
            f"There is no profiles.yml in {folder}. Name its folder with --profiles-dir."
        )
    render = _Rendering(variables)
    name = name or os.environ.get("DBT_PROFILE") or render(_yaml(project_file).get("profile"))
    content = _yaml(path).get(name)
    if not isinstance(content, dict) or not isinstance(content.get("outputs"), dict):
        raise RefreshError(f"{path} has no profile {name} with outputs.")
    target = target or os.environ.get("DBT_TARGET") or render(content.get("target", "default"))
    output = content["outputs"].get(target)
    if not isinstance(output, dict):
        raise RefreshError(
            f"The profile {name} in {path} has no target {target}; it has "
            f"{', '.join(content['outputs'])}."
        )
    return Profile(name, target, _database(output, name, target, render), content)


def _database(output: Mapping[str, Any], name: str, target: str, render: _Rendering) -> Path:
    if (kind := render(output.get("type"))) != "duckdb":
        raise RefreshError(
            f"The target {target} of the profile {name} is of type {kind}. Refreshing publishes by "
            "replacing a DuckDB file; there, run dbt build."
        )
    place = render(output.get("path", ":memory:"))
    if place == ":memory:" or place.startswith(REMOTE) or "://" in place:
        raise RefreshError(
            f"The target {target} of the profile {name} builds {place}. Refreshing publishes by "
            "replacing a DuckDB file on a disk; there, run dbt build."
        )
    # As dbt does: from the folder that it is called in, and not from the project's.
    return Path(place).expanduser().absolute()


def _folder(project: Path) -> Path:
    if given := os.environ.get("DBT_PROFILES_DIR"):
        return Path(given)
    for folder in (Path.cwd(), project):
        if (folder / "profiles.yml").is_file():
            return folder
    return Path.home() / ".dbt"


def _yaml(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise RefreshError(f"{path} is not readable as YAML ({reason}). Mend it first.") from error
    return content if isinstance(content, dict) else {}


class _Rendering:
    """Jinja as a profile may use it."""

    def __init__(self, variables: Mapping[str, Any]) -> None:
        self._variables = variables
        self._engine = jinja2.sandbox.SandboxedEnvironment(undefined=jinja2.StrictUndefined)
        # Types that dbt gives to what it renders; a path and a name are text anyway.
        self._engine.filters |= dict.fromkeys(
            ("as_text", "as_bool", "as_number", "as_native"), _same
        )

    def __call__(self, text: object) -> str:
        try:
            return self._engine.from_string(str(text)).render(env_var=_env_var, var=self._var)
        except jinja2.TemplateError as error:
            raise RefreshError(f"The profile has {text}, which can't be read: {error}.") from error

    def _var(self, name: str, default: object = None) -> object:
        return self._variables.get(name, default)


def _same(value: object) -> object:
    return value


def _env_var(name: str, default: str | None = None) -> str:
    value = os.environ.get(name, default)
    if value is None:
        raise RefreshError(f"The profile asks for the environment variable {name}, which is unset.")
    return value
