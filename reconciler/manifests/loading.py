"""The whole declaration of a project: every manifest read, checked together, in address order.

All errors of a run come together, each with file, line and column. Nothing is looked up in an ERP.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import MappingProxyType

from reconciler.kernel.address import Address
from reconciler.kernel.diagnostics import Diagnostic, Severity, Source, in_order, nearest
from reconciler.kernel.errors import InvalidInput
from reconciler.manifests.amount_checks import check_amounts
from reconciler.manifests.declaration_checks import check_names, check_values
from reconciler.manifests.figures import Figures
from reconciler.manifests.file_reading import FileReading, Read, read_manifest
from reconciler.manifests.known import Known, Pair, Registry
from reconciler.manifests.listing import FOLDER, Listing, list_manifests
from reconciler.manifests.sections import Lists, check_lists, read_lists
from reconciler.manifests.templates.rendering import Rendering, render_templates
from reconciler.manifests.variables import missing_variables
from reconciler.manifests.words import label
from reconciler.project import Project
from reconciler.resources.resource import Declaration, Resource
from reconciler.source.files import Unreadable, read_bytes
from reconciler.source.findings import Finding, located


@dataclass(frozen=True, slots=True)
class Loaded:
    """A sound declaration, and what is doubtful about it."""

    declaration: Declaration
    warnings: tuple[Diagnostic, ...] = ()


_NOTHING: Mapping[str, bytes] = MappingProxyType({})


def load_declaration(project: Project, unwritten: Mapping[str, bytes] = _NOTHING) -> Loaded:
    """Read every manifest of the project. Raises InvalidInput with every error of the run, in order.

    `unwritten`: files (paths relative to the project) as they are about to be, read in place of what is there.
    """
    with _collection_paused():
        return _load(project, unwritten)


@contextmanager
def _collection_paused() -> Iterator[None]:
    """Nothing read here is cyclic: the garbage collector would only walk it again and again."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _load(project: Project, unwritten: Mapping[str, bytes]) -> Loaded:
    def bytes_of(file: str) -> bytes:
        if (template := rendering.files.get(file)) is not None:
            return template.text.encode()
        return unwritten[file] if file in unwritten else read_bytes(project.root, project.root / file)

    listing = list_manifests(project.root)
    rendering = rendered(project, listing)
    diagnostics = [*listing.diagnostics, *rendering.problems]
    registry = Registry(complete=not diagnostics)
    lists = Lists()
    pool: dict[Pair, Pair] = {}
    for file in sorted({*listing.files, *rendering.files, *unwritten}):
        try:
            data = bytes_of(file)
        except (Unreadable, OSError) as problem:
            diagnostics.append(_unreadable(file, problem))
            registry.complete = False
            continue
        _add_file(project, read_manifest(file, data, pool), registry, lists, diagnostics)
    del pool
    check_names(registry)
    registry.findings.extend(check_lists(lists, registry))
    figures = Figures(registry, project)
    for known in registry.all():
        if known.valid:
            check_values(registry, known, project.root)
    check_amounts(registry, figures)
    diagnostics.extend(located(registry.findings, bytes_of))
    diagnostics = in_order(_placed(item, rendering) for item in diagnostics)
    return _finish(registry, lists, rendering, diagnostics)


def rendered(project: Project, listing: Listing) -> Rendering:
    """The project's templates rendered with its variables; nothing is started where there is no template."""
    missing = missing_variables(project.variables) if listing.templates else []
    if missing:
        return Rendering(problems=missing)
    return render_templates(project.root, FOLDER, listing.templates, listing.partials, project.variables)


def _placed(item: Diagnostic, rendering: Rendering) -> Diagnostic:
    """A diagnostic of a rendered text, as one of its template."""
    if not rendering.files:
        return item
    source = rendering.place(item.source)
    return replace(item, source=source, related=rendering.place(item.related), rendered=rendering.line(source))


