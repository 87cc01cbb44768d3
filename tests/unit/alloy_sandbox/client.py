"""A caller of the sandbox, written for its tests alone."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx

from reconciler.kernel.clock import ManualClock
from reconciler.sandboxes.serving import Running

SAMPLES = Path(__file__).parents[4] / "shared" / "specs" / "alloy" / "samples"
ABSENT = "the vendor's sample payloads are not beside this checkout"
HOURS = 3600


def sample(name: str) -> Any:
    """The body of one of the vendor's samples."""
    return json.loads((SAMPLES / name).read_text(encoding="utf-8"), parse_float=Decimal)["body"]


class Caller:
    """Requests to one running sandbox on a clock the test moves."""

    def __init__(self, running: Running, clock: ManualClock) -> None:
        self.running = running
        self.clock = clock
        own = running.connection
        self.credential = own["credential_id"]
        self.http = httpx.Client(base_url=running.url, headers={"Authorization": f"Bearer {own['api_key']}"})

    def __enter__(self) -> Caller:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def ask(self, method: str, path: str, body: Any = None, **query: Any) -> httpx.Response:
        more: dict[str, Any] = {}
        if body is not None:
            more["content"] = json.dumps(body, default=_number).encode()
            more["headers"] = {"Content-Type": "application/json"}
        query = {"credentialId": self.credential, **query}
        return self.http.request(method, f"/2024-03/one/{path}", params=query, **more)

    def take(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        """What a request that must succeed answers, with exact numbers."""
        response = self.ask(method, path, body, **query)
        assert response.status_code == 200, response.text
        return json.loads(response.content, parse_float=Decimal)

    def get(self, path: str, **query: Any) -> Any:
        return self.take("GET", f"accounting/{path}", **query)

    def make(self, path: str, body: Any) -> Any:
        """The record made."""
        [record] = self.take("POST", f"accounting/{path}", body).values()
        return record

    def change(self, path: str, body: Any) -> Any:
        [record] = self.take("PUT", f"accounting/{path}", body).values()
        return record

    def refused(self, method: str, path: str, body: Any = None, status: int = 422, **query: Any) -> str:
        """The message of a request that must be refused."""
        response = self.ask(method, f"accounting/{path}", body, **query)
        assert response.status_code == status, response.text
        assert list(response.json()) == ["message"]
        return str(response.json()["message"])

    def forward(self, method: str, endpoint: str, body: Any = None, query: Any = None) -> httpx.Response:
        """A request to the ERP behind, as the documents write it: texts of JSON."""
        asked = {
            "method": method,
            "endpoint": endpoint,
            "body": None if body is None else json.dumps(body),
            "query": None if query is None else json.dumps(query),
            "extraHeaders": None,
        }
        return self.ask("POST", "forward", asked)

    def native(self, method: str, endpoint: str, body: Any = None, query: Any = None) -> Any:
        response = self.forward(method, endpoint, body, query)
        assert response.status_code in (200, 201, 204), response.text
        return json.loads(response.content, parse_float=Decimal) if response.content else None

    # ---- what most tests need ----

    def customer(self, name: str = "Hooli") -> str:
        return str(self.make("customers", {"customerName": name})["id"])

    def invoice(self, customer: str, amount: object = "100.00", **more: Any) -> Any:
        lines = [{"description": "Services", "totalAmount": amount}]
        return self.make("invoices", {"customerId": customer, "lineItems": lines, **more})

    def balance(self, invoice: str) -> Decimal:
        return Decimal(self.get(f"invoices/{invoice}")["invoice"]["balance"])


def _number(value: object) -> float:
    assert isinstance(value, Decimal)
    return float(value)
