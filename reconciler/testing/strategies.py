"""Hypothesis strategies: names, amounts, days, faults and where to die, small enough to meet one another."""

from __future__ import annotations

from hypothesis import strategies as st

from reconciler.testing.faults import APPLICABLE, Fault, FaultKind, FaultSchedule

CUSTOMERS = ("acme", "bolt")
INVOICES = ("INV-1", "INV-2", "INV-3")
NOTES = ("CN-1", "CN-2")
PAYMENTS = ("PMT-1", "PMT-2")
SPARE = {"customers": "corp", "invoices": "INV-9", "credit_notes": "CN-9", "payments": "PMT-9"}
NAMES = {"customers": CUSTOMERS, "invoices": INVOICES, "credit_notes": NOTES, "payments": PAYMENTS}

amounts = st.sampled_from(("10.00", "25.00", "33.33", "100.00"))
large_amounts = st.sampled_from(("25.00", "100.00", "150.00"))
days = st.sampled_from(("2026-11-03", "2026-11-10", "2026-11-20", "2026-11-22"))
invoice_names = st.sampled_from(INVOICES)
customer_names = st.sampled_from(CUSTOMERS)
note_names = st.sampled_from(NOTES)
payment_names = st.sampled_from(PAYMENTS)
documents = st.sampled_from(
    [
        (plural, name)
        for plural in ("invoices", "payments", "credit_notes")
        for name in (*NAMES[plural], SPARE[plural])
    ]
)
resources = st.sampled_from([(plural, name) for plural in NAMES for name in (*NAMES[plural], SPARE[plural])])
targets = st.lists(st.tuples(invoice_names, amounts), max_size=2, unique_by=lambda pair: pair[0])
deaths = st.one_of(st.integers(1, 8), st.integers(1, 16), st.integers(8, 40))
some_deaths = st.one_of(st.just(0), deaths)

_CALLS = (
    "create",
    "batch",
    "allocate",
    "update",
    "lookup",
    "post",
    "unallocate",
    "void",
    "reverse",
    "observe",
    "poll",
)


Listed = tuple[str, int, FaultKind, int]
"""A fault: the call, which of that name, what strikes, and its seconds."""


@st.composite
def listed_faults(draw: st.DrawFn, latest: int, *, least: int = 0) -> list[Listed]:
    """From `least` to three faults, each at the n-th call of a name. Nothing lands later than `latest` seconds."""
    listed: list[Listed] = []
    for _ in range(draw(st.integers(least, 3))):
        call = draw(st.sampled_from(_CALLS))
        kind = draw(st.sampled_from(sorted(APPLICABLE[call])))
        seconds = draw(st.sampled_from((1, min(30, latest), latest)))
        n = draw(st.integers(1, 2))
        listed.append((call, n, kind, min(seconds, 60) if kind is FaultKind.ACCEPTED else seconds))
    return listed


def schedule_of(listed: list[Listed]) -> FaultSchedule:
    return FaultSchedule({(call, n): Fault(kind, seconds) for call, n, kind, seconds in listed})
