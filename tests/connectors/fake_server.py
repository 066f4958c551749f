"""A shop server small enough to read: GraphQL bytes in, GraphQL bytes out, stock in a dictionary.

It keeps the promises of the public API that clients rely on: all lines or none, one effect per id,
Conflict for an id with other content, and a refusal that leaves no trace.
"""

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

from connectors import public_api_documents as documents
from connectors.public_api import ConnectionLost, Sent

Cell = tuple[str, str]
Json = dict[str, Any]


def refused(code: str, **facts: object) -> Json:
    return {"code": code, "message": code.lower(), **facts}


class FakeServer:
    """`faults` are met by the next calls in turn: "before" and "after" lose the connection before
    or after the effect, a number is an HTTP status, a code is a GraphQL error; None is no fault."""

    def __init__(self) -> None:
        self.skus: dict[str, Json] = {}
        self.warehouses: dict[str, Json] = {}
        self.available: Counter[Cell] = Counter()
        self.quarantined: Counter[Cell] = Counter()
        self.delivered: Counter[Cell] = Counter()
        self.reservations: dict[str, Json] = {}
        self.outcomes: dict[str, tuple[Json, Json]] = {}
        self.faults: list[str | int | None] = []
        self.asked: list[tuple[str, Json]] = []
        self.answers: dict[str, Callable[[Json], object]] = {
            documents.UPSERT_SKUS.document: self.upsert_skus,
            documents.UPSERT_WAREHOUSES.document: self.upsert_warehouses,
            documents.RECEIVE.document: self.once(self.receive),
            documents.RESERVE.document: self.reserve,
            documents.CONFIRM.document: self.confirm,
            documents.DEDUCT.document: self.once(self.deduct),
            documents.RETURN.document: self.once(self.take_back),
            documents.MOVE.document: self.once(self.move),
            documents.AVAILABLE.document: self.levels,
            documents.HOLDING.document: self.holding,
            documents.HAS_CATALOGUE.document: self.page_of_skus,
        }

    async def send(self, body: bytes) -> Sent:
        asked = json.loads(body)
        fault = self.faults.pop(0) if self.faults else None
        if fault == "before":
            raise ConnectionLost("before")
        if isinstance(fault, int):
            return Sent(fault, b"no")
        if fault not in (None, "after"):
            extensions = {"code": fault, "retryable": fault in ("BUSY", "UNAVAILABLE")}
            errors = [{"message": "sorry", "extensions": extensions}]
            return Sent(200, json.dumps({"data": None, "errors": errors}).encode())
        self.asked.append((asked["query"].split("(")[0].split()[1], asked["variables"]))
        answer = self.answers[asked["query"]](asked["variables"])
        if fault == "after":
            raise ConnectionLost("after")
        return Sent(200, json.dumps({"data": {"answer": answer}}).encode())

    def ids(self, name: str) -> list[str]:
        """The ids of the calls of this name, in order."""
        return [v.get("id") or v["input"]["id"] for asked, v in self.asked if asked == name]

    def once(self, act: Callable[[Json], Json]) -> Callable[[Json], Json]:
        def answer(variables: Json) -> Json:
            command = variables["input"]
            known = self.outcomes.get(command["id"])
            if known is not None:
                return known[1] if known[0] == command else refused("CONFLICT")
            told = act(command)
            if "code" not in told:
                self.outcomes[command["id"]] = (command, told)
            return told

        return answer

    def upsert_skus(self, variables: Json) -> list[Json]:
        self.skus |= {row["code"]: row for row in variables["rows"]}
        return [{"refusal": None} for _ in variables["rows"]]

    def upsert_warehouses(self, variables: Json) -> list[Json]:
        self.warehouses |= {row["code"]: row for row in variables["rows"]}
        return [{"refusal": None} for _ in variables["rows"]]

    def receive(self, command: Json) -> Json:
        if command["sku"] not in self.skus:
            return refused("NOT_FOUND")
        self.available[command["sku"], command["warehouse"]] += command["quantity"]
        return {"__typename": "StockLevel"}

    def reserve(self, variables: Json) -> Json:
        command = variables["input"]
        known = self.reservations.get(command["id"])
        if known is not None:
            return {"state": "HELD"} if known["command"] == command else refused("CONFLICT")
        for line in command["lines"]:
            if self.available[line["sku"], line["warehouse"]] < line["quantity"]:
                return refused("INSUFFICIENT_STOCK", sku=line["sku"])
        for line in command["lines"]:
            self.available[line["sku"], line["warehouse"]] -= line["quantity"]
        self.reservations[command["id"]] = {"command": command, "state": "HELD"}
        return {"state": "HELD"}

    def expire(self) -> None:
        """All unpaid holds are given back."""
        for reservation in self.reservations.values():
            if reservation["state"] != "HELD":
                continue
            reservation["state"] = "EXPIRED"
            for line in reservation["command"]["lines"]:
                self.available[line["sku"], line["warehouse"]] += line["quantity"]

    def confirm(self, variables: Json) -> Json:
        reservation = self.reservations[variables["id"]]
        if reservation["state"] not in ("HELD", "CONFIRMED"):
            return refused("RESERVATION_CLOSED", state=reservation["state"])
        reservation["state"] = "CONFIRMED"
        return {"state": "CONFIRMED"}

    def deduct(self, command: Json) -> Json:
        reservation = self.reservations[command["reservationId"]]
        assert reservation["state"] == "CONFIRMED", "the client pays first"
        reservation["state"] = "DEDUCTED"
        for line in reservation["command"]["lines"]:
            self.delivered[line["sku"], line["warehouse"]] += line["quantity"]
        return {"state": "DEDUCTED"}

    def take_back(self, command: Json) -> Json:
        if command["sku"] not in self.skus:
            return refused("NOT_FOUND")
        self.quarantined[command["sku"], command["warehouse"]] += command["quantity"]
        return {"__typename": "StockLevel"}

    def move(self, command: Json) -> Json:
        cell = (command["sku"], command["warehouse"])
        assert self.quarantined[cell] >= command["quantity"], "the client takes back first"
        self.quarantined[cell] -= command["quantity"]
        self.available[cell] += command["quantity"]
        return {"__typename": "StockLevel"}

    def levels(self, variables: Json) -> Json:
        assert len(variables["skus"]) <= variables["first"] <= 100
        levels = [
            {"available": self.available[sku, variables["warehouse"]], "sku": {"code": sku}}
            for sku in variables["skus"]
            if (sku, variables["warehouse"]) in self.available
        ]
        return {"edges": [{"node": level} for level in levels]}

    def holding(self, variables: Json) -> Json | None:
        reservation = self.reservations.get(variables["id"])
        if reservation is None:
            return None
        return {"state": reservation["state"], "lines": reservation["command"]["lines"]}

    def page_of_skus(self, variables: Json) -> Json:
        return {"edges": [{"node": {"code": code}} for code in sorted(self.skus)[:1]]}

    def stock(self) -> tuple[Counter[Cell], Counter[Cell], Counter[Cell]]:
        return +self.available, +self.quarantined, +self.delivered
