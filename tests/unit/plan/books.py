"""Small books for planner tests: live rows and state rows built by hand, without an ERP."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from reconciler.kernel.address import Address
from reconciler.kernel.canonical import digest_text
from reconciler.kernel.identity import document_id, reference_for
from reconciler.plan.desired import desired_of, digest_of, resolve_all
from reconciler.plan.index import Index
from reconciler.plan.inputs import ConnectionSnapshot, PlanInputs
from reconciler.plan.making import make_plan
from reconciler.plan.model import Options, Plan
from reconciler.providers.capabilities import (
    AllocateAt,
    Capabilities,
    KindCapabilities,
    Numbering,
    Remedy,
    Verb,
    VerbSupport,
)
from reconciler.providers.protocol import Company, LiveAllocation, Observed
from reconciler.resources.content import encode, references, typed
from reconciler.resources.kinds import KINDS
from reconciler.resources.resource import Adoption, Declaration, Moved, Removed, Resource
from reconciler.resources.tracking import TRACKING_SET
from reconciler.state.model import BindingRow, DocumentRow, GroupRow, IntentRow, Meta, StateView

PROJECT = "0b6f3c1e9d2a"
COMPANY = Company("co-1", "Acme Books", "USD")
ALL_VERBS = MappingProxyType({verb: VerbSupport() for verb in Verb})
SOFT = frozenset({"memo", "po_number", "due_date", "attachments"})


def capabilities(
    numbering: Numbering = Numbering.OURS_ACCEPTED, *, sets: bool = False, **more: Any
) -> Capabilities:
    """Everything is possible, unless `more` says otherwise for every kind. `sets`: lines name tracking sets."""
    kinds = {}
    for name, kind in KINDS.items():
        if name == TRACKING_SET and not sets:
            continue
        fields = frozenset(kind.content_type.__annotations__)
        phases = {"draft": frozenset({"*"}), "posted": SOFT, "part_settled": SOFT, "settled": SOFT}
        active = {"active": fields - {"code", "currency"}}
        kinds[name] = replace(
            KindCapabilities(
                verbs=ALL_VERBS,
                fields=fields,
                amendable=MappingProxyType(phases if kind.is_document else active),
                remedies=frozenset(Remedy),
                numbering=numbering,
                allocate=frozenset({AllocateAt.AT_CREATE, AllocateAt.LATER}),
            ),
            **more,
        )
    return Capabilities("fake", MappingProxyType(kinds))


def at(text: str) -> Address:
    return Address.parse(text, "books")


def resource(address: str, on_change: tuple[str, ...] | None = None, **fields: Any) -> Resource:
    """A declared resource; fields as they are written in a manifest."""
    where = at(address)
    kind = KINDS[where.kind]
    content = kind.adapter.validate_python(fields)
    named = tuple((item.kinds, item.name) for item in references(kind, content))
    return Resource(where, encode(content), named, None, on_change)


def customer(name: str = "acme", **fields: Any) -> Resource:
    return resource(f"customer.{name}", **{"name": name.title(), "currency": "USD", **fields})


def invoice(name: str = "INV-1", price: str = "100.00", **fields: Any) -> Resource:
    lines = fields.pop("lines", [{"description": "work", "account": "4000", "quantity": "1", "unit_price": price}])
    on_change = fields.pop("on_change", None)
    given = {"customer": "acme", "issue_date": "2026-11-10", "lines": lines, **fields}
    return resource(f"invoice.{name}", on_change, **given)


def payment(
    name: str = "PMT-1", amount: str = "100.00", allocations: dict[str, str] | None = None, **fields: Any
) -> Resource:
    given = {
        "customer": "acme",
        "received_on": "2026-11-15",
        "amount": amount,
        "bank_account": "operating",
        **fields,
    }
    if allocations is not None:
        given["allocations"] = [{"invoice": target, "amount": part} for target, part in allocations.items()]
    return resource(f"payment.{name}", **given)


@dataclass
class Books:
    """A live ledger of rows and the state that goes with it."""

    caps: Capabilities = field(default_factory=capabilities)
    company: Company = COMPANY
    rows: dict[str, dict[str, Observed]] = field(default_factory=dict)
    bindings: dict[Address, BindingRow] = field(default_factory=dict)
    documents: dict[str, DocumentRow] = field(default_factory=dict)
    allocations: dict[tuple[str, str], str] = field(default_factory=dict)
    unsettled: tuple[IntentRow, ...] = ()
    groups: tuple[GroupRow, ...] = ()
    unconfirmed: bool = False

    def __post_init__(self) -> None:
        self.live("account", "acc-4000", {"name": "Sales", "type": "income", "code": "4000"}, code="4000")
        self.live("account", "acc-4010", {"name": "Services", "type": "income", "code": "4010"}, code="4010")
        self.live("bank_account", "bank-1", {"name": "operating", "account": "acc-1200"}, name="operating")
        self.live("tax_rate", "tax-10", {"rate": "10", "code": "VAT10"}, code="VAT10")

    def live(
        self,
        kind: str,
        remote_id: str,
        content: dict[str, Any],
        *,
        phase: str = "",
        code: str | None = None,
        name: str | None = None,
        number: str | None = None,
        reference: str | None = None,
        allocations: tuple[LiveAllocation, ...] = (),
        **computed: str,
    ) -> Observed:
        """Put a live row; `content` with ERP ids."""
        body = encode(typed(kind, content))
        phase = phase or ("posted" if KINDS[kind].is_document else "active")
        state = phase if phase in ("draft", "void", "reversed") else "on"
        row = Observed(
            kind,
            remote_id,
            body,
            digest_text(body + state),
            phase,
            code,
            name,
            number,
            reference,
            computed=computed,
            allocations=allocations,
        )
        self.rows.setdefault(kind, {})[remote_id] = row
        return row

    def bind(self, declared: Resource, remote_id: str, content: dict[str, Any], **more: Any) -> Observed:
        """Put a live row that a declared resource was applied to."""
        where = declared.address
        document = document_id(PROJECT, self.company.id, where, 1)
        if KINDS[where.kind].is_document:
            more.setdefault("number", where.name)
        else:
            more.setdefault("code", where.name)
        more.setdefault("reference", reference_for(PROJECT, document, where.name))
        row = self.live(where.kind, remote_id, content, **more)
        self.documents[document] = DocumentRow(
            document,
            where,
            "",
            "original",
            1,
            where.kind,
            remote_id,
            row.number,
            row.reference or "",
            "",
            row.fingerprint,
            row.phase,
        )
        self.bindings[where] = BindingRow(where, document, where, 1, "{}", "", 1, 1, "")
        index = Index.build(self.inputs([*self._known(), declared]))
        identities, missing = resolve_all(index, declared)
        assert not missing, missing
        digest = digest_of(declared, identities)
        desired = desired_of(index, declared, digest)
        self.bindings[where] = replace(
            self.bindings[where], declared=desired.declared_text(), declared_digest=digest
        )
        self._resources[where] = declared
        return row

    _resources: dict[Address, Resource] = field(default_factory=dict)

    def _known(self) -> list[Resource]:
        return list(self._resources.values())

    def with_acme(self) -> Books:
        self.bind(customer(), "C1", {"name": "Acme", "currency": "USD", "code": "acme"})
        return self

    def with_invoice(self, name: str = "INV-1", price: str = "100.00", paid: str = "0", **more: Any) -> Books:
        """A posted invoice of one line, `paid` of it settled."""
        opened = Decimal(price) - Decimal(paid)
        phase = "posted" if paid == "0" else ("settled" if opened == 0 else "part_settled")
        content = {
            "customer": "C1",
            "issue_date": "2026-11-10",
            "currency": "USD",
            "due_date": "2026-12-10",
            "memo": "m",
            "lines": [{"description": "work", "account": "acc-4000", "quantity": "1", "unit_price": price}],
        }
        self.bind(
            invoice(name, price),
            f"I-{name}",
            content,
            **{"phase": phase, "total": price, "net": price, "tax": "0", "open": str(opened), **more},
        )
        return self

    def with_payment(self, name: str = "PMT-1", amount: str = "100.00", **targets: str) -> Books:
        """A posted payment that settles `targets` (INV_1="60.00")."""
        names = {key.replace("_", "-"): value for key, value in targets.items()}
        rest = Decimal(amount) - sum((Decimal(value) for value in names.values()), Decimal(0))
        parts = tuple(LiveAllocation("invoice", f"I-{key}", Decimal(value)) for key, value in names.items())
        content = {
            "customer": "C1",
            "received_on": "2026-11-15",
            "amount": amount,
            "currency": "USD",
            "bank_account": "bank-1",
        }
        self.bind(
            payment(name, amount, names),
            f"P-{name}",
            content,
            allocations=parts,
            total=amount,
            open=str(rest),
            phase="settled" if rest == 0 else "posted",
        )
        source = self.bindings[at(f"payment.{name}")].document_id
        for key, value in names.items():
            target = self.bindings[at(f"invoice.{key}")].document_id
            self.allocations[(source, target)] = value
        return self

    def inputs(self, resources: list[Resource], options: Options | None = None, **more: Any) -> PlanInputs:
        meta = Meta("lineage", PROJECT, 1, "new", self.unconfirmed, 0, "")
        state = StateView(
            meta, dict(self.bindings), dict(self.documents), dict(self.allocations), {}, self.unsettled, self.groups
        )
        shot = ConnectionSnapshot("fake", self.company, self.caps, self.rows, frozenset(KINDS))
        declaration = Declaration(
            tuple(sorted(resources, key=lambda item: item.address)),
            moved=tuple(Moved(at(a), at(b)) for a, b in more.pop("moved", ())),
            removed=tuple(Removed(at(a), action, "because") for a, action in more.pop("removed", ())),
            adopted=tuple(Adoption(at(a)) for a in more.pop("adopt", ())),
        )
        return PlanInputs(
            PROJECT,
            "acme",
            "books",
            declaration,
            state,
            {"books": shot},
            {},
            options or Options(),
            more.pop("today", date(2026, 11, 22)),
            "2026-11-22T12:00:00.000000Z",
            **more,
        )

    def plan(self, *resources: Resource, allow: str = "", reason: str = "typo", **more: Any) -> Plan:
        """The plan for these resources. `allow`: `remedy:address`, several split by spaces."""
        pairs = [item.split(":", 1) for item in allow.split()]
        options = Options(
            allows=tuple((Remedy(remedy), at(address)) for remedy, address in pairs),
            reason=reason if pairs else "",
            targets=tuple(at(item) for item in more.pop("targets", ())),
        )
        return make_plan(self.inputs(list(resources), options, **more))


def actions(plan: Plan) -> list[str]:
    """`create invoice.INV-1`, in plan order."""
    return [f"{change.action} {change.label_of('books')}" for change in plan.changes]


def verbs(plan: Plan) -> list[str]:
    return [step.id.removeprefix("books:") for step in plan.steps]
