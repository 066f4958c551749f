"""The tables, as Tortoise models. How they are indexed, and why, is told in docs/architecture.md.

Tortoise has no composite keys: entry, hold and outcome get theirs in the first migration, and are
read by filter, never by pk. Codes of movements and states are those of the domain.
"""

from tortoise import fields
from tortoise.migrations.constraints import CheckConstraint
from tortoise.models import Model

CODE_LENGTH = 64
"""Characters of a SKU's or warehouse's code."""
NAME_LENGTH = 200
TEXT_LENGTH = 200
"""Characters of a customer, channel, reference, lot, pool or caller."""
NOTE_LENGTH = 1_000


class Sku(Model):
    """`changed_at` is set by a trigger: whoever changes a row, processes that remember it learn."""

    id = fields.IntField(primary_key=True)
    code = fields.CharField(CODE_LENGTH, unique=True)
    name = fields.CharField(NAME_LENGTH)
    category = fields.CharField(NAME_LENGTH, null=True)
    barcode = fields.CharField(CODE_LENGTH, null=True, db_index=True)
    last_price_cents = fields.BigIntField(null=True)
    is_active = fields.BooleanField(default=True)
    changed_at = fields.DatetimeField(null=True)

    class Meta:
        table = "sku"


class Warehouse(Model):
    id = fields.IntField(primary_key=True)
    code = fields.CharField(CODE_LENGTH, unique=True)
    name = fields.CharField(NAME_LENGTH)
    region = fields.CharField(CODE_LENGTH)
    priority = fields.IntField(default=100)
    is_active = fields.BooleanField(default=True)
    changed_at = fields.DatetimeField(null=True)

    class Meta:
        table = "warehouse"


class Cell(Model):
    """The stored fold of a cell's entries. `version` is the fence: it grows with every append."""

    id = fields.IntField(primary_key=True)
    sku: fields.ForeignKeyRelation[Sku] = fields.ForeignKeyField(
        "onhand.Sku", on_delete=fields.RESTRICT, db_index=False
    )
    warehouse: fields.ForeignKeyRelation[Warehouse] = fields.ForeignKeyField(
        "onhand.Warehouse", on_delete=fields.RESTRICT, db_index=True
    )
    version = fields.BigIntField(default=0)
    seq = fields.IntField(default=0)
    floor = fields.IntField(default=0)
    available = fields.IntField(default=0)
    reserved = fields.IntField(default=0)
    quarantined = fields.IntField(default=0)
    damaged = fields.IntField(default=0)
    pools = fields.JSONField[dict[str, int]](null=True)
    as_of = fields.DatetimeField()

    class Meta:
        table = "cell"
        unique_together = (("sku", "warehouse"),)
        constraints = (
            CheckConstraint(
                check="available >= floor AND floor <= 0 AND reserved >= 0"
                " AND quarantined >= 0 AND damaged >= 0",
                name="cell_above_floor",
            ),
        )


class Entry(Model):
    """The ledger. Key: (cell_id, seq)."""

    cell_id = fields.IntField(primary_key=True, generated=False)
    seq = fields.IntField()
    movement = fields.SmallIntField()
    quantity = fields.IntField()
    pool = fields.CharField(TEXT_LENGTH, null=True)
    request_id = fields.UUIDField()
    caller = fields.CharField(TEXT_LENGTH)
    reference = fields.CharField(TEXT_LENGTH, null=True)
    reason = fields.CharField(NOTE_LENGTH, null=True)
    lot = fields.CharField(TEXT_LENGTH, null=True)
    at = fields.DatetimeField()

    class Meta:
        table = "entry"
        constraints = (
            CheckConstraint(check="quantity > 0 AND seq > 0", name="entry_quantity_positive"),
        )


class Hold(Model):
    """A reservation's part in one cell. Key: (reservation_id, cell_id)."""

    reservation_id = fields.UUIDField(primary_key=True)
    cell_id = fields.IntField()
    quantity = fields.IntField()
    deducted = fields.IntField()
    state = fields.SmallIntField()
    deadline = fields.DatetimeField(null=True)
    pool = fields.CharField(TEXT_LENGTH, null=True)
    seq = fields.IntField()
    available_after = fields.IntField()
    customer = fields.CharField(TEXT_LENGTH, null=True)
    channel = fields.CharField(TEXT_LENGTH, null=True)
    caller = fields.CharField(TEXT_LENGTH)
    created_at = fields.DatetimeField()
    closed_at = fields.DatetimeField(null=True)

    class Meta:
        table = "hold"
        constraints = (
            CheckConstraint(
                check="quantity > 0 AND deducted >= 0 AND deducted <= quantity",
                name="hold_deducted_within",
            ),
        )


