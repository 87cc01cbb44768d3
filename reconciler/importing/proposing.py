"""The import as a whole, before anything is written: entries, files, what state is to record, what is left out.

It proves what it proposes. The files are checked as the loader would check them, and a plan is made of books,
files and consent: a record counts as imported only if that plan does nothing but bind it. What fails is left out,
with the reason, and with all that refers to it; then the proof is made again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from reconciler.importing.choosing import Choice, choose
from reconciler.importing.filing import Filed, TextOf, file_entries
from reconciler.importing.model import Entry, LeftOut, Place, Record, Selection, Standing, Why
from reconciler.importing.survey import Survey, survey
from reconciler.kernel.address import Address
from reconciler.kernel.diagnostics import Diagnostic, Severity
from reconciler.kernel.errors import InvalidInput, ReconcilerError
from reconciler.plan.inputs import PlanInputs
from reconciler.plan.making import make_plan
from reconciler.plan.model import Action, Bookkeeping, BookkeepingKind, Change, FieldChange, Plan, Reason
from reconciler.providers.protocol import Normalized
from reconciler.resources.kinds import KINDS
from reconciler.resources.resource import Adoption, Declaration

_MOST_ROUNDS = 25
_CONTRADICTED = (
    "documents state another tax than it comes to; it stays in the ERP alone, and they refer to it there"
)

Load = Callable[[Mapping[str, str]], Declaration]
"""The declaration as it will be with these files. Raises InvalidInput with every finding."""
Normalize = Callable[[Declaration], Mapping[Address, Normalized]]


@dataclass(frozen=True, slots=True)
class Target:
    """Where manifests go: the connection, the folder, whether files must name the connection."""

    connection: str
    folder: str
    named: bool


@dataclass(frozen=True, slots=True)
class Proposal:
    """What an import will write, proven: `bookkeeping` for state, `filed` for the project."""

    survey: Survey
    entries: tuple[Entry, ...] = ()
    filed: Filed = field(default_factory=Filed)
    bookkeeping: tuple[Bookkeeping, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    not_asked_for: Mapping[str, int] = field(default_factory=dict)

    def count(self, *standings: Standing) -> dict[str, int]:
        """Entries per kind that stand so."""
        return _counted(entry.record for entry in self.entries if entry.record.standing in standings)

    @property
    def managed(self) -> dict[str, int]:
        """What was declared and bound before, per kind."""
        return _counted(item for item in self.survey.records.values() if item.standing is Standing.MANAGED)

    @property
    def corrections(self) -> int:
        """Documents of ours that were folded into the chains of what is imported."""
        return sum(max(0, len(entry.record.members) - 1) for entry in self.entries)


def propose(
    inputs: PlanInputs, target: Target, wanted: Selection, text_of: TextOf, load: Load, normalize: Normalize
) -> Proposal:
    """The import of one connection's books. `inputs`: its snapshot, state and declaration as they are."""
    inputs = on_connection(inputs, target.connection)
    surveyed = survey(inputs, target.connection)
    refused: dict[Place, LeftOut] = {}
    for _ in range(_MOST_ROUNDS):
        choice = choose(surveyed, wanted, refused)
        proof = _prove(inputs, target, surveyed, choice, text_of, load, normalize)
        if isinstance(proof, Proposal):
            return proof
        refused |= proof
    raise ReconcilerError(
        "the import does not come to an end",
        why=f"after {_MOST_ROUNDS} rounds there is still something that cannot be declared",
        hint="Import one kind at a time, and report this.",
    )


def on_connection(inputs: PlanInputs, connection: str) -> PlanInputs:
    """The inputs with nothing of other connections."""
    view, declaration = inputs.state, inputs.declaration
    documents = {key: row for key, row in view.documents.items() if row.address.connection == connection}
    return replace(
        inputs,
        state=replace(
            view,
            bindings={address: row for address, row in view.bindings.items() if address.connection == connection},
            documents=documents,
            allocations={
                pair: amount for pair, amount in view.allocations.items() if set(pair) <= documents.keys()
            },
            unsettled=tuple(row for row in view.unsettled if row.connection == connection),
            groups=tuple(row for row in view.groups if row.address.connection == connection),
        ),
        declaration=_of_connection(declaration, connection),
    )


def _of_connection(declaration: Declaration, connection: str) -> Declaration:
    return Declaration(
        tuple(item for item in declaration.resources if item.address.connection == connection),
        tuple(item for item in declaration.moved if item.origin.connection == connection),
        tuple(item for item in declaration.removed if item.address.connection == connection),
        tuple(item for item in declaration.adopted if item.address.connection == connection),
    )


def _prove(
    inputs: PlanInputs,
    target: Target,
    surveyed: Survey,
    choice: Choice,
    text_of: TextOf,
    load: Load,
    normalize: Normalize,
) -> Proposal | dict[Place, LeftOut]:
    """The proposal, or what has to be left out of it."""
    entries = tuple(choice.entries.values())
    written = [entry for entry in entries if entry.to_be_written]
    filed = file_entries(written, target.folder, target.connection if target.named else None, text_of)
    by_address = {entry.address: entry for entry in entries}
    try:
        declaration = _of_connection(load(filed.texts), target.connection)
    except InvalidInput as invalid:
        return _refused_by_loader(invalid, {entry.address: entry for entry in written}, surveyed)
    plan = _plan(inputs, declaration, entries, normalize)
    if refused := _refused_by_plan(plan, by_address, inputs.default_connection):
        return refused
    bookkeeping = tuple(
        item for item in plan.bookkeeping if item.kind is BookkeepingKind.ADOPT and item.address in by_address
    )
    left_out = {**surveyed.left_out, **choice.left_out}
    return Proposal(surveyed, entries, filed, bookkeeping, tuple(left_out.values()), choice.not_asked_for)


