"""The service's schema, rebuilt from the vendor's samples, where this machine has it: what a body does not obey."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[4] / "shared" / "specs" / "accountsiq"
SAMPLES = FOLDER / "samples"
_SCHEMA = "{http://www.w3.org/2001/XMLSchema}schema"
_ELEMENT = "{http://www.w3.org/2001/XMLSchema}element"
_BODY = "{http://schemas.xmlsoap.org/soap/envelope/}Body"


def available() -> bool:
    return SAMPLES.is_dir()


@lru_cache(maxsize=1)
def _schema() -> Any:
    from lxml import etree

    tree = etree.parse(str(FOLDER / "integration_1_1.reconstructed.wsdl"))
    for item in tree.iterfind(f".//{_ELEMENT}"):
        if item.get("name").startswith("WSResult2Of"):  # one for each query: the rebuilt schema has one alone
            item.set("maxOccurs", "unbounded")
    return etree.XMLSchema(tree.find(f".//{_SCHEMA}"))


def problems(envelope: bytes) -> list[str]:
    """What is wrong with the one element of an envelope's body; nothing for faults and for API 2.0's own calls."""
    from lxml import etree

    body = etree.fromstring(envelope).find(_BODY)
    [item] = body
    name = etree.QName(item).localname
    if name == "Fault" or name.startswith("Token"):
        return []
    schema = _schema()
    if schema.validate(item):
        return []
    return [f"{error.path.rpartition('/')[2]}: {error.message}" for error in schema.error_log]


@lru_cache(maxsize=128)
def _sample_paths(operation: str) -> frozenset[str]:
    path = SAMPLES / f"{operation}.response.xml"
    return frozenset(_paths(path.read_bytes())) if path.is_file() else frozenset()


def _paths(envelope: bytes) -> list[str]:
    """Every element's path of local names."""
    from lxml import etree

    found = []

    def walk(item: Any, above: str) -> None:
        path = f"{above}/{etree.QName(item).localname}"
        found.append(path)
        for child in item:
            walk(child, path)

    walk(etree.fromstring(envelope), "")
    return found


def beyond_sample(operation: str, envelope: bytes) -> list[str]:
    """Elements that the vendor's sample of this answer does not have; arrays that it shows empty have any."""
    known = _sample_paths(operation)
    if not known:
        return []
    empty = [path for path in known if not any(other.startswith(f"{path}/") for other in known)]
    unknown = [path for path in _paths(envelope) if path not in known]
    return [path for path in unknown if not any(path.startswith(f"{one}/") for one in empty)]
