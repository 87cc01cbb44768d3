"""A caller of the sandbox, written for its tests alone: it checks every answer against the vendor's schema."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import httpx

from reconciler.kernel.clock import ManualClock
from reconciler.sandboxes.serving import Running
from tests.unit.rutter_sandbox import vendor_schemas

NOWHERE = "00000000-0000-4000-8000-000000000000"
PDF = b"%PDF-1.4\n%%EOF\n"


class Caller:
    """Requests to one running sandbox."""

    def __init__(self, running: Running, clock: ManualClock | None = None) -> None:
        self.running = running
        self.clock = clock or ManualClock()
        own = running.connection
        self.http = httpx.Client(
            base_url=f"{running.url}/versioned",
            auth=(own["client_id"], own["client_secret"]),
            params={"access_token": own["access_token"]},
            headers={"X-Rutter-Version": "2024-08-31"},
        )

    def ask(
        self, method: str, path: str, body: Any = None, *, key: str | None = None, **more: Any
    ) -> httpx.Response:
        """A request whose answer is checked; `path` without a slash is under /accounting/."""
        if body is not None:
            more |= {"content": json.dumps(body, default=_number).encode()}
        if key is not None:
            more["headers"] = {"Idempotency-Key": key}
        response = self.http.request(method, path if path.startswith("/") else f"/accounting/{path}", **more)
        if vendor_schemas.available() and "json" in response.headers.get("content-type", ""):
            problems = vendor_schemas.problems_of(response)
            assert not problems, f"{problems[:5]}\n{response.text[:1500]}"
        return response

    def get(self, path: str, **params: Any) -> Any:
        response = self.ask("GET", path, params=params)
        assert response.status_code == 200, response.text
        return exact(response)

    def list(self, path: str, **params: Any) -> list[Any]:
        found: list[Any] = self.get(path, **params)[path]
        return found

    def send(self, method: str, path: str, body: Any = None, **more: Any) -> Any:
        """An accepted write of a body that the vendor's schema takes; the object that is answered."""
        response = self.ask(method, path, body, **more)
        assert response.status_code == 200, response.text
        assert response.headers["X-Rutter-Job-ID"]
        if body is not None and vendor_schemas.available():
            assert vendor_schemas.request_problems(response.request) == []
        answer = exact(response)
        assert "connection" not in answer
        return next(iter(answer.values()))

    def refused(self, status: int, method: str, path: str, body: Any = None, **more: Any) -> str:
        """A write or read that is refused; the words of it."""
        response = self.ask(method, path, body, **more)
        assert response.status_code == status, response.text
        accepted = status in (450, 452)
        assert ("X-Rutter-Job-ID" in response.headers) is accepted
        assert response.json()["error_metadata"]["source"] == ("platform" if accepted else "rutter")
        return str(response.json()["error_message"])

    def sync(self, *names: str) -> None:
        """Ask for a sync and let it end."""
        body = {"object_types": list(names)} if names else {}
        assert exact(self.ask("POST", "/connections/incremental_sync", body)) == {"success": True}
        self.clock.advance(1)

    # ---- things to work with ----

    def account(self, code: str) -> str:
        return next(str(one["id"]) for one in self.list("accounts") if one["nominal_code"] == code)

    def customer(self, name: str = "Acme Corporation", **more: Any) -> str:
        body = {"contact_name": name, **more}
        return str(self.send("POST", "customers", {"customer": body})["id"])

    def invoice(self, customer: str, amount: str, **more: Any) -> Any:
        return self.send("POST", "invoices", {"invoice": self.invoice_body(customer, amount, **more)})

    def invoice_body(self, customer: str, amount: str, **more: Any) -> dict[str, Any]:
        line = {"account_id": self.account("4000"), "description": "Services", "total_amount": Decimal(amount)}
        return {
            "customer_id": customer,
            "issue_date": "2026-11-01",
            "currency_code": "USD",
            "line_items": [line],
            **more,
        }

    def memo(self, customer: str, amount: str, **more: Any) -> Any:
        line = {"account_id": self.account("4000"), "description": "Credit", "total_amount": amount}
        body = {"customer_id": customer, "issue_date": "2026-11-02", "line_items": [line], **more}
        return self.send("POST", "invoice_credit_memos", {"invoice_credit_memo": body})

    def payment_body(self, customer: str, *links: tuple[str, str], **more: Any) -> dict[str, Any]:
        linked = [{"id": own, "amount": Decimal(amount)} for own, amount in links]
        body = {
            "account_id": self.account("1200"),
            "customer_id": customer,
            "txn_date": "2026-11-15",
            "linked_invoices": linked,
            **more,
        }
        return {"invoice_payment": body}

    def pay(self, customer: str, *links: tuple[str, str], **more: Any) -> Any:
        return self.send("POST", "invoice_payments", self.payment_body(customer, *links, **more))

    def apply(self, customer: str, memo: str, *links: tuple[str, str], currency: str = "USD") -> Any:
        return {
            "invoice_credit_application": {
                "customer_id": customer,
                "invoice_credit_memo_id": memo,
                "transaction_date": "2026-11-16",
                "currency_code": currency,
                "linked_invoices": [{"id": own, "allocated_amount": Decimal(amount)} for own, amount in links],
            }
        }


def exact(response: httpx.Response) -> Any:
    return json.loads(response.content, parse_float=Decimal)


def _number(value: object) -> int | float:
    """A test's Decimals as JSON numbers that json can write; those used here are exact in it."""
    assert isinstance(value, Decimal)
    return int(value) if value == int(value) else float(value)
