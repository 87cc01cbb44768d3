"""The file's tables, the triggers that keep what is posted as it is, and the chart a new file begins with."""

from __future__ import annotations

from reconciler.sandboxes.ledger.settings import BooksSettings

VERSION = 1

TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE series (kind TEXT PRIMARY KEY, next INTEGER NOT NULL, last_date TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE records (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('active', 'archived', 'draft', 'posted', 'void', 'reversed')),
  code TEXT, name TEXT, number TEXT, reference TEXT,
  revision INTEGER NOT NULL DEFAULT 1,
  body TEXT NOT NULL, fingerprint TEXT NOT NULL,
  customer INTEGER, currency TEXT, rate TEXT, account INTEGER, entity TEXT NOT NULL DEFAULT '',
  date TEXT, due TEXT,
  net INTEGER NOT NULL DEFAULT 0, tax INTEGER NOT NULL DEFAULT 0, total INTEGER NOT NULL DEFAULT 0,
  total_base INTEGER NOT NULL DEFAULT 0, open INTEGER NOT NULL DEFAULT 0, open_base INTEGER NOT NULL DEFAULT 0,
  netted INTEGER NOT NULL DEFAULT 0,
  sealed TEXT, ended_on TEXT, created_at TEXT NOT NULL, changed_at TEXT NOT NULL
);
CREATE INDEX records_kind ON records (kind, seq);
CREATE TABLE entries (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  date TEXT NOT NULL, kind TEXT NOT NULL, record INTEGER, entity TEXT NOT NULL DEFAULT '',
  memo TEXT NOT NULL DEFAULT '', posted_at TEXT NOT NULL, reverses INTEGER
);
CREATE INDEX entries_record ON entries (record);
CREATE TABLE lines (
  entry INTEGER NOT NULL, position INTEGER NOT NULL, account INTEGER NOT NULL,
  amount INTEGER NOT NULL, currency TEXT NOT NULL, rate TEXT NOT NULL, base INTEGER NOT NULL,
  customer INTEGER, tax INTEGER, tracking TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (entry, position)
) WITHOUT ROWID;
CREATE TABLE allocations (
  source INTEGER NOT NULL, target INTEGER NOT NULL, target_kind TEXT NOT NULL,
  amount INTEGER NOT NULL, discount INTEGER NOT NULL, write_off INTEGER NOT NULL,
  write_off_account INTEGER, write_off_reason TEXT NOT NULL DEFAULT '', date TEXT NOT NULL,
  source_base INTEGER NOT NULL, target_base INTEGER NOT NULL, entry INTEGER,
  PRIMARY KEY (source, target)
) WITHOUT ROWID;
CREATE INDEX allocations_target ON allocations (target);
CREATE TABLE settlements (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  source INTEGER NOT NULL, target INTEGER NOT NULL, date TEXT NOT NULL,
  amount INTEGER NOT NULL, settled INTEGER NOT NULL, entry INTEGER, posted_at TEXT NOT NULL
);
CREATE INDEX settlements_source ON settlements (source);
CREATE INDEX settlements_target ON settlements (target);
CREATE TABLE applications (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  source INTEGER NOT NULL, target INTEGER NOT NULL, amount INTEGER NOT NULL,
  reference TEXT, live INTEGER NOT NULL DEFAULT 1
);
CREATE INDEX applications_reference ON applications (reference);
CREATE INDEX applications_pair ON applications (source, target);
CREATE TABLE attachments (
  record INTEGER NOT NULL, name TEXT NOT NULL, path TEXT NOT NULL, sha256 TEXT NOT NULL,
  PRIMARY KEY (record, name)
) WITHOUT ROWID;
CREATE TABLE pushes (
  handle TEXT PRIMARY KEY, due TEXT NOT NULL, polls_left INTEGER NOT NULL, command TEXT NOT NULL,
  status TEXT NOT NULL, answer TEXT NOT NULL DEFAULT ''
) WITHOUT ROWID;
CREATE INDEX pushes_due ON pushes (status, due);
CREATE TABLE versions (seq INTEGER PRIMARY KEY AUTOINCREMENT, record INTEGER NOT NULL, at TEXT NOT NULL, row TEXT);
CREATE INDEX versions_record ON versions (record, seq);
"""
"""Signs: a line's `amount` and `base` are positive for debits. A document's amounts are positive.

