"""At the end: how many cases each provider passed, skipped and failed, and the time they took."""

from __future__ import annotations

from collections import Counter

import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    counts: dict[str, Counter[str]] = {}
    seconds: Counter[str] = Counter()
    for outcome in ("passed", "failed", "skipped", "xfailed"):
        for report in terminalreporter.stats.get(outcome, ()):
            file, _, rest = getattr(report, "nodeid", "").partition("::")
            suite, _, method = rest.partition("::")
            if file.startswith("tests/conformance/") and method:
                counts.setdefault(suite, Counter())[outcome] += 1
    for reports in terminalreporter.stats.values():
        for report in reports:
            file, _, rest = getattr(report, "nodeid", "").partition("::")
            seconds[rest.partition("::")[0]] += getattr(report, "duration", 0)
    if counts:
        terminalreporter.section("conformance")
    for suite, found in sorted(counts.items()):
        words = ", ".join(f"{number} {outcome}" for outcome, number in found.items())
        terminalreporter.write_line(f"{suite}: {words} in {seconds[suite]:.0f} s")
