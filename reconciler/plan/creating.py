"""Creates: what must hold before something new is sent, and the steps that send it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from reconciler.kernel.address import Address
from reconciler.kernel.money import ZERO, decimal_text
from reconciler.plan import fitting, tracking_sets
from reconciler.plan.allocating import (
    CreateAllocations,
    Move,
    Shortfall,
    Wanted,
    allocation_step,
    for_new_source,
    targets_of,
    wanted_of,
)
from reconciler.plan.buckets import currency_of, master
from reconciler.plan.completing import completed
from reconciler.plan.correcting import effect_of
from reconciler.plan.desired import Desired
from reconciler.plan.draft import Draft
from reconciler.plan.index import Chain
from reconciler.plan.lowering import create_step, gross_of, number_for, posting_date, receivable_of, series_of
from reconciler.plan.model import Action, Effect, Reason, Role, Step
from reconciler.providers.capabilities import Numbering
from reconciler.providers.protocol import Company
from reconciler.resources.kinds import KINDS, Content
from reconciler.resources.tracking import TRACKING_SET
from reconciler.state.model import BindingRow

_ALWAYS = frozenset({"state", "expect_total", "reissue_number", "allocations", "number"})


Problem = tuple[Reason, str, str]


def problem(draft: Draft, desired: Desired) -> Problem | None:
    """Why a declared resource cannot be sent as it is: field support, numbering, period, date order, total."""
    address, content = desired.resource.address, desired.content
    caps = draft.capabilities(address)
    unknown = sorted(desired.declared - caps.fields - _ALWAYS)
    unknown = [name for name in unknown if content.get(name, True) not in (None, [], {})]
    if unknown:
        provider = draft.index.snapshot(address.connection).provider
        text = f"{provider} does not keep {', '.join(unknown)} on {KINDS[address.kind].plural}"
        return Reason.UNSUPPORTED, text, fitting.how_to_keep(caps, unknown)
    if desired.refused:
        return Reason.UNSUPPORTED, "; ".join(desired.refused), "Declare it as the ERP can keep it."
    if address.kind == TRACKING_SET:
        return tracking_sets.set_problem(draft, desired)
    if found := tracking_sets.problem(draft, address, content):
        return found
    if not KINDS[address.kind].is_document:
        return None
    return (
        _numbering(draft, desired)
        or fitting.number_problem(draft, address, number_for(draft, desired))
        or _period(draft, desired)
        or money_problem(draft, desired)
        or _total(draft, desired)
        or _renamed(draft, desired)
    )


def money_problem(draft: Draft, desired: Desired) -> Problem | None:
    """What makes a document's money impossible: a line without a price, a currency that does not fit."""
    address, content = desired.resource.address, desired.content
    for at, line in enumerate(content.get("lines", ())):
        if "unit_price" not in line:
            text = f"lines[{at}] has no unit_price, and its item has none either"
            return Reason.UNSUPPORTED, text, "Give the line a unit_price."
    currency = currency_of(draft.index, address.connection, content)
    base = draft.index.snapshot(address.connection).company.base_currency
    if currency != base and draft.capabilities(address).needs_exchange_rate and not content.get("exchange_rate"):
        text = f"it is in {currency}, the books are in {base}, and it states no exchange_rate"
        return Reason.UNSUPPORTED, text, f"State exchange_rate: {base} for one {currency}."
    if "bank_account" in content:
        bank = master(draft.index, address.connection, "bank_account", str(content["bank_account"]), "currency")
        if bank and bank != currency:
            text = f"the bank account is in {bank}, the payment in {currency}"
            return Reason.UNSUPPORTED, text, "Name a bank account of the payment's currency."
    return fitting.document_problem(draft, address, content)


def _renamed(draft: Draft, desired: Desired) -> Problem | None:
    """A new document that says just what one says that is gone from the manifests: renamed without `moved:`."""
    address = desired.resource.address
    twin = draft.gone_twin(address, desired.declared_text())
    if twin is None:
        return None
    old, new = draft.label(twin), draft.label(address)
    return (
        Reason.LOOKS_RENAMED,
        f"it is just what {old} was, which is posted and no longer declared: this would bill it twice",
        f"If it was renamed: `moved: [{{from: {old}, to: {new}}}]`. If it is another one: "
        f"`removed: [{{address: {old}, action: forget}}]`.",
    )


def _numbering(draft: Draft, desired: Desired) -> Problem | None:
    caps = draft.capabilities(desired.resource.address)
    if desired.content.get("number") and not caps.numbering.ours:
        return (
            Reason.UNSUPPORTED,
            "`number` is declared, but this ERP assigns the numbers",
            "Take `number` out; the assigned one is shown by `reconciler state show`.",
        )
    return None


def _period(draft: Draft, desired: Desired) -> Problem | None:
    return posting_problem(draft, desired.resource.address, desired.content) if desired.state == "posted" else None


def posting_problem(draft: Draft, address: Address, content: Content) -> Problem | None:
    """Why a document cannot post on its day: a closed period, or a later one posted in its series before."""
    day = posting_date(content)
    if day is None:
        return None
    company = draft.index.snapshot(address.connection).company
    if draft.is_closed(address.connection, day):
        return (
            Reason.PERIOD_CLOSED,
            f"{day.isoformat()} is in {closed_words(company, day)}",
            "Date it in an open period, or have the period opened.",
        )
    last = company.last_in_series(address.kind, day)
    if draft.capabilities(address).numbering is Numbering.ASSIGNED_IN_DATE_ORDER and last and day < last:
        return (
            Reason.DATE_ORDER,
            f"numbers are assigned strictly by date: the last {address.kind} is dated {last}, this one {day}",
            f"Date it {last} or later.",
        )
    return None


