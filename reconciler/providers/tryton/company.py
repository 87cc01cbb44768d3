"""The company as the planner needs it: open periods, dates of numbering series, balances of control accounts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal

from reconciler.kernel.money import ZERO
from reconciler.kernel.plain import printable
from reconciler.providers.protocol import Company, ControlBalance, ControlPosting, DatedSeries
from reconciler.providers.tryton.calls import Row, Tryton, lines
from reconciler.providers.tryton.codec_payments import MOVE_FIELDS, payments_in
from reconciler.providers.tryton.directory import Directory
from reconciler.providers.tryton.settlement import DueLine
from reconciler.providers.tryton.taxes import ROUNDING

_MOST_OTHERS = 10
_SEQUENCES = {"invoice": "out_invoice_sequence", "credit_note": "out_credit_note_sequence"}


def company_of(tryton: Tryton, directory: Directory) -> Company:
    """The company. Tryton has no one day through which it is closed: it has open periods."""
    here = ["company", "=", directory.company]
    open_ones = [here, ["type", "=", "standard"], ["state", "=", "open"]]
    periods = tryton.rows("account.period", open_ones, ["start_date", "end_date"])
    return Company(
        id=str(directory.company),
        name=directory.company_name,
        base_currency=directory.base_code,
        time_zone=directory.time_zone,
        tax_rounding_per_line=directory.rounds_per_line,
        rounding=ROUNDING,
        open_periods=spans(periods),
        dated_series=dated_series(tryton, directory),
    )


def spans(periods: Iterable[Row]) -> tuple[tuple[date, date], ...]:
    """Open periods as spans of days, joined where one follows on the other."""
    found: list[tuple[date, date]] = []
    for row in sorted(periods, key=lambda one: one["start_date"]):
        first, last = row["start_date"], row["end_date"]
        if found and first <= found[-1][1] + timedelta(days=1):
            found[-1] = (found[-1][0], max(last, found[-1][1]))
        else:
            found.append((first, last))
    return tuple(found)


def dated_series(tryton: Tryton, directory: Directory) -> tuple[DatedSeries, ...]:
    """Each fiscal year's (or period's) numbering sequence, with the latest invoice date in it.

    Tryton refuses to number a customer invoice where the same sequence already has one of a later date
    (account_invoice, `Invoice.set_number`); other sequences do not matter.
    """
    fields = [
        "start_date",
        "end_date",
        *(f"invoice_sequences.{name}" for name in _SEQUENCES.values()),
        "invoice_sequences.period.start_date",
        "invoice_sequences.period.end_date",
    ]
    years = tryton.rows("account.fiscalyear", [["company", "=", directory.company], ["state", "=", "open"]], fields)
    found: list[DatedSeries] = []
    ids = {
        int(one[field])
        for year in years
        for one in lines(year, "invoice_sequences")
        for field in _SEQUENCES.values()
    }
    counters = tryton.among("ir.sequence.strict", "id", ids, ["number_next"])
    latest: dict[int, date | None] = {row["id"]: None for row in counters if row["number_next"] == 1}
    for year in years:
        for sequence in lines(year, "invoice_sequences"):
            span = sequence.get("period.") or year
            for kind, field in _SEQUENCES.items():
                id_ = int(sequence[field])
                if id_ not in latest:
                    latest[id_] = _latest(tryton, id_)
                found.append(DatedSeries(kind, span["start_date"], span["end_date"], latest[id_]))
    narrow_first = sorted(found, key=lambda one: (one.kind, one.ends - one.begins, one.begins))
    return tuple(narrow_first)


def _latest(tryton: Tryton, sequence: int) -> date | None:
    domain = [["sequence", "=", sequence], ["invoice_date", "!=", None]]
    rows = tryton.rows("account.invoice", domain, ["invoice_date"], limit=1, order=[("invoice_date", "DESC")])
    return rows[0]["invoice_date"] if rows else None


def control_balances(tryton: Tryton, directory: Directory) -> list[ControlBalance]:
    """What every receivable account stands at, per currency of its lines: every posted move counts.

    Only lines that are not reconciled are read: what Tryton reconciled comes to nothing in base currency. Where
    somebody reconciled lines of different currencies with one another, this is not the balance per currency.
    """
    sums: dict[tuple[int, str], Decimal] = defaultdict(lambda: ZERO)
    domain = [["account", "in", sorted(directory.receivables)], ["reconciliation", "=", None]]
    fields = ["account", "debit", "credit", "amount_second_currency", "second_currency", "move.state"]
    moves: set[int] = set()
    for page in tryton.pages("account.move.line", domain, fields, size=1000):
        for row in page:
            if row["move."]["state"] != "posted":
                continue
            moves.add(int(row["move."]["id"]))
            second = row["second_currency"]
            amount = row["amount_second_currency"] if second else row["debit"] - row["credit"]
            sums[row["account"], directory.currencies[second or directory.base]] += Decimal(amount or 0)
    strangers = _others(tryton, directory, moves)
    return [
        ControlBalance(
            str(account), directory.receivables[account], currency, balance, strangers.get((account, currency), ())
        )
        for (account, currency), balance in sorted(sums.items())
        if balance
    ]


def _others(
    tryton: Tryton, directory: Directory, moves: set[int]
) -> dict[tuple[int, str], tuple[ControlPosting, ...]]:
    """What moves that are no invoice and no payment put on an account: manual journals, the largest first.

    A move that gives a receivable as much as it takes (a line that was split) puts nothing on it.
    """
    found: dict[tuple[int, str], list[ControlPosting]] = defaultdict(list)
    for row in tryton.among("account.move", "id", moves, MOVE_FIELDS):
        if str(row.get("origin") or "").startswith(("account.invoice,", "account.move,")):
            continue
        if payments_in(row, directory):
            continue
        amounts: dict[tuple[int, str], Decimal] = defaultdict(lambda: ZERO)
        for line in lines(row, "lines"):
            if line["account"] in directory.receivables:
                due = DueLine.of({**line, "move": row["id"], "date": row["date"]})
                amounts[due.account, directory.currencies[due.currency or directory.base]] += due.amount
        words = row.get("description") or row.get("number") or f"move {row['id']}"
        for place, amount in amounts.items():
            if amount:
                found[place].append(ControlPosting(row["date"], printable(str(words), 120), amount))
    return {
        place: tuple(sorted(some, key=lambda one: (-abs(one.amount), one.date))[:_MOST_OTHERS])
        for place, some in found.items()
    }
