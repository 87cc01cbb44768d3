"""`reconciler.yaml`: the project's id, its state, connections, policies and variables.

It reads and checks that one file, and opens the provider a connection names. It knows no manifest.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Required

from pydantic import BeforeValidator, Field, SecretStr, TypeAdapter, ValidationError, WithJsonSchema, with_config
from typing_extensions import TypedDict

from reconciler.kernel.address import check_connection
from reconciler.kernel.diagnostics import NOT_TO_BE_SHOWN, Diagnostic, Severity, Source
from reconciler.kernel.errors import InvalidInput
from reconciler.kernel.money import Rounding
from reconciler.kernel.secrets import keep_secret
from reconciler.resources.fields import CONTENT_CONFIG, Amount, Currency, Flag, LongText, Text
from reconciler.source.careful import Place, read_carefully
from reconciler.source.files import Unreadable, read_bytes
from reconciler.source.findings import Finding, located, of_problem
from reconciler.source.words import explain

if TYPE_CHECKING:
    from reconciler.kernel.clock import Clock
    from reconciler.providers.protocol import Provider

PROJECT_FILE = "reconciler.yaml"
_ID = re.compile(r"[0-9a-f]{12}\Z", re.ASCII)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}\Z", re.ASCII)
_VARIABLE = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,62}\Z", re.ASCII)
_TEMPLATE_WORDS = frozenset(
    {"and", "or", "not", "in", "is", "if", "else", "elif", "for", "set", "loop", "self", "super", "caller"}
    | {"true", "false", "none", "True", "False", "None", "varargs", "kwargs", "range", "dict", "namespace"}
)
_PASSWORD_IN_URL = re.compile(r"://[^/@\s:]*:([^/@\s]+)@")
_LIKE_A_SECRET = re.compile(r"pass|pwd|token|secret|key|cred|auth", re.IGNORECASE)
_ENVIRONMENT = re.compile(r"\$\{env:([A-Za-z_][A-Za-z0-9_]*)\}\Z", re.ASCII)


def _project_id(value: Any) -> Any:
    if isinstance(value, str) and _ID.match(value):
        return value
    raise ValueError("should be the 12 hexadecimal digits that `reconciler init` mints")


def _project_name(value: Any) -> Any:
    if isinstance(value, str) and is_project_name(value):
        return value
    raise ValueError("should be a short name such as acme-receivables (letters, digits, '-', '_' and '.')")


@with_config(CONTENT_CONFIG)
class ProjectSection(TypedDict, total=False):
    """Which project this is. The id marks our documents in the ERP: keep it for ever."""

    id: Required[
        Annotated[
            str, BeforeValidator(_project_id), WithJsonSchema({"type": "string", "pattern": "^[0-9a-f]{12}$"})
        ]
    ]
    name: Required[Annotated[str, BeforeValidator(_project_name)]]


@with_config(CONTENT_CONFIG)
class StateSection(TypedDict, total=False):
    """Where the state lives: a SQLite file, relative to the project, or a schema of a PostgreSQL database.

    `url` is a secret: `${env:NAME}` and nothing else.
    """

    backend: Literal["sqlite", "postgres"]
    path: Text
    url: Text
    schema: Text


@with_config({"extra": "allow"})
class ConnectionSection(TypedDict, total=False):
    """A connection to one company's books. Keys not named here are the provider's settings."""

    provider: Required[Annotated[Text, Field(description="which system it is: `reconciler providers` lists them")]]
    default: Annotated[
        Flag, Field(description="manifests that name no connection are of this one, where there are several")
    ]
    tax_rounding: Annotated[
        Literal["line", "document"],
        Field(description="how the ERP rounds tax, where that differs from what it says"),
    ]
    rounding: Annotated[
        Literal["half_up", "half_even"],
        Field(description="which way the ERP rounds, where that differs from what it says"),
    ]
    resend_after_settle: Annotated[
        Flag,
        Field(
            description="a write of class C whose outcome is unknown is sent again once it can no longer land and "
            "is not found; for books that nobody else writes to"
        ),
    ]


@with_config(CONTENT_CONFIG)
class PoliciesSection(TypedDict, total=False):
    """Limits on what one run may do.

    `credit_limit`: what becomes of a plan that takes a customer over the limit the ERP has for it, or bills one on
    hold, where the ERP can be asked; `warn` goes without saying.
    """

    max_new_receivables: dict[Currency, Amount]
    credit_limit: Literal["warn", "refuse"]


@with_config(CONTENT_CONFIG)
class ProjectFile(TypedDict, total=False):
    """The project file, `reconciler.yaml`."""

    project: Required[ProjectSection]
    state: StateSection
    connections: Required[dict[str, ConnectionSection]]
    policies: PoliciesSection
    variables: dict[str, LongText | None]


@dataclass(frozen=True, slots=True)
class ConnectionConfig:
    """One connection: its provider, the provider's own settings as text, and what we decide about it."""

    name: str
    provider: str
    settings: Mapping[str, Any]
    tax_rounding_per_line: bool | None = None
    rounding: Rounding | None = None
    resend_after_settle: bool = False
    default: bool = False


