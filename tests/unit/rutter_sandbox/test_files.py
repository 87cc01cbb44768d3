"""Attachments and printed invoices: uploaded as a form, listed at once, fetched by link."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.unit.rutter_sandbox.client import NOWHERE, PDF, Caller, exact


@pytest.fixture(name="invoice")
def _invoice(caller: Caller) -> str:
    return str(caller.invoice(caller.customer(), "10", document_number="CUSTINVC-1")["id"])


def upload(caller: Caller, invoice: str, *, name: str = "receipt.pdf", content: bytes = PDF, **more: Any) -> Any:
    data = {"file_name": name, **more.pop("data", {})}
    files = {"file": (more.pop("sent_as", name), content, more.pop("kind", "application/pdf"))}
    return caller.ask("POST", f"invoices/{invoice}/attachments", data=data, files=files, **more)


def test_an_attachment_is_uploaded_listed_and_fetched(caller: Caller, invoice: str):
    response = upload(caller, invoice)
    assert response.status_code == 200, response.text
    assert response.headers["X-Rutter-Job-ID"]
    made = exact(response)["attachment"]
    assert (made["file_name"], made["attached_to_id"], made["attached_to_type"]) == (
        "receipt.pdf",
        invoice,
        "INVOICE",
    )
    fetched = httpx.get(made["file_url"])
    assert (fetched.content, fetched.headers["content-type"]) == (PDF, "application/pdf")
    assert caller.get(f"invoices/{invoice}/attachments")["attachments"] == [made]
    assert caller.get("invoices/attachments", attached_to_id=invoice)["attachments"] == [made]
    assert caller.get(f"invoices/attachments/{made['id']}")["attachment"] == made
    file = caller.http.get(f"/accounting/invoices/{invoice}/attachments/{made['id']}/file")
    assert (file.content, file.headers["content-type"]) == (PDF, "application/pdf")
    job = caller.get(f"/jobs/{response.headers['X-Rutter-Job-ID']}")
    assert "body" not in job["request"]
    assert job["response"]["body"]["attachment"] == made


def test_pages_of_attachments(caller: Caller, invoice: str):
    for name in ("a.pdf", "b.pdf", "c.pdf"):
        assert upload(caller, invoice, name=name).status_code == 200
    page = caller.get(f"invoices/{invoice}/attachments", limit="2")
    rest = caller.get(f"invoices/{invoice}/attachments", limit="2", cursor=page["next_cursor"])
    names = [one["file_name"] for one in [*page["attachments"], *rest["attachments"]]]
    assert (names, rest["next_cursor"]) == (["a.pdf", "b.pdf", "c.pdf"], None)


@pytest.mark.parametrize(
    ("kind", "name", "taken"),
    [
        ("image/png", "scan", True),
        ("application/octet-stream", "scan.JPG", True),
        ("application/octet-stream", "scan.docx", False),
        ("text/plain", "note.txt", False),
        ("text/html", "page.pdf", False),
    ],
)
def test_pdf_and_images_only(caller: Caller, invoice: str, kind: str, name: str, taken: bool):
    assert upload(caller, invoice, name=name, kind=kind).status_code == (200 if taken else 400)
    assert len(caller.get(f"invoices/{invoice}/attachments")["attachments"]) == taken


def test_uploads_that_are_not_accepted(caller: Caller, invoice: str):
    path = f"invoices/{invoice}/attachments"
    assert "multipart" in caller.refused(400, "POST", path, {"file": "multipart/form-data", "file_name": "x"})
    files = {"file": ("a.pdf", PDF, "application/pdf")}
    assert "file_name: Required" in caller.refused(400, "POST", path, files=files)
    assert "file: Required" in caller.refused(400, "POST", path, files={"file_name": (None, "a.pdf")})
    fields = {"file": (None, "content"), "file_name": (None, "a.pdf")}
    assert "not a file" in caller.refused(400, "POST", path, files=fields)
    assert "Unrecognized" in caller.refused(400, "POST", path, files=files, data={"file_name": "a", "note": "b"})
    assert "response_mode" in caller.refused(
        400, "POST", path, files=files, data={"file_name": "a", "response_mode": "x"}
    )
    assert upload(caller, invoice, content=b"").status_code == 400
    assert upload(caller, NOWHERE).status_code == 410
    caller.running.switches.set({"attachment_kb": "1"})
    assert upload(caller, invoice, content=PDF + b" " * 1024).status_code == 400
    assert caller.get(path)["attachments"] == []
    assert caller.ask("GET", f"invoices/{NOWHERE}/attachments").status_code == 410
    assert caller.ask("GET", f"invoices/attachments/{NOWHERE}").status_code == 410
    assert caller.ask("GET", f"invoices/{invoice}/attachments/{NOWHERE}/file").status_code == 410
    assert httpx.get(f"{caller.running.url}/files/{NOWHERE}-a.pdf").status_code == 404


def test_the_same_upload_with_the_same_key_is_one(caller: Caller, invoice: str):
    first, second = upload(caller, invoice, key="k"), upload(caller, invoice, key="k")
    assert first.request.headers["content-type"] != second.request.headers["content-type"]
    assert (first.status_code, first.content) == (200, second.content)
    assert upload(caller, invoice, key="k", content=PDF + b" ").status_code == 409
    assert len(caller.get(f"invoices/{invoice}/attachments")["attachments"]) == 1


def test_an_upload_may_be_done_later(caller: Caller, invoice: str):
    response = upload(caller, invoice, data={"response_mode": "async"})
    job = caller.get(f"/jobs/{exact(response)['async_response']['id']}")
    assert job["response"]["body"]["attachment"]["file_name"] == "receipt.pdf"


def test_an_invoice_is_printed(caller: Caller, invoice: str):
    link = caller.get(f"invoices/{invoice}/pdf")["invoice"]["pdf_link"]
    printed = httpx.get(link)
    assert printed.content.startswith(b"%PDF")
    assert b"CUSTINVC-1" in printed.content
    assert caller.ask("GET", f"invoices/{NOWHERE}/pdf").status_code == 410
