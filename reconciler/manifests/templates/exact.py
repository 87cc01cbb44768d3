"""Jinja2 with exact numbers: the immutable sandbox, without floats, with texts that are never taken for numbers.

`1.10` in a template is a Decimal; `/` divides Decimals; `+` and `*` of texts, and comparing texts by size, are
refused, because variables are texts and `'9' > '10'`. What is not deterministic (random, lipsum) is not there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Context, Decimal, DecimalException, DivisionByZero, FloatOperation, InvalidOperation, Overflow
from typing import Any

from jinja2 import BaseLoader, StrictUndefined, TemplateNotFound, Undefined, nodes
from jinja2.compiler import CodeGenerator, Frame, operators
from jinja2.environment import Environment
from jinja2.filters import FILTERS, do_indent
from jinja2.lexer import Lexer, Token
from jinja2.sandbox import ImmutableSandboxedEnvironment

from reconciler.manifests.templates.refusing import Refused
from reconciler.manifests.templates.scalars import Written, decimal_of, describe, printed, quoted, whole_of

NUMBERS = Context(prec=60, Emax=60, Emin=-60, traps=[InvalidOperation, DivisionByZero, Overflow, FloatOperation])
_ORDERING = frozenset({"gt", "gteq", "lt", "lteq"})
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}(-[0-9]{2})?\Z", re.ASCII)
_MOST_BITS = 4_096
_MOST_ITEMS = 100_000
_KEPT_FILTERS = (
    "abs", "batch", "capitalize", "count", "d", "default", "dictsort", "first", "groupby", "items", "join", "last",
    "length", "list", "lower", "map", "max", "min", "reject", "rejectattr", "replace", "reverse", "select",
    "selectattr", "slice", "sort", "string", "sum", "title", "trim", "unique", "upper",
)  # fmt: skip
_GONE = {
    "float": "It would not be exact. Use {{ … | decimal }}.",
    "round": "Use {{ … | decimal(2) }}.",
    "safe": "Nothing is escaped for HTML here. Use {{ … | yaml }} to quote a text.",
    "tojson": "Use {{ … | yaml }} to quote a text.",
    "random": "A template gives the same text at each run.",
}


class ManifestLoader(BaseLoader):
    """Finds templates among the texts it was given, by their path under `manifests/`; it opens no file."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self.texts = texts

    def get_source(self, environment: Environment, template: str) -> tuple[str, str, Callable[[], bool]]:
        if template not in self.texts:
            raise TemplateNotFound(template)
        return self.texts[template], template, lambda: True


class _ExactLexer(Lexer):
    """Numbers with a point are Decimals."""

    def wrap(
        self, stream: Iterable[tuple[int, str, str]], name: str | None = None, filename: str | None = None
    ) -> Iterator[Token]:
        for item in stream:
            if item[1] == "float":
                yield Token(item[0], "float", Decimal(item[2].replace("_", "")))  # type: ignore[arg-type]
            else:
                yield from super().wrap((item,), name, filename)


class _ExactCode(CodeGenerator):
    """Code in which each line of output is a statement of its own, so that it is known where it was written."""

    def visit_Output(self, node: nodes.Output, frame: Frame) -> None:
        if frame.buffer is not None or frame.require_output_check:
            super().visit_Output(node, frame)
            return
        for child in node.nodes:
            if isinstance(child, nodes.TemplateData):
                for at, line in enumerate(re.split(r"(?<=\n)", child.data)):
                    self._output(nodes.TemplateData(line, lineno=child.lineno + at), frame)
            else:
                self._output(child, frame)

    def _output(self, child: nodes.Expr, frame: Frame) -> None:
        child.environment = self.environment
        single = nodes.Output([child], lineno=child.lineno)
        single.environment = self.environment
        self.newline(single)
        super().visit_Output(single, frame)

    def visit_Const(self, node: nodes.Const, frame: Frame) -> None:
        if isinstance(node.value, Decimal):
            self.write(f"environment.exact({str(node.value)!r})")
        else:
            super().visit_Const(node, frame)

    def visit_Compare(self, node: nodes.Compare, frame: Frame) -> None:
        if not any(operand.op in _ORDERING for operand in node.ops):
            super().visit_Compare(node, frame)
            return
        self.write("(")
        self._comparable(node.expr, frame)
        for operand in node.ops:
            self.write(f" {operators[operand.op]} ")
            self._comparable(operand.expr, frame)
        self.write(")")

    def _comparable(self, node: nodes.Expr, frame: Frame) -> None:
        self.write("environment.comparable(")
        self.visit(node, frame)
        self.write(")")


