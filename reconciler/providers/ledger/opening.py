"""Opening a ledger connection: a file in this process or a server, behind one port."""

from __future__ import annotations

from pathlib import Path

from reconciler.kernel.clock import Clock
from reconciler.kernel.errors import ReconcilerError
from reconciler.kernel.money import Rounding
from reconciler.providers.errors import ProviderError
from reconciler.providers.ledger.settings import LedgerSettings
from reconciler.sandboxes.ledger.engine import Books, Ledger
from reconciler.sandboxes.ledger.port import LedgerPort
from reconciler.sandboxes.ledger.refusal import BooksBusy, BooksUnusable
from reconciler.sandboxes.ledger.settings import BooksSettings


def new_books(settings: LedgerSettings) -> BooksSettings:
    """Opening settings for books that do not exist yet."""
    return BooksSettings(
        company=settings.company or "Company",
        base_currency=settings.base_currency or "USD",
        tax_rounding_per_line=settings.tax_rounding != "document",
        rounding=settings.rounding or Rounding.HALF_UP,
    )


def open_port(
    settings: LedgerSettings, root: Path, clock: Clock, books: BooksSettings, *, make: bool = True
) -> LedgerPort:
    """The port of a connection. Raises ReconcilerError with what to do.

    `make` false: books that do not exist are an error.
    """
    if settings.endpoint is not None:
        from reconciler.providers.ledger.client import LedgerClient  # httpx is dear to import, and only needed here

        token = settings.token.get_secret_value() if settings.token else ""
        port: LedgerPort = LedgerClient(settings.endpoint, token, timeout=settings.timeout_seconds)
    else:
        assert settings.path is not None
        path = root / settings.path
        try:
            port = Ledger(path, clock=clock, settings=books) if make else Ledger.existing(path, clock=clock)
        except (BooksUnusable, BooksBusy) as error:
            raise ReconcilerError(str(error), hint="Check the connection's `path`.") from error
    try:
        _check_settings(settings, port.books())
    except ProviderError as error:
        port.close()
        raise ReconcilerError(error.message, hint="Check the connection's `endpoint` and `token`.") from error
    except BaseException:
        port.close()
        raise
    return port


def _check_settings(settings: LedgerSettings, books: Books) -> None:
    """What the connection says of the books must be what the books say."""
    wanted = new_books(settings)
    found = books.settings
    for name, given, asked, kept in (
        ("company", settings.company, wanted.company, found.company),
        ("base_currency", settings.base_currency, wanted.base_currency, found.base_currency),
        (
            "tax_rounding",
            settings.tax_rounding,
            wanted.tax_rounding_per_line,
            found.tax_rounding_per_line,
        ),
        ("rounding", settings.rounding, wanted.rounding, found.rounding),
    ):
        if given is not None and asked != kept:
            raise ReconcilerError(
                f"the books were opened with another {name} than {given}",
                why="a company's books keep the settings they were opened with",
                hint=f"Take `{name}` out of the connection, or name other books.",
            )
