"""Lines of text on pages of PDF. What is printed, and where its numbers come from, is others' duty."""

from __future__ import annotations

from collections.abc import Sequence

_LINES_A_PAGE = 44


def pages(lines: Sequence[str], *, font: str = "Helvetica", size: int = 12) -> bytes:
    """A PDF (A4) with these lines from the top, as many pages as they need. `font`: one of PDF's own fourteen.

    What Windows-1252 has no sign for is a question mark.
    """
    sheets = [lines[start : start + _LINES_A_PAGE] for start in range(0, len(lines), _LINES_A_PAGE)] or [[]]
    first = 4  # the objects before are the catalogue, the list of pages and the font
    kids = b" ".join(b"%d 0 R" % (first + 2 * at) for at in range(len(sheets)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [%s] /Count %d >>" % (kids, len(sheets)),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /%s /Encoding /WinAnsiEncoding >>" % font.encode("ascii"),
    ]
    for at, sheet in enumerate(sheets):
        shown = b" ".join(b"(" + _escaped(line) + b") Tj T*" for line in sheet)
        content = b"BT /F1 %d Tf 56 776 Td 16 TL %s ET" % (size, shown)
        objects += [
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents %d 0 R"
            b" /Resources << /Font << /F1 3 0 R >> >> >>" % (first + 2 * at + 1),
            b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
        ]
    return _file(objects)


def _escaped(text: str) -> bytes:
    encoded = text.encode("cp1252", "replace")
    return encoded.replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")


def _file(objects: Sequence[bytes]) -> bytes:
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