def _plan(inputs: PlanInputs, declaration: Declaration, entries: Iterable[Entry], normalize: Normalize) -> Plan:
    """What would be planned with the new files, and everybody's consent to bind just these records."""
    free = [entry for entry in entries if not entry.record.members]
    mine = {entry.address for entry in free}
    adopted = [item for item in declaration.adopted if item.address not in mine]
    adopted += [Adoption(entry.address, entry.record.row.remote_id, drafts=True) for entry in free]
    declaration = replace(declaration, adopted=tuple(adopted))
    return make_plan(replace(inputs, declaration=declaration, normalized=normalize(declaration)))


def _refused_by_loader(
    invalid: InvalidInput, entries: Mapping[Address, Entry], surveyed: Survey
) -> dict[Place, LeftOut]:
    """The entries a manifest may not say. Raises the findings when none of them is about a new entry."""
    found: dict[Place, LeftOut] = {}
    for item in invalid.diagnostics:
        if item.severity is not Severity.ERROR or item.address is None:
            continue
        entry = entries.get(item.address)
        rates = _rates_of(item.address, entries, surveyed) if item.code == "tax-amount" else []
        for rate in rates:
            found[rate.place] = _left_out(rate, Why.NOT_DECLARABLE, _CONTRADICTED)
        if not rates and entry is not None:
            left = _left_out(entry.record, Why.NOT_DECLARABLE, _words(item), item.hint)
            found.setdefault(entry.record.place, left)
    if not found:
        raise invalid
    return found


def _rates_of(document: Address, entries: Mapping[Address, Entry], surveyed: Survey) -> list[Record]:
    """The rates of this import that a document's lines name: posted tax is a fact, declaring the rate is not."""
    if document in entries:
        content = entries[document].content
    else:
        resource = surveyed.index.declared.get(document)
        content = resource.content() if resource is not None else {}
    names = {name for line in content.get("lines", ()) for name in line.get("taxes") or ()}
    addresses = (replace(document, kind="tax_rate", name=name) for name in sorted(names))
    return [entries[address].record for address in addresses if address in entries]


def _words(item: Diagnostic) -> str:
    return f"{item.what} ({item.why})" if item.why else item.what


def _refused_by_plan(plan: Plan, entries: Mapping[Address, Entry], default: str | None) -> dict[Place, LeftOut]:
    """The entries of which a plan with the new files would do or report anything but bind them."""
    found: dict[Place, LeftOut] = {}
    for change in plan.changes:
        entry = entries.get(change.address)
        if entry is None or change.action is Action.ADOPT or entry.record.place in found:
            continue
        record = entry.record
        if record.standing is Standing.UNDECLARED and change.action is not Action.BLOCKED:
            continue  # bound all along: what moved in the books since is for the next plan to show
        why = Why.DIFFERS if record.standing is Standing.DECLARED else Why.NOT_DECLARABLE
        if change.reason is Reason.OUTCOME_UNKNOWN:
            why = Why.UNKNOWN
        hint = _adopt(entry, default) if why is Why.DIFFERS else change.hint
        found[record.place] = _left_out(record, why, _difference(change), hint)
    for drift in plan.drift:
        entry = entries.get(drift.address)
        if entry is not None and entry.record.standing is not Standing.UNDECLARED and drift.kind != "allocation":
            place = entry.record.place
            found.setdefault(place, _left_out(entry.record, Why.NOT_DECLARABLE, drift.detail))
    return found


def _adopt(entry: Entry, default: str | None) -> str:
    address = entry.address.label(default)
    if entry.record.members:
        return f"Declare {address} as it is in the books; it carries this project's reference and is then bound."
    item = f"`adopt: [{{address: {address}, id: {entry.record.row.remote_id}}}]`"
    return f"If it is that one: declare it as it is in the books, and {item}. If it is another: rename yours."


def _difference(change: Change) -> str:
    fields = "; ".join(_field(item) for item in change.fields[:4])
    return (
        f"{change.detail}: {fields}" if change.detail and fields else change.detail or fields or str(change.action)
    )


def _field(item: FieldChange) -> str:
    return f"{item.path} is {_short(item.before)} in the books, declared {_short(item.after)}"


def _short(value: object) -> str:
    text = "absent" if value is None else str(value)
    return text if len(text) <= 60 else text[:59] + "…"


def _left_out(record: Record, why: Why, detail: str, hint: str = "") -> LeftOut:
    return LeftOut(record.row.kind, record.row.remote_id, record.row.number or record.name, why, detail, hint)


def _counted(records: Iterable[Record]) -> dict[str, int]:
    found: dict[str, int] = {}
    for record in records:
        found[record.row.kind] = found.get(record.row.kind, 0) + 1
    return {kind: found[kind] for kind in KINDS if kind in found}
