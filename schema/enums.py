"""The closed lists of the API. Names are the contract's, values are the domain's."""

from enum import Enum

import strawberry


@strawberry.enum(description="How fresh an answer has to be.")
class Consistency(Enum):
    CACHED = strawberry.enum_value(
        "cached", description="From the read model: usually milliseconds behind the ledger."
    )
    STRONG = strawberry.enum_value(
        "strong", description="From the cell's owner: what the ledger says now."
    )


@strawberry.enum(description="The life of a reservation.")
class ReservationState(Enum):
    HELD = strawberry.enum_value("held", description="Units are held until the deadline passes.")
    CONFIRMED = strawberry.enum_value(
        "confirmed", description="Paid: the hold has no deadline any more."
    )
    DEDUCTED = strawberry.enum_value(
        "deducted", description="Handed over: nothing is held any more."
    )
    RELEASED = strawberry.enum_value("released", description="Given back before it was paid.")
    EXPIRED = strawberry.enum_value("expired", description="The deadline passed unpaid.")


@strawberry.enum(description="The life of a request for a second person.")
class ApprovalState(Enum):
    PENDING = strawberry.enum_value("pending", description="It waits for a decision.")
    GRANTED = strawberry.enum_value("granted", description="Granted, and being done.")
    DONE = strawberry.enum_value("done", description="Granted and done.")
    REJECTED = strawberry.enum_value("rejected", description="Rejected, or taken back.")
    EXPIRED = strawberry.enum_value("expired", description="Nobody decided in time.")
    STALE = strawberry.enum_value(
        "stale", description="Granted, and not done: it was not as it had been shown any more."
    )
    FAILED = strawberry.enum_value("failed", description="Granted, and refused when it was done.")


@strawberry.enum(description="Why a quantity is corrected.")
class AdjustReason(Enum):
    CORRECTION = strawberry.enum_value("correction", description="A booking was wrong.")
    FOUND = strawberry.enum_value("found", description="Units turned up.")
    LOST = strawberry.enum_value("lost", description="Units cannot be found.")
    DAMAGED = strawberry.enum_value("damaged", description="Units broke and are gone.")
    THEFT = strawberry.enum_value("theft", description="Units were stolen.")
    PROMOTION = strawberry.enum_value("promotion", description="Units were given away.")
    OTHER = strawberry.enum_value("other", description="Anything else: say it in the note.")


@strawberry.enum(description="Where units of a cell are.")
class Bucket(Enum):
    AVAILABLE = strawberry.enum_value("available", description="Free to be promised.")
    RESERVED = strawberry.enum_value("reserved", description="Held for customers.")
    QUARANTINED = strawberry.enum_value(
        "quarantined", description="Kept back until someone has looked at them."
    )
    DAMAGED = strawberry.enum_value("damaged", description="Not fit for sale.")


@strawberry.enum(description="The life of a flash sale.")
class FlashSaleState(Enum):
    PREPARING = strawberry.enum_value("preparing", description="Its units are being set aside.")
    SCHEDULED = strawberry.enum_value(
        "scheduled", description="Its units are set aside; it has not opened yet."
    )
    OPEN = strawberry.enum_value("open", description="It sells.")
    CLOSED = strawberry.enum_value(
        "closed", description="It sells no more; some reservations are not paid yet."
    )
    FINISHED = strawberry.enum_value(
        "finished", description="What was left of it is available again."
    )
    CANCELLED = strawberry.enum_value("cancelled", description="It was called off.")


@strawberry.enum(description="What somebody is in the shop; docs/access.md tells what each may do.")
class Role(Enum):
    OWNER = strawberry.enum_value("owner", description="May do everything.")
    ADMIN = strawberry.enum_value("admin", description="Runs the shop's accounts and settings.")
    OPERATIONS = strawberry.enum_value("operations", description="Runs the stock day by day.")
    WAREHOUSE = strawberry.enum_value("warehouse", description="Handles goods.")
    PURCHASING = strawberry.enum_value("purchasing", description="Buys goods.")
    FINANCE = strawberry.enum_value("finance", description="Looks at values and corrections.")
    ANALYST = strawberry.enum_value("analyst", description="Reads.")
    STOREFRONT = strawberry.enum_value("storefront", description="A shop that sells.")
    CONNECTOR = strawberry.enum_value("connector", description="A program of another system.")


@strawberry.enum(description="Why there is a seat, in which an owner hosts cells.")
class SeatReason(Enum):
    SHARED = strawberry.enum_value("shared", description="It hosts what has no seat of its own.")
    SALE = strawberry.enum_value("sale", description="A flash sale has an owner of its own.")
    HOT = strawberry.enum_value(
        "hot", description="A pair has one because it is asked for most, without a sale."
    )
    PLACED = strawberry.enum_value("placed", description="Somebody placed cells there.")
