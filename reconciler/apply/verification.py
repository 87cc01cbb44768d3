"""After a run: every record it wrote, read again and compared with what was asked. It corrects nothing.

Content, phase, allocations and total of each record; for a completed correction, that open receivables moved
by what its proof said.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from reconciler.apply.books import Books, Live, read
from reconciler.apply.judging import Verdict, judge, settled_of
from reconciler.apply.mirror import Mirror
from reconciler.apply.report import Finding, StepOutcome, StepResult
from reconciler.kernel.canonical import parse_canonical
from reconciler.kernel.currencies import CODES
from reconciler.kernel.money import ZERO, decimal_text
from reconciler.plan.model import Group, Plan, Step
from reconciler.providers.errors import ProviderError
from reconciler.providers.operations import Create, Delete, Reverse, subject
from reconciler.providers.protocol import Company, Observed, Query
from reconciler.resources.totals import compute_totals

_AT_ONCE = 2_000
"""Records read at a time, so that a large run is verified in little memory."""
_GOOD = (StepOutcome.DONE, StepOutcome.ALREADY_DONE)
_SIGNS = {"invoice": 1, "credit_note": -1, "payment": -1}


@dataclass(frozen=True, slots=True)
class Written:
    """A done step and the record it wrote."""

    step: Step
    place: Live


def verify(plan: Plan, results: Sequence[StepResult], books: Mapping[str, Books], state: Mirror) -> list[Finding]:
    """What is in the ERP and was not asked for, or was asked for and is not there, in plan order."""
    outcomes = {result.step_id: result for result in results}
    done = [step for step in plan.steps if step.id in outcomes and outcomes[step.id].outcome in _GOOD]
    findings: list[Finding] = []
    for connection in sorted({step.address.connection for step in done}):
        mine = [_written(step, outcomes[step.id]) for step in done if step.address.connection == connection]
        findings.extend(_Verification(books[connection], plan, state).verify(mine))
    order = {step.address: position for position, step in enumerate(plan.steps)}
    return sorted(findings, key=lambda finding: order.get(finding.address, len(order)))


def _written(step: Step, result: StepResult) -> Written:
    kind, remote_id = subject(step.operation)
    return Written(step, (kind, remote_id if remote_id and not step.holes else result.remote_id or remote_id or ""))


@dataclass(slots=True)
class _Verification:
    """One connection's part."""

    books: Books
    plan: Plan
    state: Mirror
    _rates: dict[str, Decimal] | None = None
    _company: Company | None = None
    _ids: dict[str, Live] = field(default_factory=dict)

    def verify(self, written: Sequence[Written]) -> list[Finding]:
        findings: list[Finding] = []
        last = {item.place: item.step.id for item in written}
        try:
            for start in range(0, len(written), _AT_ONCE):
                some = written[start : start + _AT_ONCE]
                live = read(
                    self.books, [item.place for item in some if not isinstance(item.step.operation, Delete)]
                )
                for item in some:
                    findings.extend(self._record(item, live, latest=last[item.place] == item.step.id))
            for group in self._finished_groups(written):
                made = (*self._places(group, Create), *self._places(group, Reverse))
                findings.extend(self._proof(group, read(self.books, made)))
        except ProviderError as error:
            first = written[0].step
            findings.append(Finding(first.address, first.label, "reading it back", "an answer", error.message))
        return findings

    # ---- records --------------------------------------------------------------------------------------

    def _record(self, item: Written, live: Mapping[Live, Observed], *, latest: bool) -> Iterable[Finding]:
        step = item.step
        observed = live.get(item.place)
        if isinstance(step.operation, Delete):
            return
        if observed is None:
            yield self._finding(step, "record", f"{item.place[0]} {item.place[1]}", "nothing")
            return
        if isinstance(step.operation, Create):
            yield from self._total(step, observed)
            yield from self._allocated(step, observed, latest=latest)
        if step.holes:
            return  # its operation names what did not exist yet; the provider's word was recorded
        if latest or isinstance(step.operation, Create):
            yield from self._content(step, observed, latest=latest)

    def _content(self, step: Step, observed: Observed, *, latest: bool) -> Iterable[Finding]:
        judgement = judge(step.operation, observed, reference=step.reference, number=step.number)
        if judgement.verdict is Verdict.DONE:
            return
        if judgement.verdict is Verdict.BEFORE:
            yield self._finding(step, step.description or str(step.operation.verb), "done", "as before")
        if not latest:
            return  # a later step of this plan changed it on purpose
        for difference in judgement.differences:
            what, _, rest = difference.partition(": asked ")
            asked, _, found = rest.partition(", found ")
            yield self._finding(step, what, asked, found)

    def _total(self, step: Step, observed: Observed) -> Iterable[Finding]:
        expected = self._expected_total(step)
        if expected is not None and "total" in observed.computed and observed.amount("total") != expected:
            yield self._finding(step, "total", decimal_text(expected), decimal_text(observed.amount("total")))

    def _expected_total(self, step: Step) -> Decimal | None:
        """What the declaration expects, else what the lines come to by our own arithmetic."""
        assert isinstance(step.operation, Create)
        declared = parse_canonical(step.effect.declared) if step.effect.declared else {}
        if (stated := declared.get("expect_total")) is not None:
            return Decimal(stated)
        content = step.operation.content
        if step.operation.kind == "payment":
            return Decimal(content["amount"]) if "amount" in content else None
        if not content.get("lines"):
            return None
        company = self._books_company()
        currency = str(content.get("currency") or company.base_currency)
        if currency not in CODES:
            return None
        totals = compute_totals(
            content,
            currency,
            self._tax_rates().get,
            per_line=company.tax_rounding_per_line,
            rounding=company.rounding,
        )
        return None if totals is None else totals.gross

    def _books_company(self) -> Company:
        if self._company is None:
            self._company = self.books.provider.company()
        return self._company

    def _tax_rates(self) -> dict[str, Decimal]:
        """Rates by the ERP's id."""
        if self._rates is None:
            self._rates = {}
            try:
                for row in self.books.provider.observe(Query(("tax_rate",))):
                    if (rate := row.content().get("rate")) is not None:
                        self._rates[row.remote_id] = Decimal(rate)
            except ProviderError:
                pass  # a total that cannot be computed is not verified
        return self._rates

    def _allocated(self, step: Step, observed: Observed, *, latest: bool) -> Iterable[Finding]:
        """What a create was to settle; where a later step of this plan settled otherwise, what that recorded."""
        for target, amount in step.effect.allocations:
            row = self.state.documents.get(target)
            if row is None:
                continue
            recorded = Decimal(self.state.allocations.get((step.document_id, target), ZERO))
            wanted = amount if latest else recorded
            found = settled_of(observed, row.kind, row.remote_id).amount
            if found != wanted:
                yield self._finding(
                    step, f"allocated to {row.address.name}", decimal_text(wanted), decimal_text(found)
                )

    def _finding(self, step: Step, what: str, expected: str, found: str) -> Finding:
        return Finding(step.address, step.label, what, expected, found)

    # ---- corrections ----------------------------------------------------------------------------------

    def _finished_groups(self, written: Sequence[Written]) -> list[Group]:
        """Corrections planned and carried out whole by this plan: only those can be balanced here."""
        done = {item.step.id for item in written}
        return [group for group in self.plan.groups if not group.resumed and set(group.steps) <= done]

    def _proof(self, group: Group, live: Mapping[Live, Observed]) -> Iterable[Finding]:
        """Δ open receivables of the documents the group made, as they are live, against its proof.

        Their totals say it, not open balances: other steps of the same plan may move those.
        """
        made, undone = self._places(group, Create), self._places(group, Reverse)
        currencies = {row.currency for row in group.proof if row.dimension == "open"}
        if len(currencies) > 1 or not all(place in live for place in (*made, *undone)):
            return
        expected = sum((row.amount for row in group.proof if row.dimension == "open"), ZERO)
        moved = sum((_SIGNS[kind] * live[kind, id_].amount("total") for kind, id_ in made), ZERO)
        moved -= sum((_SIGNS[kind] * live[kind, id_].amount("total") for kind, id_ in undone), ZERO)
        if moved != expected:
            what = f"open receivables moved by the correction {group.id}"
            yield Finding(group.address, "", what, decimal_text(expected), decimal_text(moved))

    def _places(self, group: Group, operation: type[Create] | type[Reverse]) -> list[Live]:
        """The records that the group's steps of one sort wrote."""
        steps = [
            step for step in self.plan.steps if step.group == group.id and isinstance(step.operation, operation)
        ]
        rows = [row for step in steps if (row := self.state.documents.get(step.document_id)) is not None]
        return [(row.kind, row.remote_id) for row in rows]
