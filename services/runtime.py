"""Everything a use case may touch, built at the edge and passed in."""

from dataclasses import dataclass, field

from actors.client import StockClient
from infra.cache import Cache
from infra.clock import Clock
from infra.hub import Hub
from infra.mail import Notifier
from infra.passwords import Costs, Passwords
from infra.rates import Rates
from infra.settings import Settings
from infra.trail import Trail
from services.catalogue_cache import CatalogueCache
from services.flash_sale_rows import SaleCache
from services.rooms import Rooms
from services.whereabouts import Whereabouts


@dataclass(frozen=True, slots=True)
class Runtime:
    settings: Settings
    clock: Clock
    stock: StockClient
    cache: Cache
    hub: Hub
    catalogue: CatalogueCache
    whereabouts: Whereabouts
    sales: SaleCache = field(default_factory=SaleCache)
    rooms: Rooms = field(default_factory=Rooms)
    trail: Trail = field(default_factory=Trail)
    passwords: Passwords = field(default_factory=lambda: Passwords(Costs()))
    rates: Rates = field(default_factory=Rates)
    mail: Notifier | None = None
    """None: the shop sends none."""