@dataclass(frozen=True, slots=True)
class StateConfig:
    """Where state lives. `path` (absolute): the SQLite file, or what a PostgreSQL state's marker is named after.

    `url_variable`: the environment variable that holds a PostgreSQL state's URL.
    """

    backend: str
    path: Path
    url_variable: str = ""
    schema: str = ""


@dataclass(frozen=True, slots=True)
class Policies:
    """Limits; an empty mapping sets none. `credit_limit`: `warn` or `refuse`."""

    max_new_receivables: Mapping[str, Decimal] = field(default_factory=dict)
    credit_limit: str = "warn"


@dataclass(frozen=True, slots=True)
class Project:
    """A project as `reconciler.yaml` describes it; `root` is its absolute folder."""

    root: Path
    id: str
    name: str
    state: StateConfig
    connections: Mapping[str, ConnectionConfig]
    policies: Policies = field(default_factory=Policies)
    variables: Mapping[str, Any] = field(default_factory=dict)
    """Texts, or lists and mappings of texts; None where one is declared without a value."""

    @property
    def default_connection(self) -> str | None:
        """The only connection, or the one marked `default: true`; None when neither."""
        if len(self.connections) == 1:
            return next(iter(self.connections))
        return next((name for name, connection in self.connections.items() if connection.default), None)


@cache
def _adapter() -> TypeAdapter[ProjectFile]:
    return TypeAdapter(ProjectFile)


def is_project_name(name: str) -> bool:
    """Whether a project may be called so: the name also names its state's file."""
    return _NAME.match(name) is not None


def load_project(root: Path) -> Project:
    """Read `reconciler.yaml` in `root`. Raises InvalidInput with everything that is wrong with it."""
    root = Path(os.path.abspath(root))
    reading = read_carefully(_read(root))
    diagnostics = [of_problem(PROJECT_FILE, problem) for problem in reading.problems]
    if diagnostics:
        raise _invalid(diagnostics)
    content = reading.content()
    findings = list(_check_shape(content))
    if not findings:
        findings = [*_check_state(content.get("state", {})), *_check_connections(content["connections"])]
        findings += _check_variables(content.get("variables", {}))
    if findings:
        raise _invalid(located(findings, lambda file: _read(root)))
    return _build(root, _adapter().validate_python(content))


def _read(root: Path) -> bytes:
    try:
        return read_bytes(root, root / PROJECT_FILE)
    except FileNotFoundError:
        raise InvalidInput(
            f"there is no {PROJECT_FILE} in {root}",
            hint="Make a project here with `reconciler init`, or name its folder with --chdir.",
        ) from None
    except Unreadable as problem:
        diagnostic = Diagnostic(
            Severity.ERROR, problem.code, problem.what, hint=problem.hint, source=Source(PROJECT_FILE)
        )
        raise _invalid([diagnostic]) from None


def _invalid(diagnostics: list[Diagnostic]) -> InvalidInput:
    return InvalidInput(f"{PROJECT_FILE} cannot be used", diagnostics)


def _finding(place: Place, code: str, what: str, why: str = "", hint: str = "", at_key: bool = False) -> Finding:
    return Finding(PROJECT_FILE, place, code, what, why, hint, at_key=at_key)


def _check_shape(content: dict[str, Any]) -> list[Finding]:
    try:
        _adapter().validate_python(content)
    except ValidationError as error:
        return [
            _finding(item.place, item.code, item.what, item.why, item.hint, item.at_key)
            for item in explain(error.errors(include_url=False), ProjectFile, "project file")
        ]
    return []


