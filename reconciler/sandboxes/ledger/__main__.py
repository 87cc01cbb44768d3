"""`python -m reconciler.sandboxes.ledger serve --path FILE`: run the ledger as a server until told to stop.

Prints its URL on the first line once it is ready. The token comes from RECONCILER_LEDGER_TOKEN.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import socket
import sys
import threading
from dataclasses import replace
from pathlib import Path

from reconciler.kernel.money import Rounding
from reconciler.sandboxes.faults import ServerFaults
from reconciler.sandboxes.ledger.engine import Ledger
from reconciler.sandboxes.ledger.refusal import BooksBusy, BooksUnusable
from reconciler.sandboxes.ledger.server import LedgerServer
from reconciler.sandboxes.ledger.settings import settings_for_class
from reconciler.sandboxes.ledger.wire import TOKEN_VARIABLE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m reconciler.sandboxes.ledger", description=__doc__)
    serve = parser.add_subparsers(required=True).add_parser("serve", help="serve a file of books on 127.0.0.1")
    serve.add_argument("--path", type=Path, required=True, help="the file; made when it does not exist")
    serve.add_argument("--port", type=int, default=0, help="0: any free port")
    new = serve.add_argument_group("opening settings, for a new file only")
    new.add_argument("--company", default="Company")
    new.add_argument("--base-currency", default="USD")
    new.add_argument("--tax-rounding", choices=("line", "document"), default="line")
    new.add_argument("--rounding", choices=[str(rounding) for rounding in Rounding], default="half_up")
    new.add_argument("--deduplication", choices=("A", "B", "C", "D"), default="A", help="what is unique")
    new.add_argument("--numbering", choices=("given", "assigned", "assigned_in_date_order"), default="given")
    new.add_argument("--keep-versions", action="store_true", help="so that reads can be made to lag")
    tests = serve.add_argument_group("for tests")
    tests.add_argument("--allow-faults", action="store_true", help="allow the switches below and the call /faults")
    tests.add_argument("--delay-ms", type=int, default=0, help="pause between each commit and its answer")
    tests.add_argument("--kill-at", type=int, action="append", default=[], help="kill the sender of the n-th write")
    tests.add_argument("--kill-per-mille", type=int, default=0, help="kill so many senders of a thousand")
    tests.add_argument("--seed", type=int, default=0)
    tests.add_argument("--log", type=Path, help="append a line for each commit, kill and answer")
    return parser


def _open(options: argparse.Namespace) -> Ledger:
    settings = settings_for_class(
        options.deduplication,
        company=options.company,
        base_currency=options.base_currency,
        tax_rounding_per_line=options.tax_rounding == "line",
        rounding=Rounding(options.rounding),
        numbering=options.numbering,
        keep_versions=options.keep_versions,
    )
    return Ledger(options.path, settings=replace(settings))


def _faults(options: argparse.Namespace) -> ServerFaults | None:
    if not options.allow_faults:
        return None
    faults = ServerFaults(log=options.log)
    faults.set(
        {
            "delay_ms": options.delay_ms,
            "kill_at": options.kill_at,
            "kill_per_mille": options.kill_per_mille,
            "seed": options.seed,
        }
    )
    return faults


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    try:
        ledger = _open(options)
    except (BooksBusy, BooksUnusable) as error:
        print(error, file=sys.stderr)
        return 1
    token = os.environ.get(TOKEN_VARIABLE, "")
    with ledger, LedgerServer(ledger, port=options.port, token=token, faults=_faults(options)) as server:
        signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=_end, args=[server], daemon=True).start())
        print(server.url, flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            server.serve_forever(poll_interval=3600)
    return 0


def _end(server: LedgerServer) -> None:
    """Stop serving now. (An exception out of a signal's handler is lost where it meets a finalizer.)"""
    stopping = threading.Thread(target=server.shutdown, daemon=True)
    stopping.start()
    while stopping.is_alive():
        with contextlib.suppress(OSError):  # a call wakes the server: it looks whether it is to stop
            socket.create_connection(("127.0.0.1", server.server_address[1]), timeout=1).close()
        stopping.join(0.05)


if __name__ == "__main__":
    sys.exit(main())
