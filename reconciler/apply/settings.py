"""How an apply behaves where nobody but an operator or a test has a say: terms, windows, retries. Data only."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.providers.capabilities import Capabilities


@dataclass(frozen=True, slots=True)
class ApplySettings:
    """Durations are whole seconds.

    `concurrency` caps each connection's own. `send_window`: how long after its intent was written a request
    may still be started. `margin`: what clocks and schedulers may be off by. `retries`: how often a request
    that was certainly not sent is sent again; `resends`: how often one that may have landed is, where the ERP
    enforces uniqueness. `settle_patience`: how long recovery waits for a settle window to end.
    """

    concurrency: int = 8
    lease_term: int = 60
    margin: int = 2
    send_window: int = 5
    poll_deadline: int = 300
    retries: int = 4
    backoff: int = 1
    longest_pause: int = 120
    resends: int = 2
    settle_patience: int = 10
    look_ahead: int = 100

    def window(self, capabilities: Capabilities) -> int:
        """Seconds from an intent to the last moment its request may be started."""
        return min(self.send_window, max(1, capabilities.request_timeout))

    def slack(self, capabilities: Capabilities) -> int:
        return min(self.margin, max(1, capabilities.request_timeout))

    def reach(self, capabilities: Capabilities) -> int:
        """Seconds from a request's start to the last moment it may still be under way."""
        return capabilities.request_timeout + self.slack(capabilities)

    def term(self, capabilities: list[Capabilities]) -> int:
        """The lock's term: long enough for two requests of the slowest connection."""
        slowest = max((self.window(one) + self.reach(one) for one in capabilities), default=0)
        return max(self.lease_term, 2 * slowest)

    def pause(self, retry: int, asked: int | None) -> int:
        """Seconds before the `retry`-th (from 1) retry; what the ERP asked for wins."""
        wanted = self.backoff * 2 ** (retry - 1) if asked is None else asked
        return max(0, min(wanted, self.longest_pause))