def _check_state(section: dict[str, Any]) -> Iterator[Finding]:
    backend = section.get("backend", "sqlite")
    for key in sorted({"url", "schema"} & set(section) if backend == "sqlite" else {"path"} & set(section)):
        what = f"state: {key} means nothing to the backend {backend}"
        hint = 'Remove it; or write state: {backend: postgres, url: "${env:RECONCILER_STATE_URL}"}'
        yield _finding(("state", key), "unused-setting", what, hint=hint, at_key=True)
    if backend == "postgres" and not _ENVIRONMENT.match(section.get("url", "")):
        place: Place = ("state", "url" if "url" in section else "backend")
        what = "state: url is a secret and should be written as ${env:NAME}"
        hint = 'Put it into an environment variable, and write: url: "${env:RECONCILER_STATE_URL}"'
        keep_secret(section.get("url", ""), *_PASSWORD_IN_URL.findall(section.get("url", "")))
        code = NOT_TO_BE_SHOWN if "url" in section else "no-url"
        yield _finding(place, code, what, "a secret in a file ends up in Git", hint)


def _check_connections(connections: dict[str, Any]) -> list[Finding]:
    findings = []
    for name in connections:
        if problem := check_connection(name):
            what = f"the connection name {name[:80]!r} {problem}"
            findings.append(_finding(("connections", name), "bad-name", what, at_key=True))
    defaults = [name for name, section in connections.items() if section.get("default") == "true"]
    if len(defaults) > 1:
        what = f"more than one connection is the default: {', '.join(defaults)}"
        findings.append(
            _finding(("connections", defaults[1], "default"), "several-defaults", what, hint="Keep one.")
        )
    if not connections:
        hint = "Add one, such as: books: {provider: ledger, path: state/books.sqlite}"
        findings.append(_finding(("connections",), "no-connection", "there is no connection", hint=hint))
    return findings


def _check_variables(variables: dict[str, Any]) -> Iterator[Finding]:
    for name in variables:
        if not _VARIABLE.match(name) or name in _TEMPLATE_WORDS:
            what = f"the variable name {name[:80]!r} is refused"
            why = "a template could not use it" if name in _TEMPLATE_WORDS else "a name is letters, digits and '_'"
            yield _finding(("variables", name), "bad-name", what, why, at_key=True)


_OURS = frozenset(ConnectionSection.__annotations__)


def _build(root: Path, content: ProjectFile) -> Project:
    name = content["project"]["name"]
    identity = content["project"]["id"]
    connections = {}
    for connection, section in content["connections"].items():
        rounding = section.get("rounding")
        tax_rounding = section.get("tax_rounding")
        connections[connection] = ConnectionConfig(
            connection,
            section["provider"],
            {key: value for key, value in section.items() if key not in _OURS},
            None if tax_rounding is None else tax_rounding == "line",
            None if rounding is None else Rounding(rounding),
            section.get("resend_after_settle", False),
            section.get("default", False),
        )
    return Project(
        root,
        identity,
        name,
        _state(root, name, identity, content.get("state", {})),
        connections,
        _policies(content.get("policies", {})),
        content.get("variables", {}),
    )


def _policies(section: PoliciesSection) -> Policies:
    return Policies(section.get("max_new_receivables", {}), section.get("credit_limit", "warn"))


def _state(root: Path, name: str, identity: str, section: Mapping[str, Any]) -> StateConfig:
    if section.get("backend") != "postgres":
        return StateConfig("sqlite", root / (section.get("path") or f"state/{name}.sqlite"))
    variable = _ENVIRONMENT.match(section["url"])
    assert variable is not None
    return postgres_state(root, name, identity, variable.group(1), section.get("schema", ""))


def postgres_state(root: Path, name: str, identity: str, url_variable: str, schema: str = "") -> StateConfig:
    """A PostgreSQL state, in a schema of this project's own unless one is named; its marker stays in the folder."""
    path = root / "state" / f"{name}.postgres"
    return StateConfig("postgres", path, url_variable, schema or f"reconciler_{identity}")


def secret_of(config: StateConfig) -> str:
    """The URL of a PostgreSQL state, from the environment. Raises InvalidInput."""
    from reconciler.kernel.secrets import keep_secret

    url = os.environ.get(config.url_variable)
    if not url:
        raise InvalidInput(
            f"the state needs the environment variable {config.url_variable}, which is not set",
            hint=f"Set it: export {config.url_variable}=postgresql://USER:PASSWORD@HOST/DATABASE",
        )
    keep_secret(url)
    return url