def _finish(registry: Registry, lists: Lists, rendering: Rendering, diagnostics: list[Diagnostic]) -> Loaded:
    errors = [item for item in diagnostics if item.severity is Severity.ERROR]
    if errors:
        count = "1 error" if len(errors) == 1 else f"{len(errors)} errors"
        raise InvalidInput(f"the manifests have {count}", diagnostics)
    resources = sorted(
        (_of_template(known.resource, rendering) for known in registry.all()),
        key=lambda resource: (resource.address.connection, resource.address.kind, resource.address.name),
    )
    warnings = [item for item in diagnostics if item.severity is Severity.WARNING]
    if not resources:
        hint = f"Write one, such as {FOLDER}/customers.yaml."
        warnings.append(
            Diagnostic(
                Severity.WARNING, "nothing-declared", f"no manifest under {FOLDER}/ declares anything", hint=hint
            )
        )
    return Loaded(Declaration(tuple(resources), *lists.declared(), rendering.digest), tuple(warnings))


def _of_template(resource: Resource, rendering: Rendering) -> Resource:
    if resource.source is None or resource.source.file not in rendering.files:
        return resource
    return replace(resource, source=rendering.place(resource.source))


def _unreadable(file: str, problem: Unreadable | OSError) -> Diagnostic:
    if isinstance(problem, Unreadable):
        return Diagnostic(Severity.ERROR, problem.code, problem.what, hint=problem.hint, source=Source(file))
    what = f"the file cannot be read: {problem.strerror}"
    return Diagnostic(Severity.ERROR, "unreadable-file", what, source=Source(file))


def _add_file(
    project: Project, reading: FileReading, registry: Registry, lists: Lists, diagnostics: list[Diagnostic]
) -> None:
    file = reading.file
    diagnostics.extend(reading.diagnostics)
    registry.complete = registry.complete and reading.readable
    default = reading.connection or project.default_connection
    connections: dict[tuple[str, str], str] = {}
    for read in reading.reads:
        connection = read.connection or default
        known = _known(file, read, connection or "")
        if connection is None:
            what = f"{label(known.address)} names no connection"
            hint = f"Write connection: at the top of the file; there are: {', '.join(sorted(project.connections))}."
            registry.report(known, (), "no-connection", what, hint=hint, at_key=True)
        elif connection not in project.connections:
            _unknown_connection(project, registry, known, read, reading)
        connections[read.section, read.name] = connection or ""
        first = registry.add(known)
        if first is not None:
            what = f"{label(known.address)} is declared twice"
            registry.report(
                known, (), "declared-twice", what, hint="Keep one of the two.", at_key=True, related=first.spot()
            )
    registry.findings.extend(_with_connection(finding, connections) for finding in reading.findings)
    registry.findings.extend(read_lists(file, reading.lists, default, project.connections, lists))


def _with_connection(finding: Finding, connections: dict[tuple[str, str], str]) -> Finding:
    if finding.address is None:
        return finding
    section, name = str(finding.place[0]), str(finding.place[1])
    connection = connections.get((section, name), "")
    address = replace(finding.address, connection=connection) if connection else None
    return replace(finding, address=address)


def _unknown_connection(
    project: Project, registry: Registry, known: Known, read: Read, reading: FileReading
) -> None:
    what = f"there is no connection {(read.connection or reading.connection or '')[:60]!r}"
    hint = nearest(known.address.connection, project.connections)
    hint = hint or f"There are: {', '.join(sorted(project.connections))}."
    if read.connection:
        registry.report(known, ("connection",), "unknown-connection", what, hint=hint)
    else:
        finding = Finding(reading.file, ("connection",), "unknown-connection", what, hint=hint)
        if finding not in registry.findings:
            registry.findings.append(finding)


def _known(file: str, read: Read, connection: str) -> Known:
    address = Address(connection, read.kind, read.name)
    resource = Resource(address, read.body, read.references, Source(file, read.line, read.column), read.on_change)
    return Known(
        resource,
        read.section,
        bool(read.body),
        read.code if read.code is not None else read.name,
        read.code is not None,
        read.customer,
        read.currency,
        read.decimals,
        read.draft,
        read.look,
        read.content,
    )