def closed_words(company: Company, day: date) -> str:
    """What keeps a day from being posted on."""
    if company.closed_through is not None and day <= company.closed_through:
        return f"a closed period (closed through {company.closed_through})"
    return "a period that is closed, or that the ERP does not have"


def _total(draft: Draft, desired: Desired) -> Problem | None:
    expected = desired.content.get("expect_total")
    if expected is None:
        return None
    computed = gross_of(draft, desired.resource.address, desired.content)
    if computed is None or computed == expected:
        return None
    return (
        Reason.TOTAL_MISMATCH,
        f"expect_total is {decimal_text(expected)}, but it computes to {decimal_text(computed)}",
        "Correct the lines or the expected total.",
    )


def plan_create(draft: Draft, desired: Desired, ended: Chain | None = None) -> None:
    """Create a declared resource. `ended`: its chain, when a correction was abandoned before the reissue."""
    desired = completed(draft, desired)
    address, content = desired.resource.address, desired.content
    if found := problem(draft, desired):
        draft.block(address, *found)
        return
    if (earlier := _held(draft, desired)) is not None:
        draft.block(
            address,
            Reason.DATE_ORDER,
            f"numbers are assigned strictly by date, and {draft.label(earlier)} with an earlier date is left out",
            "Settle that one first.",
        )
        return
    wanted = (wanted_of(content) or {}) if KINDS[address.kind].has_allocations else {}
    opens = dict(draft.opens)
    carried, later, shortfall = _allocations(draft, desired, wanted)
    if shortfall is not None:
        draft.opens = opens
        draft.block(address, Reason.OVER_ALLOCATION, shortfall.detail, "Lower the allocation.")
        return
    generation = ended.binding.generation if ended else 1
    step = create_step(
        draft,
        address,
        address.kind,
        content,
        role=Role.REISSUE if ended else Role.ORIGINAL,
        generation=generation,
        label=f"reissue.{generation}" if ended else "",
        number=f"{number_for(draft, desired)}-R{generation}"
        if ended and number_for(draft, desired)
        else number_for(draft, desired),
        effect=Effect() if later else effect_of(desired),
        allocations=carried,
    )
    ids = [step.id, *_later(draft, desired, step, later)]
    if KINDS[address.kind].is_document:
        opened = gross_of(draft, address, content)
        if opened is not None:
            draft.opens[draft.index.identity(address)] = opened
    draft.use_place(address, address.kind)
    _footprint_targets(draft, wanted)
    sent = {key: value for key, value in content.items() if key not in KINDS[address.kind].never_sent}
    draft.change(
        address,
        Action.CREATE,
        Reason.DECLARED,
        after=draft.shown(address, address.kind, sent),
        steps=tuple(ids),
        irreversible=KINDS[address.kind].is_document and desired.state == "posted",
        receivable=receivable_of(draft, address, address.kind, content),
        customer=content.get("customer"),
        warnings=desired.warnings,
        number=step.number,
    )


def _held(draft: Draft, desired: Desired) -> Address | None:
    """A left-out document of the same strictly dated series with an earlier date."""
    address, day = desired.resource.address, posting_date(desired.content)
    series = series_of(draft, address, address.kind)
    if not series or day is None or desired.state != "posted":
        return None
    return next((other for left_out, other in draft.held_dates.get(series, ()) if left_out < day), None)


def _allocations(
    draft: Draft, desired: Desired, wanted: dict[str, Wanted]
) -> tuple[CreateAllocations | None, list[Move], Shortfall | None]:
    """Allocations of a new source: carried by the create, or moves to make after it."""
    address = desired.resource.address
    if not wanted or desired.state == "draft":
        return None, [], None
    total = sum((item.amount for item in wanted.values()), ZERO)
    limit = gross_of(draft, address, desired.content)
    if limit is not None and total > limit:
        return (
            None,
            [],
            Shortfall(f"the allocations come to {decimal_text(total)}, it is worth {decimal_text(limit)}"),
        )
    settling = for_new_source(draft, address, wanted)
    return (None, [], settling) if isinstance(settling, Shortfall) else (*settling, None)


def _later(draft: Draft, desired: Desired, step: Step, moves: list[Move]) -> list[str]:
    address = desired.resource.address
    chain = draft.index.chains.get(address) or _unborn(draft, desired, step)
    ids: list[str] = []
    for at, move in enumerate(moves):
        last = at == len(moves) - 1
        made = allocation_step(
            draft, chain, step, move, depends=tuple(ids[-1:]), effect=effect_of(desired) if last else None
        )
        ids.append(made.id)
    return ids


def _unborn(draft: Draft, desired: Desired, step: Step) -> Chain:
    """The chain a create is about to begin."""
    address = desired.resource.address
    binding = BindingRow(address, step.document_id, address, step.generation, "", "", 1, 0, "")
    return Chain(draft.index.chain_id(address), address, binding, ())


def _footprint_targets(draft: Draft, wanted: Iterable[str]) -> None:
    """Bound targets a new source settles belong to the footprint: their balances were relied on."""
    for identity in wanted:
        chain = draft.index.by_chain_id.get(identity.removeprefix("#"))
        for row in targets_of(draft, identity):
            if chain is not None:
                draft.use(chain, row, draft.index.live(row), balance=True)
