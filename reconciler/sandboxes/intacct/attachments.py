"""Supporting documents: folders, and documents of files that invoices and payments refer to."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from typing import Any
from xml.etree.ElementTree import Element

from reconciler.sandboxes.intacct.company import Company
from reconciler.sandboxes.intacct.contacts import duplicate
from reconciler.sandboxes.intacct.words import fault
from reconciler.sandboxes.serving.xml import element

SUPDOCS, FOLDERS, FILES = "ia-supdoc", "ia-folder", "ia-file"


def create_folder(company: Company, call: Element) -> str:
    """The folder's key. Raises Fault."""
    name = (call.findtext("supdocfoldername") or "").strip()
    if not name:
        raise fault("Missing required field: supdocfoldername.")
    if company.books.shelf.get(FOLDERS, name) is not None:
        raise duplicate("Attachment Folder", name)
    parent = (call.findtext("supdocparentfoldername") or "").strip()
    if parent and company.books.shelf.get(FOLDERS, parent) is None:
        raise fault(f"The folder '{parent[:60]}' does not exist.")
    key = str(company.books.shelf.next("ia-folders"))
    description = (call.findtext("supdocfolderdescription") or "").strip()
    company.books.shelf.put(FOLDERS, name, {"key": key, "description": description, "parent": parent})
    return key


def create(company: Company, call: Element) -> str:
    """The document's key. Raises Fault."""
    identity = (call.findtext("supdocid") or "").strip()
    folder = (call.findtext("supdocfoldername") or "").strip()
    if not identity:
        raise fault("Missing required field: supdocid.")
    if len(identity) > 20:
        raise fault("supdocid has at most 20 characters.")
    if company.books.shelf.get(SUPDOCS, identity) is not None:
        raise duplicate("Attachment", identity)
    if not folder or company.books.shelf.get(FOLDERS, folder) is None:
        raise fault(f"The folder '{folder[:60]}' does not exist.", "Create the folder first.")
    key = str(company.books.shelf.next("ia-supdocs"))
    kept = {
        "key": key,
        "name": (call.findtext("supdocname") or "").strip() or identity,
        "folder": folder,
        "description": (call.findtext("supdocdescription") or "").strip(),
        "files": _files(company, identity, call, ()),
    }
    company.books.shelf.put(SUPDOCS, identity, kept)
    return key


def update(company: Company, call: Element) -> str:
    """Add files, and change what a document says of itself. Raises Fault."""
    identity = (call.findtext("supdocid") or "").strip()
    kept = company.books.shelf.get(SUPDOCS, identity)
    if kept is None:
        raise fault(f"The attachment '{identity[:60]}' does not exist.")
    kept = {**kept, "files": _files(company, identity, call, kept["files"])}
    for tag, name in (("supdocname", "name"), ("supdocdescription", "description")):
        if call.find(tag) is not None:
            kept[name] = (call.findtext(tag) or "").strip()
    company.books.shelf.put(SUPDOCS, identity, kept)
    return str(kept["key"])


def _files(
    company: Company, identity: str, call: Element, before: Iterable[dict[str, Any]]
) -> list[dict[str, Any]]:
    largest = company.switches.number("attachment_kb") * 1024
    read: list[tuple[dict[str, Any], bytes]] = []
    for item in call.iterfind("attachments/attachment"):
        name = (item.findtext("attachmentname") or "").strip()
        kind = (item.findtext("attachmenttype") or "").strip()
        if not name or not kind:
            raise fault("An attachment has a name and a type.")
        try:
            content = base64.b64decode("".join((item.findtext("attachmentdata") or "").split()), validate=True)
        except (binascii.Error, ValueError):
            raise fault(f"The data of attachment '{name[:60]}' is not base64.") from None
        if len(content) > largest:
            raise fault(f"The attachment '{name[:60]}' is larger than {largest // 1024} KB.")
        read.append(({"name": name, "type": kind}, content))
    files = list(before)
    for shown, content in read:
        own = f"{identity}/{len(files) + 1}"
        company.books.shelf.put_file(FILES, own, content)
        files.append({**shown, "file": own})
    return files


def delete(company: Company, key: str, bucket: str) -> None:
    """By its own name or its key. Raises Fault."""
    shelf = company.books.shelf
    found = next((own for own, kept in shelf.all(bucket).items() if key in (own, kept["key"])), None)
    if found is None:
        raise fault(f"There is no attachment or folder '{key[:60]}'.")
    if bucket == FOLDERS and any(kept["folder"] == found for kept in shelf.all(SUPDOCS).values()):
        raise fault(f"The folder '{found[:60]}' is not empty.")
    shelf.drop(bucket, found)


def listed(company: Company, identity: str | None = None) -> list[Element]:
    """Documents as get and get_list show them; `identity`: one, by its name or key."""
    rows = []
    for own, kept in company.books.shelf.all(SUPDOCS).items():
        if identity is not None and identity not in (own, kept["key"]):
            continue
        files = [
            element(
                "attachment",
                element("attachmentname", file["name"]),
                element("attachmenttype", file["type"]),
                element(
                    "attachmentdata",
                    base64.b64encode(company.books.shelf.file(FILES, file["file"]) or b"").decode(),
                ),
            )
            for file in kept["files"]
        ]
        rows.append(
            element(
                "supdoc",
                element("recordno", kept["key"]),
                element("supdocid", own),
                element("supdocname", kept["name"]),
                element("folder", kept["folder"]),
                element("description", kept["description"]),
                element("attachments", *files),
            )
        )
    return rows


def folders(company: Company, name: str | None = None) -> list[Element]:
    return [
        element(
            "supdocfolder",
            element("name", own),
            element("description", kept["description"]),
            element("parentfolder", kept["parent"]),
        )
        for own, kept in company.books.shelf.all(FOLDERS).items()
        if name is None or name in (own, kept["key"])
    ]
