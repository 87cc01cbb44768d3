"""Attacks by XML, each read in a process of its own that may use so much memory and time and no more.

`python -m tests.unit.http.xml_attacks URL FILE [whole]` prints a JSON object: attack → what was said, what it cost,
and every file or address that was opened meanwhile.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from reconciler.providers.http import Answer, NotXml, xml_body

MEGABYTE = 1 << 20
DOCTYPE = '<?xml version="1.0"?><!DOCTYPE r ['
MEMORY = 40 * MEGABYTE
"""What reading may take beside the body."""
LARGEST_MEMORY = 800 * MEGABYTE
"""What two million elements may."""


def attacks(url: str, file: str) -> dict[str, Callable[[], bytes]]:
    """Name → the body, made when it is its turn."""

    def entities(*declared: str, use: str = "<r>&x;</r>") -> Callable[[], bytes]:
        return lambda: (DOCTYPE + "".join(declared) + "]>" + use).encode()

    def many(head: str, part: str, tail: str) -> Callable[[], bytes]:
        def body() -> bytes:
            count = 4 * MEGABYTE // len(part)
            parts = (part.replace("#", str(index)) for index in range(count)) if "#" in part else [part * count]
            return (head + "".join(parts) + tail).encode()

        return body

    laughs = [f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10)]
    return {
        "billion laughs": entities('<!ENTITY l0 "lol">', *laughs, use="<r>&l9;</r>"),
        "laughs in an attribute": entities('<!ENTITY l0 "lol">', *laughs, use='<r a="&l9;"/>'),
        "quadratic blow-up": entities(f'<!ENTITY x "{"x" * 100_000}">', use=f"<r>{'&x;' * 100_000}</r>"),
        "parameter entities": entities("<!ENTITY % p \"<!ENTITY x SYSTEM '" + url + "'>\">", "%p;"),
        "an entity of a file": entities(f'<!ENTITY x SYSTEM "file://{file}">'),
        "an entity of a server": entities(f'<!ENTITY x SYSTEM "{url}/entity">'),
        "a public entity": entities(f'<!ENTITY x PUBLIC "-//x" "{url}/public">'),
        "a parameter entity of a server": entities(f'<!ENTITY % p SYSTEM "{url}/parameter">', "%p;", use="<r/>"),
        "an unparsed entity": entities(f'<!NOTATION n SYSTEM "n"><!ENTITY x SYSTEM "{url}/x" NDATA n>'),
        "a DTD of a server": lambda: f'<!DOCTYPE r SYSTEM "{url}/dtd"><r/>'.encode(),
        "a DTD of a file": lambda: f'<!DOCTYPE r SYSTEM "file://{file}"><r/>'.encode(),
        "an empty DTD": lambda: b"<!DOCTYPE r><r/>",
        "defaults of attributes": entities(f'<!ATTLIST r a CDATA "{"x" * 1000}">', use="<r/>"),
        "a DTD in UTF-16": lambda: f'<!DOCTYPE r SYSTEM "{url}/wide"><r/>'.encode("utf-16"),
        "a DTD behind comments": lambda: b"<!-- " + b"x" * 70_000 + b" -->" + b"<!DOCTYPE r><r/>",
        "inclusion": lambda: (
            f'<r xmlns:i="http://www.w3.org/2001/XInclude"><i:include href="{url}/i"/>'
            f'<i:include href="file://{file}" parse="text"/></r>'
        ).encode(),
        "a schema and a style sheet": lambda: (
            f'<?xml-stylesheet href="{url}/style"?>'
            f'<r xmlns:s="http://www.w3.org/2001/XMLSchema-instance" s:schemaLocation="x {url}/schema"/>'
        ).encode(),
        "deep": many("", "<a>", ""),
        "a million attributes": many("<r ", 'a#="" ', "/>"),
        "a million namespaces": many("<r ", 'xmlns:p#="u" ', "/>"),
        "namespaces one by one": many("<r>", '<a xmlns:p#="u"/>', "</r>"),
        "one long name": lambda: b"<" + b"a" * (8 * MEGABYTE) + b"/>",
        "a tag that never ends": many("<r a='", "x", ""),
        "a comment that never ends": many("<r><!--", "x", ""),
        "an instruction that never ends": many("<r><?i ", "x", ""),
        "names": many("<r>", "<a#/>", "</r>"),
        "long namespace for many names": lambda: (
            b'<r xmlns="' + b"u" * 900_000 + b'">' + b"".join(b"<a%d/>" % n for n in range(10_000)) + b"</r>"
        ),
        "cut off": lambda: b"<r>" + b"<a>1</a>" * 1000 + b"<a",
        "noise": lambda: b"<r>" + bytes(range(256)) * 1000,
        "long text": many("<r>", "x&amp;\n", "</r>"),
        "long section": many("<r><![CDATA[", "x\n", "]]></r>"),
    }


def whole_attacks() -> dict[str, Callable[[], bytes]]:
    """As large as an answer may be by default."""
    size = 64 * MEGABYTE
    return {
        "64 MB of elements": lambda: b"<r>" + b"<a/>" * (size // 4 - 2) + b"</r>",
        "64 MB of texts": lambda: b"<r>" + b"<a>xyz</a>" * 1_999_999 + b" " * (size - 20_000_000) + b"</r>",
        "64 MB of attributes": lambda: b"<r>" + b"<a b='xy' c='xy'/>" * (size // 18 - 1) + b"</r>",
        "64 MB of names": lambda: b"<r>" + b"".join(b"<a%d/>" % n for n in range(size // 11)) + b"</r>",
        "64 MB of depth": lambda: b"<a>" * (size // 3),
        "64 MB of one tag": lambda: b"<r " + b"a='' " * (size // 5),
        "64 MB of text": lambda: b"<r>" + b"x&#38;\n" * (size // 7 - 1) + b"</r>",
    }


OPENED = ("open", "socket.connect", "socket.getaddrinfo", "subprocess.Popen", "os.exec", "urllib.Request")


def _read(body: bytes, memory: int) -> dict[str, Any]:
    opened: list[str] = []
    sys.addaudithook(lambda event, args: opened.append(f"{event} {args[:1]}") if event in OPENED else None)
    with open("/proc/self/statm") as file:
        pages = int(file.read().split()[0])
    opened.clear()
    size = pages * resource.getpagesize()
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (size + memory, most))
    started = time.process_time()
    try:
        root = xml_body(Answer(200, {"content-type": "text/xml"}, body, "9"))
        said = f"read {len(root)}"
    except NotXml as refused:
        said = str(refused)
    except MemoryError:
        said = "out of memory"
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    return {"said": said, "seconds": time.process_time() - started, "opened": opened}


def _apart(make: Callable[[], bytes], memory: int, seconds: int) -> dict[str, Any]:
    """Read in a fork, whose limits die with it."""
    sink, source = os.pipe()
    child = os.fork()
    if not child:
        os.close(sink)
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
        os.write(source, json.dumps(_read(make(), memory)).encode())
        os._exit(0)
    os.close(source)
    with os.fdopen(sink, "rb") as file:
        told = file.read()
    _, status, _ = os.wait4(child, 0)
    if status or not told:
        return {"said": f"died of {status}", "seconds": 0, "opened": []}
    found: dict[str, Any] = json.loads(told)
    return found


def main(url: str, file: str, *whole: str) -> Iterator[tuple[str, dict[str, Any]]]:
    chosen = whole_attacks() if whole else attacks(url, file)
    for name, make in chosen.items():
        yield name, _apart(make, *((LARGEST_MEMORY, 60) if whole else (MEMORY, 5)))


if __name__ == "__main__":
    print(json.dumps(dict(main(*sys.argv[1:]))))