`open`: what is still to be settled; `open_base`: what that is carried at in base currency. `netted`: what
credit notes have added to a payment. `account`: where the open item is carried.
"""

TRIGGERS = """
CREATE TRIGGER posted_record BEFORE UPDATE OF
  kind, number, reference, customer, currency, rate, account, entity, date, net, tax, total, total_base, sealed
  ON records WHEN OLD.state IN ('posted', 'void', 'reversed')
  BEGIN SELECT RAISE(ABORT, 'posted documents are immutable'); END;
CREATE TRIGGER posted_state BEFORE UPDATE OF state ON records
  WHEN OLD.state IN ('void', 'reversed') OR (OLD.state = 'posted' AND NEW.state NOT IN ('void', 'reversed'))
  BEGIN SELECT RAISE(ABORT, 'posted documents are immutable'); END;
CREATE TRIGGER kept_record BEFORE DELETE ON records WHEN OLD.state <> 'draft'
  BEGIN SELECT RAISE(ABORT, 'only drafts can be discarded'); END;
CREATE TRIGGER kept_entry BEFORE UPDATE ON entries BEGIN SELECT RAISE(ABORT, 'journals are immutable'); END;
CREATE TRIGGER kept_entry_row BEFORE DELETE ON entries BEGIN SELECT RAISE(ABORT, 'journals are immutable'); END;
CREATE TRIGGER kept_line BEFORE UPDATE ON lines BEGIN SELECT RAISE(ABORT, 'journals are immutable'); END;
CREATE TRIGGER kept_line_row BEFORE DELETE ON lines BEGIN SELECT RAISE(ABORT, 'journals are immutable'); END;
CREATE TRIGGER kept_settlement BEFORE UPDATE ON settlements
  BEGIN SELECT RAISE(ABORT, 'settlements are immutable'); END;
CREATE TRIGGER kept_settlement_row BEFORE DELETE ON settlements
  BEGIN SELECT RAISE(ABORT, 'settlements are immutable'); END;
"""


def unique_indexes(settings: BooksSettings) -> list[str]:
    """The indexes on numbers, codes and references: unique where the settings say so."""
    number = "UNIQUE " if settings.unique_number else ""
    code = "UNIQUE " if settings.unique_code else ""
    statements = [
        f"CREATE {number}INDEX records_number ON records (kind, number) WHERE number IS NOT NULL",
        f"CREATE {code}INDEX records_code ON records (kind, code) WHERE code IS NOT NULL",
    ]
    always = settings.unique_reference == "always"
    statements.append(
        f"CREATE {'UNIQUE ' if always else ''}INDEX records_reference ON records (reference) "
        "WHERE reference IS NOT NULL"
    )
    if settings.unique_reference == "unnumbered":
        statements.append(
            "CREATE UNIQUE INDEX records_reference_unnumbered ON records (reference) "
            "WHERE reference IS NOT NULL AND number IS NULL AND code IS NULL"
        )
    return statements


CHART: tuple[tuple[str, str, str], ...] = (
    ("1100", "Accounts receivable", "accounts_receivable"),
    ("1200", "Bank", "bank"),
    ("1290", "Undeposited funds", "current_asset"),
    ("2200", "Sales tax", "liability"),
    ("2300", "Customer deposits", "liability"),
    ("2400", "Deferred revenue", "liability"),
    ("4000", "Sales", "income"),
    ("4010", "Services", "income"),
    ("4900", "Discounts given", "income"),
    ("6100", "Bank charges", "expense"),
    ("6200", "Bad debt", "expense"),
    ("7000", "Exchange gain or loss", "expense"),
    ("9000", "Opening balances", "equity"),
)
"""Code, name and type of the accounts a new file begins with."""

BANK_ACCOUNT = ("operating", "1200")

ROLES: dict[str, str] = {
    "receivable": "1100",
    "tax": "2200",
    "deposits": "2300",
    "discount": "4900",
    "exchange": "7000",
}
"""What the ledger itself posts to, and the code each role's account begins with."""