class Outcome(Model):
    """The first answer to a request, per cell. Key: (request_id, slot); slot 0 is its home. Without
    bytes the answer is the hold that was made, with this deadline."""

    request_id = fields.UUIDField(primary_key=True)
    slot = fields.IntField()
    cell_id = fields.IntField()
    fingerprint = fields.BigIntField()
    answer = fields.BinaryField(null=True)
    deadline = fields.DatetimeField(null=True)
    at = fields.DatetimeField()

    class Meta:
        table = "outcome"


class Outbox(Model):
    """Levels that were committed and not yet told to anybody; one row per append."""

    id = fields.BigIntField(primary_key=True)
    levels = fields.BinaryField()
    made_at = fields.DatetimeField(auto_now_add=True)

    class Meta:
        table = "outbox"


class FlashSale(Model):
    """`revision` counts what people changed. `work` is a change under way: its content, and what
    it has to give back if it was refused. `is_settled`: nothing can come back any more."""

    id = fields.UUIDField(primary_key=True)
    name = fields.CharField(NAME_LENGTH)
    opens_at = fields.DatetimeField()
    closes_at = fields.DatetimeField()
    limit_per_customer = fields.IntField(null=True)
    ttl_seconds = fields.IntField()
    waiting_room = fields.BooleanField()
    admitted_per_second = fields.IntField()
    state = fields.CharField(16)
    revision = fields.IntField()
    fingerprint = fields.BigIntField()
    work = fields.BinaryField(null=True)
    seat = fields.CharField(CODE_LENGTH, null=True)
    created_by = fields.CharField(TEXT_LENGTH)
    created_at = fields.DatetimeField()
    touched_at = fields.DatetimeField()
    opened_at = fields.DatetimeField(null=True)
    closed_at = fields.DatetimeField(null=True)
    finished_at = fields.DatetimeField(null=True)
    is_settled = fields.BooleanField(default=False)

    class Meta:
        table = "flash_sale"


class FlashSaleCell(Model):
    """Units set aside for a sale in one cell, as it was agreed last. Key: (sale, cell)."""

    id = fields.BigIntField(primary_key=True)
    sale: fields.ForeignKeyRelation[FlashSale] = fields.ForeignKeyField(
        "onhand.FlashSale", related_name="cells", on_delete=fields.CASCADE, db_index=False
    )
    sku = fields.CharField(CODE_LENGTH)
    warehouse = fields.CharField(CODE_LENGTH)
    units = fields.IntField()

    class Meta:
        table = "flash_sale_cell"
        unique_together = (("sale", "sku", "warehouse"),)


class FlashSaleRefusal(Model):
    """How often a sale refused for one reason. Key: (sale_id, code)."""

    sale_id = fields.UUIDField(primary_key=True)
    code = fields.CharField(CODE_LENGTH)
    times = fields.BigIntField()

    class Meta:
        table = "flash_sale_refusal"


class FlashSaleQueue(Model):
    """The waiting room of a sale: how far places were given and let in. `epoch` counts how often
    Redis began the queue; the rate of letting in is used up until `paced_at`."""

    sale_id = fields.UUIDField(primary_key=True)
    epoch = fields.IntField()
    admitted_upto = fields.IntField()
    highest_place = fields.IntField()
    is_sold_out = fields.BooleanField()
    paced_at = fields.DatetimeField(null=True)

    class Meta:
        table = "flash_sale_queue"
        constraints = (
            CheckConstraint(
                check="admitted_upto >= 0 AND admitted_upto <= highest_place",
                name="flash_sale_queue_in_order",
            ),
        )


class FlashSaleAdmission(Model):
    """Who was let in and when; no customer: Redis did not know. Key: (sale_id, place)."""

    sale_id = fields.UUIDField(primary_key=True)
    place = fields.IntField()
    customer = fields.CharField(TEXT_LENGTH, null=True)
    at = fields.DatetimeField()

    class Meta:
        table = "flash_sale_admission"
