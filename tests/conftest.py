"""For the whole suite: tell at the end how much the state machine has tried, from every worker's results."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.postgres.fixtures import postgres, postgres_server  # noqa: F401  fixtures
from tests.tryton.fixtures import tryton, tryton_of_module, tryton_of_others, tryton_server  # noqa: F401  fixtures

MACHINE = "machine"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    counts: dict[str, Counter[str]] = {}
    for outcome in ("passed", "failed"):
        for report in terminalreporter.stats.get(outcome, ()):
            for name, value in getattr(report, "user_properties", ()):
                if name == MACHINE:
                    counts.setdefault(report.nodeid.rpartition("[")[2].rstrip("]"), Counter()).update(value)
    if not counts:
        return
    terminalreporter.section("state machine: what was tried")
    counts["in all"] = sum(counts.values(), Counter())
    for machine, tried in counts.items():
        words = ", ".join(f"{number:,} {what}" for what, number in sorted(tried.items()))
        terminalreporter.write_line(f"{machine}: {words}")
