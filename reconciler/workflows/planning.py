"""Plan: gather declaration, state and snapshot, and make the plan. Writes nothing."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from reconciler import __version__
from reconciler.kernel.address import Address
from reconciler.kernel.clock import instant_text, today
from reconciler.kernel.diagnostics import nearest
from reconciler.kernel.errors import InvalidInput
from reconciler.observe import connections_in_use, observe
from reconciler.plan.inputs import PlanInputs
from reconciler.plan.making import make_plan
from reconciler.plan.model import Options, Plan
from reconciler.policy.enforcing import policy_digest
from reconciler.project import Project
from reconciler.providers.capabilities import Remedy
from reconciler.resources.kinds import KINDS
from reconciler.resources.resource import Declaration
from reconciler.state.model import StateView
from reconciler.workflows.crediting import with_credit
from reconciler.workflows.session import Session


@dataclass(frozen=True, slots=True)
class PlanRequest:
    """The options of `plan`, as texts. `allows`: `remedy:address`; targets and addresses as people write them."""

    refresh: str = "all"
    refresh_only: bool = False
    targets: Sequence[str] = ()
    allows: Sequence[str] = ()
    reason: str = ""
    unmanaged: bool = False


def plan(session: Session, declaration: Declaration, request: PlanRequest) -> Plan:
    """The plan for a declaration. Raises InvalidInput for options that name nothing, ReconcilerError otherwise."""
    with _bulk():
        view = session.store.view()
        project = session.project
        inputs = PlanInputs(
            project=project.id,
            project_name=project.name,
            default_connection=project.default_connection,
            declaration=declaration,
            state=view,
            snapshot={},
            normalized={},
            options=options_of(project, declaration, view, request),
            today=today(session.clock),
            created_at=instant_text(session.clock.now()),
            policy_digest=policy_digest(project.policies),
            version=__version__,
        )
        names = project.connections if request.unmanaged else connections_in_use(declaration, view)
        providers = {name: session.provider(name) for name in names}
        made = make_plan(observe(project, providers, declaration, view, session.store, inputs))
        return with_credit(made, providers, project.policies)


@contextmanager
def _bulk() -> Iterator[None]:
    """No garbage collection while many small immutable values are made: it costs more than planning does."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def options_of(project: Project, declaration: Declaration, view: StateView, request: PlanRequest) -> Options:
    """The request with its addresses parsed and known. Raises InvalidInput."""
    known = {resource.address for resource in declaration.resources} | set(view.bindings)
    targets = tuple(_known(project, text, known, "--target") for text in request.targets)
    allows = []
    for text in request.allows:
        word, colon, rest = text.partition(":")
        if not colon or word not in list(Remedy):
            raise InvalidInput(
                f"--allow {text!r} names no remedy",
                why=f"the remedies are {', '.join(Remedy)}",
                hint="Write it as --allow credit:invoice.INV-7452",
            )
        allows.append((Remedy(word), _known(project, rest, known, "--allow")))
    if allows and not request.reason.strip():
        raise InvalidInput(
            "--allow needs --reason",
            why="a correction carries its reason on the document and in the history",
            hint='Add --reason "why this is corrected"',
        )
    if request.unmanaged and request.refresh != "all":
        raise InvalidInput("--unmanaged reads all books, and --refresh says not to", hint="Leave --refresh out.")
    reason = request.reason.strip()
    return Options(request.refresh, targets, tuple(allows), reason, request.refresh_only, request.unmanaged)


def _known(project: Project, text: str, known: set[Address], option: str) -> Address:
    try:
        address = Address.parse(text, project.default_connection)
    except ValueError as error:
        raise InvalidInput(f"{option} {text!r} is not an address", why=str(error)) from None
    if address in known:
        return address
    label = address.label(project.default_connection)
    hint = nearest(label, [item.label(project.default_connection) for item in known])
    why = "it is neither declared nor bound" if address.kind in KINDS else f"there is no kind {address.kind!r}"
    raise InvalidInput(f"{option} {label} names nothing", why=why, hint=hint)
