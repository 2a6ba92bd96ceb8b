"""Facts of the inventory."""

from dataclasses import dataclass

from app.inventory.models import Product


@dataclass(frozen=True, slots=True)
class ProductCreated:
    """A product was added; what must stand beside every product hangs on this."""

    product: Product


@dataclass(frozen=True, slots=True)
class ProductLeaves:
    """A product is removed in this transaction; what stands beside it goes first."""

    product: Product
