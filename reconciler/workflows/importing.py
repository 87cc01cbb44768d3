"""Import: read the books, declare what is in them, bind it, and tie open items to the control accounts.

Under the project's lock, and in an order that a second run repairs: first the files, each whole, none referring to
a later one; then state, in one commit. Nothing is ever written to an ERP.
"""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path

from reconciler import __version__
from reconciler.apply.bookkeeping import due_items, keep_items
from reconciler.apply.context import Run
from reconciler.apply.running import Surroundings, begin, finish, running
from reconciler.importing.model import DEFAULT_KINDS, ImportReport, Selection, Standing, TieOut
from reconciler.importing.proposing import Proposal, Target, propose
from reconciler.importing.putting import folder_of, put_files, text_of
from reconciler.importing.tying import tie_out
from reconciler.kernel.canonical import digest
from reconciler.kernel.clock import instant_text, today
from reconciler.kernel.diagnostics import nearest
from reconciler.kernel.errors import InvalidInput, ReconcilerError
from reconciler.manifests.listing import FOLDER
from reconciler.manifests.loading import load_declaration
from reconciler.observe import NormalizedContents, check_company, company_of
from reconciler.plan.inputs import ConnectionSnapshot, PlanInputs
from reconciler.plan.model import Bookkeeping, Options
from reconciler.project import Project
from reconciler.providers.errors import ProviderError
from reconciler.providers.protocol import Company, Observed, Provider, Query
from reconciler.resources.kinds import KINDS, PLURALS
from reconciler.resources.resource import Declaration
from reconciler.workflows.applying import books_of
from reconciler.workflows.session import Session

Rows = dict[str, dict[str, Observed]]


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """The options of `import`, as texts. `out`: a folder under `manifests/`."""

    kinds: Sequence[str] = ()
    since: str = ""
    open_only: bool = False
    out: str = FOLDER
    connection: str = ""


def import_books(session: Session, request: ImportRequest, around: Surroundings | None = None) -> ImportReport:
    """Declare and bind what is in a connection's books. Raises InvalidInput, ReconcilerError."""
    around = around or Surroundings(command="import")
    project = session.project
    target, wanted = _target(project, request), _selection(request)
    before = session.calls()
    with running(session.store, books_of(session, [target.connection]), session.clock, around) as run, _bulk():
        provider = session.provider(target.connection)
        company = company_of(project, target.connection, provider)
        view = session.store.view()
        check_company(project.id, target.connection, company, view)
        rows = _read(run, provider, target.connection)
        declaration = load_declaration(project).declaration
        inputs = PlanInputs(
            project=project.id,
            project_name=project.name,
            default_connection=project.default_connection,
            declaration=declaration,
            state=view,
            snapshot={target.connection: _snapshot(session, target.connection, company, provider, rows)},
            normalized={},
            options=Options(),
            today=today(session.clock),
            created_at=instant_text(session.clock.now()),
            version=__version__,
        )
        found: dict[str, str | None] = {}
        proposal = propose(
            inputs,
            target,
            wanted,
            partial(_text_of, project.root, found),
            lambda texts: load_declaration(project, _as_bytes(texts)).declaration,
            lambda declared: _normalized(declared, target.connection, provider),
        )
        _put(run, project.root, proposal, found)
        _bind(run, around, proposal.bookkeeping, rows, target.connection)
        tied = _tie_out(provider, company, rows)
        calls = {name: made - before.get(name, 0) for name, made in session.calls().items()}
        return _report(target, company, proposal, tied, calls)


# ---- what was asked for ----


def _target(project: Project, request: ImportRequest) -> Target:
    connection = request.connection or project.default_connection
    names = ", ".join(sorted(project.connections))
    if connection is None:
        raise InvalidInput("several connections, and none is the default", hint=f"Name one: --connection {names}")
    if connection not in project.connections:
        hint = nearest(connection, project.connections) or f"There are: {names}."
        raise InvalidInput(f"there is no connection {connection!r}", hint=hint)
    folder = folder_of(project.root, request.out)
    several = len(project.connections) > 1
    if several and connection != project.default_connection and request.out == FOLDER:
        folder = f"{folder}/{connection}"
    return Target(connection, folder, several)


