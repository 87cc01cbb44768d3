"""The plan being made: changes, steps and footprint gathered address by address, and what they share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from reconciler.kernel.address import Address, encode_name
from reconciler.kernel.canonical import canonical_json, parse_canonical
from reconciler.kernel.identity import reference_for
from reconciler.kernel.money import ZERO, decimal_text
from reconciler.plan.buckets import currency_of
from reconciler.plan.comparing import describe, plain
from reconciler.plan.index import Chain, Index
from reconciler.plan.inputs import PlanInputs
from reconciler.plan.model import (
    Action,
    Bookkeeping,
    Change,
    Drift,
    FieldChange,
    FootprintRow,
    Group,
    Reason,
    RemedyOffer,
    Step,
)
from reconciler.plan.set_tables import SetTable
from reconciler.providers.capabilities import KindCapabilities, Numbering, Remedy
from reconciler.providers.protocol import Observed
from reconciler.resources.kinds import Content
from reconciler.resources.resource import Resource
from reconciler.resources.tracking import Combination
from reconciler.state.model import DocumentRow


@dataclass(frozen=True, slots=True)
class Exposure:
    """What one change does to what a customer owes. What shares address and `unit` is one movement: a correction
    that credits and issues anew raises only by the difference."""

    address: Address
    unit: str
    receivable: Mapping[str, Decimal]


@dataclass(slots=True)
class Draft:
    """What planning has decided so far. `creators`: identity → step that creates it."""

    inputs: PlanInputs
    index: Index
    changes: list[Change] = field(default_factory=list)
    steps: dict[str, Step] = field(default_factory=dict)
    bookkeeping: list[Bookkeeping] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    drift: list[Drift] = field(default_factory=list)
    footprint: dict[tuple[Address, str], FootprintRow] = field(default_factory=dict)
    creators: dict[str, str] = field(default_factory=dict)
    blocked: dict[Address, Reason] = field(default_factory=dict)
    selected: set[Address] | None = None
    opens: dict[str, Decimal] = field(default_factory=dict)
    """Open balance by target identity or document id, as it will be when what is planned so far is done."""
    corrected: set[str] = field(default_factory=set)
    """Chain ids whose allocations a correction of this plan looks after."""
    dated: dict[str, list[tuple[date, Address, str, str]]] = field(default_factory=dict)
    """Per series: (posting date, address, label, step id) of everything that will post."""
    held_dates: dict[str, list[tuple[date, Address]]] = field(default_factory=dict)
    """Per series: dates of declared documents that are left out, blocked or not selected."""
    by_source: dict[str, dict[tuple[str, str], Decimal]] = field(default_factory=dict)
    twins: dict[tuple[str, str, str], Address] | None = None
    exposures: dict[tuple[str, str], list[Exposure]] = field(default_factory=dict)
    """(connection, customer identity) → what of this plan moves what it owes; only where credit is controlled."""
    sets: dict[str, SetTable] = field(default_factory=dict)
    """Tracking sets by what they combine, per connection, once somebody asked."""
    implied: dict[tuple[str, Combination], Any] = field(default_factory=dict)
    """(connection, combination) → the set this plan makes of it (`implied_sets.Implied`)."""
    not_implied: dict[tuple[str, Combination], tuple[Reason, str, str]] = field(default_factory=dict)
    """(connection, combination) → why no set can be made of it."""
    unchanged: int = 0
    allowed_used: set[tuple[Remedy, Address]] = field(default_factory=set)

    # ---- lookups ----

    def capabilities(self, address: Address, kind: str | None = None) -> KindCapabilities:
        return self.index.snapshot(address.connection).capabilities.kind(kind or address.kind)

    def consents(self, remedy: Remedy, address: Address) -> bool:
        """Whether this plan's options consent to a remedy for an address."""
        return (remedy, address) in self.inputs.options.allows

    def allows(self, remedy: Remedy, address: Address) -> bool:
        """The same, when the consent is being used."""
        if self.consents(remedy, address):
            self.allowed_used.add((remedy, address))
            return True
        return False

    def label(self, address: Address) -> str:
        return address.label(self.inputs.default_connection)

    def flag(self, remedy: Remedy, address: Address) -> str:
        return f'--allow {remedy}:{self.label(address)} --reason "…"'

    def correction_date(self, address: Address, kind: str, not_before: date | None = None) -> date:
        """The day a correcting document is dated: today, but not in a closed period, not before the original,
        and not before the last of a strictly dated series."""
        company = self.index.snapshot(address.connection).company
        day = max(self.inputs.today, not_before or self.inputs.today)
        day = company.next_open_day(day)
        if self.is_strictly_dated(address, kind) and (last := company.last_in_series(kind, day)):
            day = company.next_open_day(max(day, last))
        return day

    def is_strictly_dated(self, address: Address, kind: str) -> bool:
        return self.capabilities(address, kind).numbering is Numbering.ASSIGNED_IN_DATE_ORDER

    def is_too_early(self, address: Address, kind: str, day: date) -> bool:
        """Whether a document cannot post on a day: closed, or before the last of its strictly dated series."""
        last = self.index.snapshot(address.connection).company.last_in_series(kind, day)
        late = self.is_strictly_dated(address, kind) and last is not None and day < last
        return late or self.is_closed(address.connection, day)

    def is_closed(self, connection: str, day: date) -> bool:
        return self.index.snapshot(connection).company.is_closed(day)

    def shown(self, address: Address, kind: str, content: Content) -> Any:
        """Content in identity space as people read it: names, and money with its currency's decimals."""
        currency = currency_of(self.index, address.connection, content)
        return plain(self.index.with_names(address.connection, kind, content), currency)

    def describe(
        self, address: Address, before: Content, after: Content, whole: Content
    ) -> tuple[FieldChange, ...]:
        """What differs between two aligned contents; `whole` tells the currency."""
        if before == after:
            return ()
        currency = currency_of(self.index, address.connection, whole)
        return describe(
            before, after, lambda c: self.index.with_names(address.connection, address.kind, c), currency
        )

    def reference(self, address: Address, kind: str, document: str, name: str) -> str:
        caps = self.capabilities(address, kind)
        return reference_for(self.inputs.project, document, name, caps.reference_length)

    # ---- gathering ----

    def add_step(self, step: Step) -> str:
        if step.id in self.steps:
            raise AssertionError(f"two steps with the id {step.id}")
        self.steps[step.id] = step
        return step.id

    def change(self, address: Address, action: Action, reason: Reason, **more: Any) -> None:
        """Add a change. `customer`: the identity of who owes what it moves; all else is the Change's own."""
        resource = self.index.declared.get(address)
        if resource is not None and resource.source is not None:
            more.setdefault("source", str(resource.source))
        customer = more.pop("customer", "")
        change = Change(address, action, reason, **more)
        self.changes.append(change)
        if change.receivable and customer and self.index.snapshot(address.connection).capabilities.credit_control:
            exposure = Exposure(address, change.group or change.label, change.receivable)
            self.exposures.setdefault((address.connection, customer), []).append(exposure)

    def block(self, address: Address, reason: Reason, detail: str, hint: str = "", **more: Any) -> None:
        """Leave an address out, saying why."""
        self.blocked[address] = reason
        self.change(address, Action.BLOCKED, reason, detail=detail, hint=hint, **more)

    def use(self, chain: Chain, row: DocumentRow, live: Observed | None, *, balance: bool = False) -> None:
        """Put a bound document in the footprint."""
        key = (chain.address, row.label)
        opened = decimal_text(live.amount("open")) if balance and live is not None else ""
        before = self.footprint.get(key)
        if before is not None and before.open:
            opened = before.open
        self.footprint[key] = FootprintRow(
            address=chain.address,
            label=row.label,
            kind=row.kind,
            remote_id=row.remote_id,
            binding_revision=chain.binding.revision,
            fingerprint=live.fingerprint if live is not None else "",
            open=opened,
        )

    def use_place(self, address: Address, kind: str) -> None:
        """Put an address that is to be created in the footprint: unbound, or bound as it is now."""
        chain = self.index.chains.get(address)
        revision = chain.binding.revision if chain is not None else 0
        self.footprint.setdefault((address, ""), FootprintRow(address, "", kind, "", revision, ""))

    def gone_twin(self, address: Address, declared: str) -> Address | None:
        """A bound address of the same kind that is gone from the manifests and was declared word for word so."""
        if self.twins is None:
            removed = {item.address for item in self.inputs.declaration.removed}
            self.twins = {
                _twin_key(other, chain.binding.declared): other
                for other, chain in self.index.chains.items()
                if other not in self.index.declared and other not in removed and "_removed" not in chain.declared()
            }
        return self.twins.get(_twin_key(address, declared)) if self.twins else None

    # ---- balances ----

    def allocations_of(self, document: str) -> dict[tuple[str, str], Decimal]:
        """What state remembers of our allocations from a source document."""
        if not self.by_source:
            for (source, target), amount in self.inputs.state.allocations.items():
                self.by_source.setdefault(source, {})[(source, target)] = Decimal(amount)
        return self.by_source.get(document, {})

    def open_of_document(self, row: DocumentRow) -> Decimal:
        """A bound document's open balance after what is planned so far."""
        if row.document_id not in self.opens:
            live = self.index.live(row)
            self.opens[row.document_id] = live.amount("open") if live is not None else ZERO
        return self.opens[row.document_id]

    def lower_open(self, key: str, amount: Decimal) -> None:
        self.opens[key] = self.opens.get(key, ZERO) - amount


def _twin_key(address: Address, declared: str) -> tuple[str, str, str]:
    content = parse_canonical(declared) if declared else {}
    kept = {
        key: value for key, value in content.items() if key not in ("number", "code") and not key.startswith("_")
    }
    return address.connection, address.kind, canonical_json(kept)


def step_id(address: Address, label: str, verb: str, target: str = "") -> str:
    """`books:invoice.INV-1/credit.1#create`, `books:payment.P#allocate:invoice.INV-1`."""
    root = f"{address}/{label}" if label else str(address)
    return f"{root}#{verb}:{target}" if target else f"{root}#{verb}"


def target_text(address: Address, label: str) -> str:
    text = f"{address.kind}.{encode_name(address.name)}"
    return f"{text}/{label}" if label else text


def permitted(resource: Resource | None, remedy: Remedy) -> bool:
    """Whether `lifecycle.on_change` lets a remedy be used; saying nothing permits what is consented to."""
    return resource is None or resource.on_change is None or remedy in resource.on_change


def offer(draft: Draft, remedy: Remedy, address: Address, effect: str) -> RemedyOffer:
    return RemedyOffer(remedy, draft.flag(remedy, address), effect)