def open_provider(project: Project, name: str, clock: Clock) -> Provider:
    """Connect to the connection called `name`.

    `${env:NAME}` is replaced in secrets and what the provider marks so, and nowhere else. Raises InvalidInput.
    """
    from reconciler.providers.naming import opening_connection
    from reconciler.providers.registry import load_provider

    config = project.connections[name]
    factory = load_provider(config.provider)
    findings: list[Finding] = []
    settings = _with_secrets(config, factory.settings, findings) | _roundings(config, factory.settings)
    place: Place = ("connections", name)
    validated = None
    if not findings:
        try:
            validated = factory.settings.model_validate(settings)
        except ValidationError as error:
            findings.extend(
                _finding(
                    (*place, *item.place),
                    item.code,
                    f"connection {name}: {item.what}",
                    item.why,
                    item.hint,
                    item.at_key,
                )
                for item in explain(
                    error.errors(include_url=False), factory.settings, f"{config.provider} connection"
                )
            )
    if validated is None:
        raise _invalid(located(findings, lambda file: _read(project.root)))
    with opening_connection(name):
        return factory.open(validated, project.root, clock)


def _roundings(config: ConnectionConfig, model: Any) -> dict[str, Any]:
    """What we decide about rounding, for a provider that can be told so: it asks by naming the setting."""
    per_line = config.tax_rounding_per_line
    ours = {
        "tax_rounding": None if per_line is None else "line" if per_line else "document",
        "rounding": config.rounding,
    }
    return {key: value for key, value in ours.items() if value is not None and key in model.model_fields}


def _with_secrets(config: ConnectionConfig, model: Any, findings: list[Finding]) -> dict[str, Any]:
    """The settings with `${env:NAME}` replaced; secrets are wrapped and registered, so that nothing prints them."""
    from reconciler.providers.settings import is_secret, may_come_from_environment

    settings = dict(config.settings)
    secret = {key for key, info in model.model_fields.items() if is_secret(info)}
    open_to_environment = {key for key, info in model.model_fields.items() if may_come_from_environment(info)}
    for key, value in config.settings.items():
        place: Place = ("connections", config.name, key)
        label = f"connection {config.name}: {key}"
        keep_secret(*_PASSWORD_IN_URL.findall(str(value)))
        if key not in model.model_fields and (_LIKE_A_SECRET.search(key) or get_close_matches(key, secret)):
            keep_secret(str(value))
        if key not in open_to_environment:
            if "${env:" in str(value):
                what = f"{label} is no secret, and only secrets are taken from the environment"
                findings.append(_finding(place, "not-a-secret", what, hint="Write the value itself."))
            continue
        match = _ENVIRONMENT.match(value) if isinstance(value, str) else None
        if match is None and key not in secret and "${env:" not in str(value):
            continue
        if match is None and key not in secret:
            what = f"{label} should be ${{env:NAME}} as a whole, or the value itself"
            findings.append(_finding(place, "not-a-variable", what))
        elif match is None:
            what = f"{label} is a secret and should be written as ${{env:NAME}}"
            why = "a secret in a file ends up in Git"
            keep_secret(str(value))
            findings.append(_finding(place, NOT_TO_BE_SHOWN, what, why, _to_variable(config.name, key)))
        elif not os.environ.get(match.group(1)):
            state = "empty" if match.group(1) in os.environ else "not set"
            what = f"{label} needs the environment variable {match.group(1)}, which is {state}"
            findings.append(_finding(place, "variable-not-set", what, hint=f"Set it: export {match.group(1)}=…"))
        elif key not in secret:
            settings[key] = os.environ[match.group(1)]
        else:
            keep_secret(os.environ[match.group(1)])
            settings[key] = SecretStr(os.environ[match.group(1)])
    return settings


def _to_variable(connection: str, key: str) -> str:
    """What to do about a secret in the file."""
    variable = re.sub(r"[^A-Z0-9]", "_", f"{connection}_{key}".upper())
    variable = variable if variable[0].isalpha() else f"_{variable}"
    return (
        f"Write `{key}: ${{env:{variable}}}` and set that variable where reconciler runs. "
        "A secret that was ever committed should be replaced."
    )
