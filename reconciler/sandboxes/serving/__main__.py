"""`python -m reconciler.sandboxes.serving codat --data FILE`: serve a sandbox until told to stop.

Prints its URL on the first line once it is ready.
"""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from pathlib import Path

from reconciler.kernel.errors import ReconcilerError
from reconciler.sandboxes.ledger.refusal import BooksBusy, BooksUnusable
from reconciler.sandboxes.serving.opening import BadOpening
from reconciler.sandboxes.serving.registry import sandbox_names
from reconciler.sandboxes.serving.running import start
from reconciler.sandboxes.serving.switches import BadSwitch


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m reconciler.sandboxes.serving", description=__doc__)
    parser.add_argument("name", choices=sandbox_names())
    parser.add_argument("--port", type=int, default=0, help="0: any free port")
    parser.add_argument("--data", type=Path, help="the file of its books; made when it does not exist")
    parser.add_argument("--seed", type=Path, help="opening data for new books, YAML or JSON")
    parser.add_argument(
        "--switch", action="append", default=[], metavar="NAME=VALUE", help="a bad habit; repeatable"
    )
    parser.add_argument("--log", type=Path, help="append a JSON line for each request")
    return parser


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    switches = dict(text.partition("=")[::2] for text in options.switch)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        running = start(
            options.name,
            store=options.data,
            switches=switches,
            seed=options.seed,
            port=options.port,
            log=options.log,
        )
    except (ReconcilerError, BadSwitch, BadOpening, BooksBusy, BooksUnusable) as error:
        print(error, file=sys.stderr)
        return 1
    with running:
        print(running.url, flush=True)
        stop.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
