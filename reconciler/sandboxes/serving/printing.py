"""An invoice on paper: one page of PDF."""

from __future__ import annotations

from collections.abc import Iterable


def printed_invoice(
    number: str, customer: str, issued: str, due: str, lines: Iterable[tuple[str, str]], total: str, currency: str
) -> bytes:
    """A PDF of an invoice. Days and amounts are printed as they come; `lines`: description and amount of each."""
    return _page(
        [
            f"Invoice {number}",
            f"To {customer}",
            f"Issued {issued}, due {due}",
            "",
            *(f"{description}  {amount} {currency}" for description, amount in lines),
            "",
            f"Total {total} {currency}",
        ]
    )


def _page(lines: list[str]) -> bytes:
    """One page with these lines, from the top; what Windows-1252 has no sign for is a question mark."""
    shown = b" ".join(b"(" + _escaped(line) + b") Tj T*" for line in lines)
    content = b"BT /F1 12 Tf 72 760 Td 16 TL " + shown + b" ET"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        b" /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    return _file(objects)


def _escaped(text: str) -> bytes:
    encoded = text.encode("cp1252", "replace")
    return encoded.replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")


def _file(objects: list[bytes]) -> bytes:
    made = bytearray(b"%PDF-1.4\n")
    places = []
    for number, body in enumerate(objects, 1):
        places.append(len(made))
        made += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(made)
    made += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    for place in places:
        made += b"%010d 00000 n \n" % place
    made += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    return bytes(made)