class ExactEnvironment(ImmutableSandboxedEnvironment):
    """The environment every template is rendered in."""

    code_generator_class = _ExactCode
    concat = staticmethod(lambda parts: Written("".join(parts)))
    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "**", "%"})

    def __init__(self, texts: Mapping[str, str]) -> None:
        super().__init__(
            loader=ManifestLoader(texts),
            undefined=StrictUndefined,
            autoescape=False,
            finalize=finalize,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            cache_size=-1,
            auto_reload=False,
        )
        for gone in ("lipsum", "cycler", "joiner"):
            self.globals.pop(gone)
        self.filters = {name: FILTERS[name] for name in _KEPT_FILTERS}
        self.filters.update(
            decimal=decimal_of, yaml=quoted, int=whole_of, indent=_indent, trim=_trim, format=_format, join=_join
        )
        self._exact_lexer = _ExactLexer(self)

    @property
    def lexer(self) -> Lexer:
        return self._exact_lexer

    @staticmethod
    def exact(text: str) -> Decimal:
        return Decimal(text)

    @staticmethod
    def comparable(value: Any) -> Any:
        """Texts are not compared by size, but for dates and months, whose order is that of their texts."""
        if isinstance(value, str) and not _DATE.match(value):
            raise Refused(
                "text-as-number",
                f"{describe(value)} is compared by size",
                "variables are texts, and as a text '9' is more than '10'",
                "Make it a number: {{ … | decimal }}.",
            )
        return value

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        for value in (left, right):
            if isinstance(value, Undefined):
                str(value)  # raises, naming it
        if _is_number(left) and _is_number(right):
            return _arithmetic(operator, left, right)
        if operator == "+" and isinstance(left, list) and isinstance(right, list):
            if len(left) + len(right) > _MOST_ITEMS:
                raise Refused("template-limit", f"a list of more than {_MOST_ITEMS:,} items")
            return left + right
        strange = right if _is_number(left) else left
        hint = "Join texts with ~." if isinstance(left, str) and isinstance(right, str) else ""
        hint = f"Make it a number: {{{{ … | decimal }}}}. {hint}".strip() if isinstance(strange, str) else hint
        raise Refused("text-as-number", f"{describe(strange)} is no number, and {operator!r} needs two", hint=hint)


def finalize(value: Any) -> str:
    """What an expression prints."""
    if isinstance(value, Undefined):
        return str(value)  # raises, naming what is not defined
    return printed(value)


def gone_filter(message: str) -> str:
    """What to use in place of a filter that is not there, from the message that says so; '' when unknown."""
    found = re.search(r"No filter named '([a-z_]+)'", message)
    return _GONE.get(found.group(1), "") if found else ""


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, Decimal)) and not isinstance(value, bool)


def _arithmetic(operator: str, left: Any, right: Any) -> Any:
    if operator == "**" and not (isinstance(right, int) and 0 <= right <= 64 and _bits(left) <= 64):
        raise Refused("template-limit", f"{left} ** {right} is too large a power")
    if operator == "*" and _bits(left) + _bits(right) > _MOST_BITS:
        raise Refused("template-limit", "a number grows too large")
    try:
        if operator == "/":
            return Decimal(left) / Decimal(right)
        return _OPERATIONS[operator](left, right)
    except ZeroDivisionError:
        raise Refused("template-value", f"{left} is divided by zero") from None
    except DecimalException:
        raise Refused("template-limit", "a number grows too large") from None


def _bits(value: Any) -> int:
    return value.bit_length() if isinstance(value, int) else 200


_OPERATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "+": lambda left, right: left + right,
    "-": lambda left, right: left - right,
    "*": lambda left, right: left * right,
    "//": lambda left, right: left // right,
    "%": lambda left, right: left % right,
    "**": lambda left, right: left**right,
}


def _indent(value: str, width: int = 4, first: bool = False, blank: bool = False) -> str:
    """Jinja's `indent`; what a macro wrote stays what it is."""
    text = do_indent(value, width, first, blank)
    return Written(text) if isinstance(value, Written) else text


def _trim(value: str, characters: str | None = None) -> str:
    text = str(value).strip(characters)
    return Written(text) if isinstance(value, Written) else text


def _join(values: Iterable[Any], separator: str = "", attribute: str | None = None) -> str:
    """Texts and numbers joined; each number as it would be printed."""
    found = [item[attribute] if attribute is not None else item for item in values]
    texts = [item if isinstance(item, str) else finalize(item) for item in found]
    text = separator.join(texts)
    return Written(text) if found and all(isinstance(item, Written) for item in found) else text


def _format(pattern: str, *values: Any) -> str:
    """`'%05d' | format(7)`: texts and whole numbers alone, because the others go through a float."""
    if re.search(r"%[^%a-zA-Z]*[eEfFgGaA]", pattern) or re.search(r"[0-9]{4}|\*", pattern):
        raise Refused("float", f"format: {pattern[:40]!r} is refused", hint="Round with {{ … | decimal(2) }}.")
    if not all(isinstance(value, (str, int)) for value in values):
        raise Refused("template-value", "format takes texts and whole numbers")
    return pattern % values
