"""What a template's expressions may print: text that is one YAML scalar wherever it stands, and exact numbers.

Nothing here knows Jinja: it is given values and gives texts, or refuses.
"""

from __future__ import annotations

import re
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Context, Decimal, InvalidOperation

from reconciler.manifests.templates.refusing import Refused

MAX_DECIMALS = 10
"""As many as a manifest's numbers may have."""
_NUMBER = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,10})?\Z", re.ASCII)
_MODES = {"half_up": ROUND_HALF_UP, "half_even": ROUND_HALF_EVEN}
_CONTEXT = Context(prec=60)
_BREAKS = re.compile("[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ufeff\ud800-\udfff\ufffe\uffff]")
_ANYWHERE = re.compile(r"""["'\\{}\[\],?]|:(?=\s|\Z)|\s#""")
_AT_THE_START = re.compile(r"[&*!|>%@`#~:]|-(?=\s|\Z)|(null|---|\.\.\.)\Z")
_ESCAPED = re.compile(
    '["\\\\\x00-\x1f\x7f-\xa0\u00ad\u061c\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff\ufff0-\uffff]'
)
_SHORT = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}


class Written(str):
    """Text that is YAML already: what a macro or a block wrote, or the filter `yaml` quoted."""

    __slots__ = ()


def quoted(value: object) -> Written:
    """Any text, or number, as one double-quoted YAML scalar on one line."""
    text = value if isinstance(value, str) else printed(value)
    if re.search("[\ud800-\udfff]", text):
        raise Refused("template-output", f"{_shown(text)} is not valid text: it has half a character")
    return Written('"' + _ESCAPED.sub(_escape, text) + '"')


def _escape(match: re.Match[str]) -> str:
    character = match.group()
    return _SHORT.get(character) or f"\\u{ord(character):04x}"


def printed(value: object) -> str:
    """What `{{ value }}` prints. Refuses floats, line breaks, nothing, and what is no scalar."""
    if isinstance(value, Written):
        return value
    if isinstance(value, str):
        return _plain(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Decimal):
        return number_text(value)
    if isinstance(value, float):
        raise Refused(
            "float",
            f"{value!r} is a floating-point number",
            "binary fractions are not exact, and no amount may come from one",
            "Make it exact where it comes from: {{ price | decimal }}.",
        )
    if value is None:
        raise Refused("template-output", "there is nothing to print: the value is null", hint="Write null itself.")
    raise Refused(
        "template-output", f"{describe(value)} is no text", hint="Print its parts, in a loop or by their names."
    )


def _plain(text: str) -> str:
    if not text:
        raise Refused(
            "template-output",
            "there is nothing to print: the text is empty",
            "an empty value is null, which clears a field",
            'Leave the field out with {% if … %}, or write "" with {{ … | yaml }}.',
        )
    if _BREAKS.search(text):
        raise Refused(
            "line-break",
            f"{_shown(text)} has a line break",
            "a value that ends its line could declare something of its own",
            "Quote it: {{ … | yaml }} writes the line break as \\n.",
        )
    found = _CONTROL.search(text)
    if found:
        what = f"{_shown(text)} has the control character U+{ord(found.group()):04X}"
        raise Refused("template-output", what, hint="Take it out of the value.")
    doubtful = _ANYWHERE.search(text) or _AT_THE_START.match(text)
    if doubtful or text != text.strip():
        mark = repr(doubtful.group()) if doubtful else "a space at its edge"
        raise Refused(
            "not-plain",
            f"{_shown(text)} has {mark}, which YAML may read as more than text",
            "a value must not be able to add fields or cut its line short",
            "Quote it, without quotes of your own around it: {{ … | yaml }}.",
        )
    return text


def number_text(value: Decimal) -> str:
    """A number without exponent, its zeros kept. Refuses what has more decimals than a manifest may."""
    if not value.is_finite():
        raise Refused("template-output", f"{value} is no number")
    exponent = value.as_tuple().exponent
    assert isinstance(exponent, int)
    if -exponent > MAX_DECIMALS:
        raise Refused(
            "not-rounded",
            f"{format(value, 'f')[:24]}… has {-exponent} decimal places",
            f"a manifest's numbers have at most {MAX_DECIMALS}",
            "Say to how many it is rounded: {{ … | decimal(2) }}.",
        )
    return format(value, "f")


def decimal_of(value: object, places: int | None = None, rounding: str = "half_up") -> Decimal:
    """The filter `decimal`: text or number → exact number, rounded to `places` when given."""
    number = _exact(value)
    if rounding not in _MODES:
        raise Refused("template-value", f"decimal: there is no rounding {rounding!r}", hint="half_up or half_even")
    if places is None:
        return number
    if type(places) is not int or not 0 <= places <= MAX_DECIMALS:
        raise Refused("template-value", f"decimal({places!r}): places are a whole number from 0 to {MAX_DECIMALS}")
    try:
        rounded = number.quantize(Decimal(1).scaleb(-places), rounding=_MODES[rounding], context=_CONTEXT)
    except InvalidOperation:
        raise Refused("template-value", f"{number:.5E} is too large a number") from None
    return abs(rounded) if rounded == 0 else rounded


def _exact(value: object) -> Decimal:
    if isinstance(value, Decimal):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return Decimal(value)
    if isinstance(value, str) and _NUMBER.match(value):
        return Decimal(value)
    what = _shown(value) if isinstance(value, str) else describe(value)
    raise Refused("template-value", f"{what} is not a plain decimal number such as 2373.45")


def whole_of(value: object) -> int:
    """The filter `int`: text or number → whole number; it refuses to cut a fraction off."""
    number = _exact(value)
    if number != number.to_integral_value():
        raise Refused("template-value", f"{number} is no whole number", hint="Round it first: | decimal(0).")
    return int(number)


def describe(value: object) -> str:
    """A value by what it is."""
    if isinstance(value, str):
        return f"the text {_shown(value)}"
    names = {dict: "a mapping", list: "a list", tuple: "a list", bool: "true or false", type(None): "null"}
    for kind, name in names.items():
        if isinstance(value, kind):
            return name
    if isinstance(value, (int, Decimal)):
        return f"the number {value}"
    return f"{type(value).__name__} (a template's own object)"


def _shown(text: str) -> str:
    return repr(text[:60]) + ("…" if len(text) > 60 else "")
