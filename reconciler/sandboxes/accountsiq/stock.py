"""Stock items: what item invoices' lines name. Only what a seller of services needs of them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from reconciler.sandboxes.accountsiq import checking
from reconciler.sandboxes.accountsiq.decoding import Values
from reconciler.sandboxes.accountsiq.outcomes import Done, Failed, failed
from reconciler.sandboxes.accountsiq.view import Entry, View
from reconciler.sandboxes.ledger.commands import CreateRecord, UpdateRecord
from reconciler.sandboxes.ledger.refusal import Refusal


class Stock:
    """The operations on stock items. Called alone with the books."""

    def __init__(self, view: View) -> None:
        self.view = view

    def all(self, asked: Values) -> Done:
        return Done([self._shown(one) for one in self.view.entries("item")])

    def active(self, asked: Values) -> Done:
        return Done([self._shown(one) for one in self.view.entries("item") if one.record.phase != "archived"])

    def one(self, asked: Values) -> Done:
        found = self.view.coded("item", asked["stockItemID"] or "")
        if found is None:
            raise Failed("NOT_FOUND", f"There is no stock item '{(asked['stockItemID'] or '')[:60]}'.")
        return Done(self._shown(found))

    def new(self, asked: Values) -> Done:
        return Done({"StockItemID": asked["stockItemID"], "ItemTypeID": "SERVICE", "Active": True})

    def _shown(self, entry: Entry) -> dict[str, Any]:
        content = entry.content
        account, taxes = content.get("income_account"), content.get("taxes")
        return {
            "StockItemID": content.get("code"),
            "Description": content["name"],
            "SalesDescription": content["name"],
            "ItemTypeID": "SERVICE",
            "TaxCode": self.view.master("tax_rate", taxes[0]).content["code"] if taxes else None,
            "ItemPrice": content.get("unit_price") or Decimal(0),
            "DefaultSalesGLAccountCode": self.view.master("account", account).content["code"] if account else None,
            "Active": entry.record.phase != "archived",
            "RowVersionNumber": str(entry.record.revision),
        }

    def save(self, asked: Values) -> Done:
        """A new item (`create`), or another state of one that is there, if it is still as it was read."""
        given = asked["stockItem"]
        if given is None:
            raise Failed("INVALID_STATE_ENTITY_OR_TRANSACTION_IS_NULL")
        code = given["StockItemID"] or ""
        if not 0 < len(code) <= checking.LONGEST_CODE or code != code.upper().strip() or not code.isprintable():
            raise Failed("UNKNOWN", "StockItemID must have 1 to 50 characters, in upper case.")
        account, tax = given["DefaultSalesGLAccountCode"], given["TaxCode"]
        checking.figures("UNKNOWN", given["ItemPrice"])
        content: dict[str, Any] = {
            "name": given["Description"] or code,
            "code": code,
            "unit_price": given["ItemPrice"] or None,
            "income_account": checking.account(self.view, account).id if account else None,
            "taxes": [checking.tax(self.view, tax).id] if tax else None,
            "status": "active" if given["Active"] else "archived",
        }
        own = self.view.coded("item", code)
        if asked["create"] == (own is not None):
            raise Failed("ACCOUNT_CODE_ALREADY_IN_USE" if own else "NOT_FOUND", f"Stock item '{code}'.")
        if own is not None and given["RowVersionNumber"] != str(own.record.revision):
            raise Failed("OUTDATED_RECORD", "The record was changed by another user.", status="Conflicted")
        try:
            if own is None:
                kept = {key: value for key, value in content.items() if value is not None}
                self.view.books.ledger.one(CreateRecord("item", kept))
            else:
                before = {name: own.content.get(name) for name in content}
                self.view.books.ledger.one(UpdateRecord("item", own.id, before, content))
        except Refusal as refusal:
            raise failed(refusal, "UNKNOWN") from None
        return Done(status="Success" if own else "Created")
