"""A caller of the sandbox, written for its tests alone: it checks every response against the vendor's schema."""

from __future__ import annotations

import base64
import json
from decimal import Decimal
from typing import Any

import httpx

from reconciler.kernel.clock import ManualClock
from reconciler.sandboxes.serving import Running
from tests.unit.codat_sandbox import vendor_schemas


class Caller:
    """Requests to one running sandbox. `checks`: off where a test provokes what no schema describes."""

    def __init__(self, running: Running, clock: ManualClock) -> None:
        self.running = running
        self.clock = clock
        own = running.connection
        self.company = f"/companies/{own['company_id']}"
        self.connection = f"{self.company}/connections/{own['connection_id']}"
        token = base64.b64encode(own["api_key"].encode()).decode()
        self.http = httpx.Client(base_url=running.url, headers={"Authorization": f"Basic {token}"})

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        response = self.http.request(
            method, path.replace("C/", f"{self.company}/").replace("K/", f"{self.connection}/"), **more
        )
        if vendor_schemas.available() and response.content and "json" in response.headers["content-type"]:
            problems = vendor_schemas.problems_of(response)
            assert not problems, f"{problems[:5]}\n{response.text[:1500]}"
        return response

    def get(self, path: str, **params: Any) -> Any:
        response = self.ask("GET", path, params=params or None)
        assert response.status_code == 200, response.text
        return json.loads(response.content, parse_float=Decimal)

    def take(self, method: str, path: str, body: Any = None, **more: Any) -> Any:
        """A push's envelope as it is taken."""
        if body is not None:
            text = json.dumps(body, default=_number)
            more |= {"content": text.encode()}
            more["headers"] = {"Content-Type": "application/json", **more.get("headers", {})}
        response = self.ask(method, path, **more)
        assert response.status_code == 200, response.text
        if body is not None and vendor_schemas.available():
            assert vendor_schemas.request_problems(response.request) == []
        return response.json()

    def push(self, method: str, path: str, body: Any = None, **more: Any) -> Any:
        """A push polled to its end."""
        taken = self.take(method, path, body, **more)
        assert (taken["status"], taken["statusCode"]) == ("Pending", 202)
        self.clock.advance(1)
        return self.get(f"C/push/{taken['pushOperationKey']}")

    def pushed(self, segment: str, body: Any) -> str:
        """The id of what a successful push made."""
        ended = self.push("POST", f"K/push/{segment}", body)
        assert ended["status"] == "Success", ended
        assert ended["changes"][0]["type"] == "Created"
        return str(ended["changes"][0]["recordRef"]["id"])

    def refresh(self, *data_types: str) -> None:
        for data_type in data_types:
            assert self.ask("POST", f"C/data/queue/{data_type}").status_code == 200
        self.clock.advance(1)

    def results(self, path: str, **params: Any) -> list[Any]:
        return list(self.get(path, page=1, **params)["results"])

    # ---- what most tests begin with ----

    def account(self, code: str) -> str:
        self.refresh("chartOfAccounts")
        [found] = self.results("C/data/accounts", query=f"nominalCode={code}")
        return str(found["id"])

    def customer(self, name: str = "Acme") -> str:
        return self.pushed("customers", {"customerName": name, "status": "Active"})

    def invoice(self, customer: str, amount: str = "100.00", **more: Any) -> str:
        return self.pushed("invoices", invoice_body(customer, amount, self.account("4000"), **more))


def _number(value: Any) -> Any:
    """Decimals of a test's body; exact for the amounts that tests use."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    raise TypeError(value)


def invoice_body(customer: str, amount: str, account: str, **more: Any) -> dict[str, Any]:
    value = Decimal(amount)
    return {
        "customerRef": {"id": customer},
        "issueDate": "2026-11-01T00:00:00",
        "dueDate": "2026-12-01T00:00:00",
        "lineItems": [
            {"description": "Services", "unitAmount": value, "quantity": 1, "accountRef": {"id": account}}
        ],
        "subTotal": value,
        "totalTaxAmount": 0,
        "totalAmount": value,
        "amountDue": value,
        "status": "Submitted",
        **more,
    }


def credit_note_body(customer: str, amount: str, account: str, **more: Any) -> dict[str, Any]:
    value = Decimal(amount)
    return {
        "customerRef": {"id": customer},
        "issueDate": "2026-11-02T00:00:00",
        "lineItems": [{"description": "Credit", "unitAmount": value, "quantity": 1, "accountRef": {"id": account}}],
        "subTotal": value,
        "totalDiscount": 0,
        "discountPercentage": 0,
        "totalTaxAmount": 0,
        "totalAmount": value,
        "remainingCredit": value,
        "status": "Submitted",
        **more,
    }


def payment_body(customer: str, account: str | None, total: str, lines: list[Any], **more: Any) -> dict[str, Any]:
    return {
        "customerRef": {"id": customer},
        **({"accountRef": {"id": account}} if account else {}),
        "totalAmount": Decimal(total),
        "date": "2026-11-15T00:00:00",
        "lines": lines,
        **more,
    }


def line(amount: str, *links: tuple[str, str, str]) -> dict[str, Any]:
    return {
        "amount": Decimal(amount),
        "links": [{"type": kind, "id": own, "amount": Decimal(value)} for kind, own, value in links],
    }