def _selection(request: ImportRequest) -> Selection:
    """Raises InvalidInput for words that are no kinds and texts that are no dates."""
    kinds: set[str] = set()
    for text in (part.strip() for given in request.kinds for part in given.split(",")):
        word = text.replace("-", "_").replace(" ", "_").lower()
        if word == "all":
            kinds.update(KINDS)
        elif word in KINDS or word in PLURALS:
            kinds.add(word if word in KINDS else PLURALS[word].name)
        elif word:
            hint = nearest(word, PLURALS) or f"Kinds are: {', '.join(PLURALS)}; or all."
            raise InvalidInput(f"--kinds: there is no kind {text!r}", hint=hint)
    try:
        since = date.fromisoformat(request.since) if request.since else None
    except ValueError:
        raise InvalidInput(f"--since {request.since!r} is not a date", hint="Write it as 2026-01-31.") from None
    return Selection(frozenset(kinds or DEFAULT_KINDS), since, request.open_only)


# ---- reading ----


@contextmanager
def _bulk() -> Iterator[None]:
    """No garbage collection while many small immutable values are made."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _read(run: Run, provider: Provider, connection: str) -> Rows:
    """Every record of the books: names are given, and totals tied, over all of them."""
    kinds = tuple(kind for kind in KINDS if kind in provider.capabilities().kinds)
    rows: Rows = {}
    count = 0
    try:
        for row in provider.observe(Query(kinds=kinds)):
            rows.setdefault(row.kind, {})[row.remote_id] = row
            count += 1
            if count % 100 == 0:
                at = kinds.index(row.kind) if row.kind in kinds else 0
                run.events.progress(at, len(kinds), f"reading {KINDS[row.kind].plural}: {count:,} records")
    except ProviderError as error:
        raise ReconcilerError(
            f"connection {connection!r} could not be read",
            why=error.message,
            hint="Nothing was written. Check the connection and try again.",
        ) from error
    run.events.boundary("read")
    return rows


def _snapshot(
    session: Session, connection: str, company: Company, provider: Provider, rows: Rows
) -> ConnectionSnapshot:
    config = session.project.connections[connection]
    return ConnectionSnapshot(config.provider, company, provider.capabilities(), rows, frozenset(KINDS))


def _normalized(declaration: Declaration, connection: str, provider: Provider) -> NormalizedContents:
    declared = {item.address: item for item in declaration.resources}
    return NormalizedContents(declared, {connection: provider})


def _text_of(root: Path, found: dict[str, str | None], path: str) -> str | None:
    """A file as it was when it was first looked at: what is written must rest on that."""
    if path not in found:
        found[path] = text_of(root, path)
    return found[path]


def _as_bytes(texts: Mapping[str, str]) -> dict[str, bytes]:
    return {path: text.encode() for path, text in texts.items()}


# ---- writing ----


def _put(run: Run, root: Path, proposal: Proposal, found: Mapping[str, str | None]) -> None:
    texts = proposal.filed.texts
    done = 0

    def each(path: str) -> None:
        nonlocal done
        done += 1
        run.events.boundary("file_written", path)
        run.events.progress(done, len(texts), path)

    run.keeper.ensure(run.settings.margin)
    put_files(root, texts, found, each)
    run.events.boundary("files_written")


def _bind(run: Run, around: Surroundings, items: Iterable[Bookkeeping], rows: Rows, connection: str) -> None:
    """State, in one commit under the fence, with a run and its history; nothing at all when nothing is due."""
    due = due_items(run, tuple(items))
    if not due:
        return
    facts = [[str(item.address), item.label, item.remote_id, item.declared_digest or ""] for item in due]
    row = begin(run, digest(["import", *facts]), around)
    live = {(connection, (kind, id_)): seen for kind, found in rows.items() for id_, seen in found.items()}
    keep_items(run, due, live)
    run.events.boundary("bound")
    finish(run, row, [])


def _tie_out(provider: Provider, company: Company, rows: Rows) -> TieOut:
    try:
        balances = list(provider.control_balances())
    except ProviderError as error:
        return TieOut(possible=False, why_not=error.message)
    return tie_out(company, (row for found in rows.values() for row in found.values()), balances)


def _report(
    target: Target, company: Company, proposal: Proposal, tied: TieOut, calls: Mapping[str, int]
) -> ImportReport:
    return ImportReport(
        connection=target.connection,
        company=company.name,
        company_id=company.id,
        imported=proposal.count(Standing.FREE, Standing.OURS),
        bound_again=proposal.count(Standing.DECLARED),
        declared_again=proposal.count(Standing.UNDECLARED),
        managed=proposal.managed,
        not_asked_for=dict(proposal.not_asked_for),
        corrections=proposal.corrections,
        left_out=proposal.left_out,
        files=proposal.filed.files,
        tie_out=tied,
        calls=calls,
    )
