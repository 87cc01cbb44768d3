"""The ledger's invariants, checked from the rows alone. Read-only; an empty answer means all hold."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from decimal import Decimal

from reconciler.sandboxes.ledger.documents import body_facts, seal_of
from reconciler.sandboxes.ledger.engine import Ledger
from reconciler.sandboxes.ledger.minor import to_text
from reconciler.sandboxes.ledger.records import fingerprint_of, id_of
from reconciler.sandboxes.ledger.reports import tie_out
from reconciler.sandboxes.ledger.settings import BooksSettings

_SIGNED = "CASE r.kind WHEN 'invoice' THEN 1 ELSE -1 END"


def check(ledger: Ledger) -> list[str]:
    """Every broken invariant, in words."""
    with ledger.reading() as db:
        findings = [
            *_entries(db),
            *_documents(db),
            *_allocations(db),
            *_seals(db),
            *_unique(db, ledger.settings),
        ]
    for row in tie_out(ledger):
        if row.difference or row.base_difference:
            findings.append(
                f"account {row.account} in {row.currency}: open items {row.open_items}, ledger {row.ledger};"
                f" in base {row.open_items_base} and {row.ledger_base}"
            )
    return findings


def _entries(db: sqlite3.Connection) -> Iterator[str]:
    for entry, amount in db.execute("SELECT entry, SUM(base) FROM lines GROUP BY entry HAVING SUM(base) <> 0"):
        yield f"entry {entry} does not balance: {amount}"
    total = db.execute("SELECT COALESCE(SUM(base), 0) FROM lines").fetchone()[0]
    if total:
        yield f"debits and credits differ by {total}"
    for (entry,) in db.execute("SELECT DISTINCT entry FROM lines WHERE entry NOT IN (SELECT seq FROM entries)"):
        yield f"lines of entry {entry}, which does not exist"
    rows = db.execute(
        "SELECT e.record, l.account, l.currency, SUM(l.amount), SUM(l.base) FROM entries e JOIN lines l ON"
        " l.entry = e.seq JOIN records r ON r.seq = e.record WHERE r.state = 'void' GROUP BY 1, 2, 3"
        " HAVING SUM(l.amount) <> 0 OR SUM(l.base) <> 0"
    )
    for record, account, *_ in rows:
        yield f"void record {record} still weighs on account {account}"


def _documents(db: sqlite3.Connection) -> Iterator[str]:
    for kind, seq in db.execute(
        "SELECT kind, seq FROM records WHERE currency IS NOT NULL AND (state = 'draft') AND seq IN"
        " (SELECT record FROM entries)"
    ):
        yield f"draft {id_of(kind, seq)} has journal entries"
    for kind, seq in db.execute(
        "SELECT kind, seq FROM records WHERE currency IS NOT NULL AND state <> 'draft' AND seq NOT IN"
        " (SELECT record FROM entries WHERE record IS NOT NULL)"
    ):
        yield f"{id_of(kind, seq)} is posted without a journal entry"
    rows = db.execute(
        "SELECT r.kind, r.seq, r.total, r.open, r.open_base, r.netted, r.currency,"
        " COALESCE((SELECT SUM(amount) FROM allocations WHERE source = r.seq AND target_kind = 'invoice'), 0),"
        " COALESCE((SELECT SUM(amount) FROM allocations WHERE source = r.seq AND target_kind <> 'invoice'), 0),"
        " COALESCE((SELECT SUM(amount + discount + write_off) FROM allocations WHERE target = r.seq), 0)"
        " FROM records r WHERE r.state = 'posted'"
    )
    for kind, seq, total, left, left_base, netted, currency, out, joined, settled in rows:
        name = id_of(kind, seq)
        if left != total + joined - out - settled:
            yield f"{name}: open {to_text(left, currency)} is not total less what settles it"
        if netted != joined:
            yield f"{name}: netted {netted} is not what credit notes add ({joined})"
        if left < 0 or out > total + joined or settled > total:
            yield f"{name}: allocated beyond its total"
        if left == 0 and left_base:
            yield f"{name}: settled, but still carried at {left_base}"
    ended = db.execute(
        "SELECT kind, seq FROM records r WHERE state IN ('void', 'reversed') AND (open <> 0 OR open_base <> 0 OR"
        " EXISTS (SELECT 1 FROM allocations WHERE source = r.seq OR target = r.seq))"
    )
    for kind, seq in ended:
        yield f"{id_of(kind, seq)} is void or reversed, but not empty"


def _allocations(db: sqlite3.Connection) -> Iterator[str]:
    rows = db.execute(
        "SELECT source, target, SUM(amount), SUM(settled) FROM ("
        " SELECT source, target, amount, settled FROM settlements UNION ALL"
        " SELECT source, target, -amount, -(amount + discount + write_off) FROM allocations)"
        " GROUP BY 1, 2 HAVING SUM(amount) <> 0 OR SUM(settled) <> 0"
    )
    for source, target, *_ in rows:
        yield f"the history of allocation {source} → {target} does not add up to what stands"
    bad = db.execute(
        "SELECT a.source, a.target FROM allocations a JOIN records s ON s.seq = a.source JOIN records t ON"
        " t.seq = a.target WHERE s.customer <> t.customer OR s.currency <> t.currency OR s.entity <> t.entity"
        " OR s.state <> 'posted' OR t.state <> 'posted' OR a.target_kind <> t.kind"
    )
    for source, target in bad:
        yield f"allocation {source} → {target} joins what does not belong together"


def _seals(db: sqlite3.Connection) -> Iterator[str]:
    rows = db.execute(
        "SELECT kind, seq, number, state, body, fingerprint, sealed, net, tax, total, total_base, date, account,"
        " rate FROM records WHERE currency IS NOT NULL"
    )
    for kind, seq, number, state, body, mark, sealed, *facts in rows:
        if fingerprint_of(body, state, number) != mark:
            yield f"{id_of(kind, seq)}: its fingerprint is not of its body"
        if state == "draft":
            continue
        if seal_of(kind, body_facts(body), number or "", facts) != sealed:
            yield f"{id_of(kind, seq)}: what was posted has changed"
    totals = db.execute(
        "SELECT r.kind, r.seq, r.total, r.total_base, SUM(l.amount), SUM(l.base) FROM records r JOIN entries e ON"
        " e.record = r.seq AND e.kind = r.kind AND e.reverses IS NULL JOIN lines l ON l.entry = e.seq AND"
        " l.position = 1 AND l.account = r.account WHERE r.total > 0 GROUP BY 1, 2, 3, 4"
    )
    for kind, seq, total, base, posted, posted_base in totals:
        if (abs(posted), abs(posted_base)) != (total, base):
            yield f"{id_of(kind, seq)}: its total is {Decimal(total)}, its journal says {posted}"


def _unique(db: sqlite3.Connection, settings: BooksSettings) -> Iterator[str]:
    if settings.unique_number:
        for kind, number in db.execute(
            "SELECT kind, number FROM records WHERE number IS NOT NULL GROUP BY 1, 2 HAVING COUNT(*) > 1"
        ):
            yield f"several {kind}s have the number {number}"
    if settings.unique_reference == "always":
        for (reference,) in db.execute(
            "SELECT reference FROM records WHERE reference IS NOT NULL GROUP BY 1 HAVING COUNT(*) > 1"
        ):
            yield f"several records have the reference {reference}"
