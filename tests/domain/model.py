"""The auditor: the rules of stock once more, as sums in one dictionary, written apart from domain.

Buckets, pools and the places outside are rows of the dictionary, so its sum is always 0. It reads
the lines of a story (tests/domain/story.py) and answers in the same words; time is in minutes.
"""

from collections import Counter
from typing import Any

LIMIT = 1_000_000_000
OUTSIDE = ("supplier", "customer", "variance")
SHELVES = ("available", "quarantined", "damaged")
OPEN = ("held", "confirmed")


class Model:
    def __init__(self, floor: int = 0) -> None:
        self.floor, self.now = floor, 0
        self.units: Counter[str] = Counter()
        self.holds: dict[str, dict[str, Any]] = {}

    def ask(self, line: str) -> str:
        answer = self.answer(line.split())
        return f"{answer} {self.balance()}" if answer in ("ok", "same") else answer

    def balance(self) -> str:
        rows = [f"{self.units['available']}/{self.units['reserved']}"]
        for row, name in ("quarantined", "q"), ("damaged", "d"), ("web", "web="):
            rows += [f"{name}{self.units[row]}"] * (self.units[row] > 0)
        return " ".join(rows)

    def answer(self, words: list[str]) -> str:
        match words:
            case ["tick", minutes]:
                self.now += int(minutes[:-1])
                return ""
            case ["read"]:
                return "same"
            case ["receive", units]:
                return self.shift("supplier", "available", int(units))
            case ["allot", pool, units]:
                return self.shift("available", pool, int(units))
            case ["unallot", pool, units]:
                return self.shift(pool, "available", int(units))
            case ["return", target, units]:
                return self.shift("customer", target, int(units), is_a_path=target in SHELVES)
            case ["move", source, target, units]:
                is_a_path = source in SHELVES and target in SHELVES and source != target
                return self.shift(source, target, int(units), is_a_path=is_a_path)
            case ["adjust", bucket, delta, *condition]:
                return self.adjust(bucket, int(delta), condition)
            case ["reserve", name, units, *options]:
                return self.reserve(name, int(units), options)
            case [verb, name, *units]:
                return self.finish(verb, name, units)
        raise ValueError(words)

    def shift(
        self, source: str, target: str, units: int, field: str = "quantity", is_a_path: bool = True
    ) -> str:
        left = self.units[source] - (self.floor if source == "available" else 0)
        on_hand = -sum(self.units[place] for place in OUTSIDE)
        if not 1 <= units <= LIMIT:
            return f"invalid {field}"
        if not is_a_path:
            return "invalid to"
        if source in OUTSIDE and on_hand + units > LIMIT:
            return f"too_full {field}"
        if source not in OUTSIDE and units > left:
            return f"short {max(left, 0)}"
        self.units.update({source: -units})
        self.units.update({target: units})
        return "ok"

    def adjust(self, bucket: str, delta: int, condition: list[str]) -> str:
        if bucket not in SHELVES:
            return "invalid bucket"
        if not 1 <= abs(delta) <= LIMIT:
            return "invalid delta"
        if condition and int(condition[1]) != self.units[bucket]:
            return f"stale {self.units[bucket]}"
        if delta > 0:
            return self.shift("variance", bucket, delta, "delta")
        return self.shift(bucket, "variance", -delta)

    def reserve(self, name: str, units: int, options: list[str]) -> str:
        chosen = dict(zip(options[::2], options[1::2], strict=True))
        asked = (units, chosen.get("from", "available"))
        if name in self.holds and 1 <= units <= LIMIT:
            return "same" if self.holds[name]["asked"] == asked else "conflict"
        answer = self.shift(asked[1], "reserved", units)
        if answer == "ok":
            until = self.now + int(chosen.get("for", "15m")[:-1])
            self.holds[name] = {"asked": asked, "left": units, "state": "held", "until": until}
        return answer

    def finish(self, verb: str, name: str, units: list[str]) -> str:
        hold = self.holds.get(name, {"state": "not_found", "until": 0, "left": 0})
        state = hold["state"]
        is_late = state == "held" and hold["until"] <= self.now
        if verb == "deduct" and units != ["all"] and not 1 <= int(units[0]) <= LIMIT:
            return "invalid quantity"
        if verb == "expire":
            return self.give_back(name, "expired") if is_late else "same"
        if verb == "withdraw":
            return self.give_back(name, "") if state in OPEN else "same"
        if (verb, state) in (("release", "released"), ("confirm", "confirmed")):
            return "same"
        if state not in OPEN or is_late:
            return "expired" if is_late else str(state)
        if verb == "release":
            return self.give_back(name, "released")
        if verb == "confirm":
            hold["state"] = "confirmed"
            return "ok"
        handed = hold["left"] if units == ["all"] else int(units[0])
        if handed > hold["left"]:
            return "exceeds_reservation"
        hold["left"] -= handed
        hold["state"] = state if hold["left"] else "deducted"
        return self.shift("reserved", "customer", handed)

    def give_back(self, name: str, state: str) -> str:
        hold = self.holds.pop(name)
        if state:
            self.holds[name] = hold | {"state": state}
        return self.shift("reserved", hold["asked"][1], hold["left"])
