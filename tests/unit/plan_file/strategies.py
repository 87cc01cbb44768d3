"""Hypothesis strategies for whole plans: any value each field may hold, related or not."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from hypothesis import strategies as st

from reconciler.kernel.address import Address
from reconciler.plan import model
from reconciler.providers import operations as op
from reconciler.providers.capabilities import Remedy

decimals = st.decimals(min_value=-(10**12), max_value=10**12, places=2).map(lambda d: d.normalize()) | st.just(
    Decimal(0)
)
positive = st.decimals(min_value=Decimal("0.01"), max_value=10**9, places=2)
texts = st.text(max_size=12)
names = st.text("aZ9_.-é名%/ ", min_size=1, max_size=8).map(lambda text: text.strip() or "x")
words = st.sampled_from(["", "a", "credit.1", "reissue.2", "s1", "s2"])
addresses = st.builds(
    Address, st.sampled_from(["books", "other"]), st.sampled_from(["invoice", "payment", "customer"]), names
)
dates = st.dates(date(2000, 1, 1), date(2099, 12, 31))
maybe_text = st.none() | texts
json_like = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
contents = st.none() | st.dictionaries(texts, json_like, max_size=3)
amounts = st.dictionaries(st.sampled_from(["USD", "EUR", "JPY"]), decimals, max_size=2)
holes = st.builds(
    op.Hole, st.lists(texts | st.integers(0, 9), max_size=3).map(tuple), words, st.sampled_from(["id", "revision"])
)
remote = st.text(min_size=1, max_size=8)
references = names | st.just(model.PENDING_ID)
lines = st.lists(
    st.fixed_dictionaries({"unit_price": decimals, "quantity": positive}, optional={"account": references}),
    max_size=2,
)
invoices = st.fixed_dictionaries({"customer": references, "issue_date": dates, "lines": lines})
payments = st.fixed_dictionaries({"amount": positive, "received_on": dates}, optional={"memo": st.none()})
creates = st.builds(op.Create, st.just("invoice"), invoices) | st.builds(op.Create, st.just("payment"), payments)
updates = st.builds(op.Update, st.just("payment"), remote, payments, payments)
write_offs = st.none() | st.fixed_dictionaries({"amount": positive, "account": names, "reason": st.just("small")})
allocations = st.builds(
    op.Allocate, st.just("payment"), remote, st.just("invoice"), remote, positive, decimals, st.none() | dates,
    decimals, write_offs,
)  # fmt: skip
operations = (
    creates
    | updates
    | allocations
    | st.builds(op.Post, st.just("invoice"), remote)
    | st.builds(op.Void, st.just("invoice"), remote, texts)
    | st.builds(op.Reverse, st.just("payment"), remote, dates, texts)
    | st.builds(op.Delete, st.just("invoice"), remote)
    | st.builds(op.Unallocate, st.just("payment"), remote, st.just("invoice"), remote, positive, decimals)
    | st.builds(op.Attach, st.just("invoice"), remote, texts, texts, texts)
)
field_changes = st.builds(model.FieldChange, texts, json_like, json_like)
fields = st.lists(field_changes, max_size=2).map(tuple)
offers = st.builds(model.RemedyOffer, st.sampled_from(Remedy), texts, texts)
steps_of = st.lists(words, max_size=2).map(tuple)


def tuples(items: st.SearchStrategy, most: int = 2) -> st.SearchStrategy:
    return st.lists(items, max_size=most).map(tuple)


changes = st.builds(
    model.Change,
    address=addresses,
    action=st.sampled_from(model.Action),
    reason=st.sampled_from(model.Reason),
    label=words,
    detail=texts,
    fields=fields,
    before=contents,
    after=contents,
    steps=steps_of,
    group=st.none() | words,
    phase=words,
    offers=tuples(offers),
    hint=texts,
    irreversible=st.booleans(),
    receivable=amounts,
    warnings=tuples(texts),
    remote_id=maybe_text,
    number=maybe_text,
    source=texts,
)
effects = st.builds(
    model.Effect,
    maybe_text,
    maybe_text,
    st.none() | st.integers(1, 9),
    maybe_text,
    tuples(st.tuples(words, decimals)),
)
steps = st.builds(
    model.Step,
    id=words,
    address=addresses,
    label=words,
    operation=operations,
    operation_key=texts,
    document_id=words,
    reference=texts,
    role=st.sampled_from(model.Role),
    number=maybe_text,
    generation=st.integers(1, 9),
    holes=tuples(holes),
    depends_on=steps_of,
    group=st.none() | words,
    effect=effects,
    series=words,
)
bookkeeping = st.builds(
    model.Bookkeeping,
    st.sampled_from(model.BookkeepingKind),
    addresses,
    destination=st.none() | addresses,
    allocations=tuples(st.tuples(words, decimals)),
)
movements = st.builds(model.Movement, st.just("open"), texts, texts, st.just("USD"), decimals)
groups = st.builds(model.Group, words, addresses, st.sampled_from(Remedy), texts, steps_of, tuples(movements))
footprints = st.builds(model.FootprintRow, addresses, words, words, texts, st.integers(0, 9), texts)
options = st.builds(
    model.Options,
    targets=tuples(addresses),
    allows=tuples(st.tuples(st.sampled_from(Remedy), addresses)),
    refresh_only=st.booleans(),
)
raises = st.builds(model.CreditRaise, decimals, tuples(texts), st.integers(0, 9))
outlooks = st.builds(
    model.CreditOutlook,
    texts,
    texts,
    st.sampled_from(["USD", "EUR"]),
    decimals,
    remote_id=texts,
    limit=st.none() | decimals,
    overdue=st.none() | decimals,
    on_hold=st.booleans(),
    raises=st.dictionaries(st.sampled_from(["USD", "JPY"]), raises, max_size=2),
    moves=amounts,
    sets_limit=st.booleans(),
)
plans = st.builds(
    model.Plan,
    project=texts,
    project_name=texts,
    lineage=texts,
    epoch=st.integers(0, 9),
    head=texts,
    created_at=texts,
    default_connection=st.none() | st.just("books"),
    companies=tuples(st.builds(model.CompanyRow, st.just("books"), st.just("ledger"), texts, texts)),
    options=options,
    changes=tuples(changes, 4),
    drift=tuples(st.builds(model.Drift, addresses, st.sampled_from(["field", "vanished"]), texts, fields, words)),
    steps=tuples(steps, 4),
    bookkeeping=tuples(bookkeeping),
    groups=tuples(groups),
    footprint=tuples(footprints),
    gone=tuples(addresses),
    unmanaged=st.dictionaries(words, st.integers(0, 9), max_size=2),
    warnings=tuples(texts),
    credit=tuples(outlooks),
    api_calls=st.dictionaries(words, st.integers(0, 9), max_size=2),
    unchanged=st.integers(0, 9),
    version=words,
)
