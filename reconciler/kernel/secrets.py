"""Secrets this process knows, masked wherever words leave it: logs, errors, tracebacks.

A secret is registered when it is read; from then on `masked` replaces it, also where a server echoes it in
another form: percent-encoded, in JSON, HTML or XML, in hexadecimal, or inside a longer text in base64.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable

MASK = "***"
_SHORT = 4
"""A shorter secret is masked only where it stands alone: else a one-letter password would mask all text."""


class Secrets:
    """A growing set of secrets. Thread-safe."""

    def __init__(self) -> None:
        self._known: set[str] = set()
        self._pattern: re.Pattern[str] | None = None
        self._lock = threading.Lock()

    def add(self, secrets: Iterable[str]) -> None:
        """Mask these from now on; empty ones are passed over."""
        with self._lock:
            new = {secret for secret in secrets if secret} - self._known
            if new:
                self._known |= new
                self._pattern = _pattern(self._known)

    def masked(self, text: str) -> str:
        """`text` with every known secret replaced by `***`."""
        pattern = self._pattern
        return text if pattern is None else pattern.sub(MASK, text)

    def clear(self) -> None:
        """Forget them all."""
        with self._lock:
            self._known.clear()
            self._pattern = None


_SECRETS = Secrets()


def keep_secret(*secrets: str) -> None:
    """Mask these in everything this process says from now on."""
    _SECRETS.add(secrets)


def masked(text: str) -> str:
    """`text` without the secrets this process knows."""
    return _SECRETS.masked(text)


def forget_secrets() -> None:
    """Mask nothing any more: for what runs many projects in one process, such as tests."""
    _SECRETS.clear()


def _pattern(secrets: Iterable[str]) -> re.Pattern[str]:
    forms = {form for secret in secrets for form in _forms(secret)}
    return re.compile("|".join(sorted(forms, key=lambda form: (-len(form), form))), re.IGNORECASE)


def _forms(secret: str) -> Iterable[str]:
    """Patterns of a secret and what it looks like in transport; matched without regard to case."""
    import html
    import json
    from urllib.parse import quote, quote_plus

    if len(secret) < _SHORT:
        yield rf"(?<!\w){re.escape(secret)}(?!\w)"
        return
    plain = {
        secret,
        quote(secret, safe=""),
        quote(secret),
        quote_plus(secret),
        html.escape(secret),
        *_in_xml(secret),
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        repr(secret)[1:-1],
        secret.encode().hex(),
    }
    yield from map(re.escape, plain)
    yield from map(re.escape, _in_base64(secret))


def _in_xml(secret: str) -> Iterable[str]:
    """As the text of an element, in an attribute, and in XML that is itself the text of an element."""
    import html

    text = html.escape(secret, quote=False)
    attribute = text.replace('"', "&quot;")
    return text, attribute, attribute.replace("'", "&apos;"), html.escape(text, quote=False)


def _in_base64(secret: str) -> set[str]:
    """What the secret's bytes look like within base64 of a longer text, at each of the three alignments.

    The characters at the edges depend on the neighbours; they are left out.
    """
    import base64

    data = secret.encode()
    found = set()
    for before in range(3):
        bits = len(data) * 8
        skipped = -(-before * 8 // 6)
        whole = (before * 8 + bits) // 6
        standard = base64.b64encode(b"\0" * before + data).decode()[skipped:whole]
        if len(standard) >= _SHORT:
            found |= {standard, standard.translate(str.maketrans("+/", "-_"))}
    return found
