"""Dimensions' values by name: what is no longer active is still called so, and a name of two stands for none."""

from __future__ import annotations

from collections.abc import Mapping
from xml.etree.ElementTree import Element

from reconciler.providers.intacct.directory import Directory
from tests.unit.intacct_provider.gateway import Bench, Wire, ids, response, result

DEPARTMENTS = (
    {"DEPARTMENTID": "100", "TITLE": "Sales", "STATUS": "inactive"},
    {"DEPARTMENTID": "200", "TITLE": "Advice", "STATUS": "active"},
    {"DEPARTMENTID": "300", "TITLE": "Training", "STATUS": "active"},
    {"DEPARTMENTID": "301", "TITLE": "Training", "STATUS": "active"},
    {"DEPARTMENTID": "302", "TITLE": "Training", "STATUS": "inactive"},
)


def listed(request: Element) -> str:
    made = []
    for function, id_ in zip(request.iter("function"), ids(request), strict=True):
        rows: tuple[Mapping[str, str], ...] = DEPARTMENTS if function.findtext(".//object") == "DEPARTMENT" else ()
        shown = "".join(f"<D>{''.join(f'<{k}>{v}</{k}>' for k, v in row.items())}</D>" for row in rows)
        data = f'<data totalcount="{len(rows)}" count="{len(rows)}" numremaining="0">{shown}</data>'
        made.append(result(id_, data, function="query"))
    return response(*made)


def directory() -> Directory:
    return Directory(Bench(home=Wire(replies=[listed])).gateway, "USD")


def test_a_value_that_is_no_longer_active_keeps_its_name_on_documents_and_is_not_written():
    found = directory()
    assert found.name_of("department", "100") == "Sales"
    assert found.id_of("department", "Sales") is None
    assert "100" not in found.values("department")


def test_values_of_one_name_are_known_by_their_ids():
    found = directory()
    assert found.values("department") == {"200": "Advice", "300": "300", "301": "301"}
    assert found.id_of("department", "Training") is None
    assert found.id_of("department", "301") == "301"
    assert found.name_of("department", "302") == "302"
