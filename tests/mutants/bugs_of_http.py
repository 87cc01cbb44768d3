"""Bugs planted in the way out: what is repeated, where it goes, how fast, how large, and what is said of it."""

from __future__ import annotations

from tests.mutants.planting import Bug

HAPPENED = "tests/unit/http/test_what_happened.py"
READING = "tests/unit/http/test_reading.py"
SIZES = "tests/unit/http/test_sizes.py"
PLACES = "tests/unit/http/test_places.py"
SECRETS = "tests/unit/http/test_secrets.py"
PACING = "tests/unit/http/test_pacing.py"
ENCRYPTION = "tests/unit/http/test_encryption.py"
LOG = "tests/unit/http/test_log.py"
HTTP = "reconciler/providers/http"

BUGS = (
    Bug(
        "a-write-is-repeated-by-the-client",
        "a time-out bills twice",
        f"{HTTP}/connection.py",
        "        if not read:\n            return self._attempt(request)\n",
        "",
        (HAPPENED,),
        "write",
        fast=True,
    ),
    Bug(
        "a-cut-is-taken-for-not-sent",
        "what may have arrived is sent again without a look",
        f"{HTTP}/sockets.py",
        "            self._turn.sent = True\n",
        "",
        (HAPPENED,),
        "whole_answer",
        fast=True,
    ),
    Bug(
        "no-deadline-for-the-whole",
        "a server that drips is waited for without end",
        f"{HTTP}/sockets.py",
        "        return left if timeout is None else min(left, timeout)",
        "        return timeout or left",
        (HAPPENED,),
        "drip",
    ),
    Bug(
        "refused-requests-are-counted-as-unknown",
        "a rate limit stops an address until a person looks",
        f"{HTTP}/classing.py",
        "    if answer.status in unavailable:",
        "    if not writes and answer.status in unavailable:",
        (HAPPENED,),
        "statuses_by_default",
    ),
    Bug(
        "server-errors-are-refusals",
        "a 500 after the commit is taken for nothing written",
        f"{HTTP}/classing.py",
        "    if 400 <= answer.status < 500 and answer.status != 408:",
        "    if 400 <= answer.status and answer.status != 408:",
        (HAPPENED,),
        "statuses_by_default",
    ),
    Bug(
        "retry-after-is-waited-for-without-end",
        "one answer stops the run for a day",
        f"{HTTP}/retrying.py",
        "    if asked is not None and asked > LONGEST_PAUSE:\n        return True\n",
        "",
        (READING,),
        "long_retry_after",
    ),
    Bug(
        "a-pause-holds-nobody-else",
        "the other threads hammer a throttled server",
        f"{HTTP}/connection.py",
        "            self._bucket.hold(pause)\n",
        "            pass\n",
        (READING,),
        "holds_the_whole",
    ),
    Bug(
        "redirects-lead-anywhere",
        "credentials are sent to whom the server names",
        f"{HTTP}/places.py",
        "        if origin != self.origin:",
        "        if origin[0] != self.origin[0]:",
        (READING, PLACES),
        "another_server or elsewhere",
    ),
    Bug(
        "links-leave-the-base-path",
        "a page's link reaches another API of the same server",
        f"{HTTP}/places.py",
        '(parts.path != self.base and not parts.path.startswith(f"{self.base}/")) or _climbs(parts.path)',
        "_climbs(parts.path)",
        (PLACES,),
    ),
    Bug(
        "the-cap-counts-what-travelled",
        "a small answer fills the memory",
        f"{HTTP}/connection.py",
        "            if len(body) + len(plain) > limit:",
        "            if size.travelled > limit:",
        (SIZES,),
        "bomb",
    ),
    Bug(
        "half-an-answer-is-believed",
        "a list that broke off looks complete",
        f"{HTTP}/connection.py",
        "    inflater.finish()\n",
        "",
        (SIZES,),
        "damaged",
    ),
    Bug(
        "a-burst-of-two",
        "a strict server refuses the second",
        f"{HTTP}/pacing.py",
        "            turn = max(self._next, self._held_until, now)",
        "            turn = max(self._next - self._interval, self._held_until, now)",
        (PACING,),
        "in_any_span",
    ),
    Bug(
        "a-failure-keeps-its-place",
        "after a few errors nothing is sent any more",
        f"{HTTP}/pacing.py",
        "        finally:\n            self._places.release()",
        "        except NotSent:\n            self._places.release()\n            raise",
        (PACING,),
        "gives_its_place_back",
    ),
    Bug(
        "any-certificate-will-do",
        "whoever sits in between reads the password",
        f"{HTTP}/wire.py",
        "    context = httpx.create_ssl_context(trust_env=False)\n",
        "    context = httpx.create_ssl_context(verify=False, trust_env=False)\n",
        (ENCRYPTION,),
        "not_trusted",
    ),
    Bug(
        "no-alignment-but-the-first",
        "a password echoed in Basic credentials is shown",
        "reconciler/kernel/secrets.py",
        "    for before in range(3):",
        "    for before in range(1):",
        (SECRETS,),
    ),
    Bug(
        "the-log-shows-the-query",
        "customers' names are kept in a log",
        f"{HTTP}/log.py",
        'f"{name}=…" for name in names',
        'f"{name}={parts.query}" for name in names',
        (LOG,),
    ),
)
