"""Facts of the inventory."""

from dataclasses import dataclass

from app.inventory.models import AccessGrant, Product, Service


@dataclass(frozen=True, slots=True)
class ServiceCreated:
    """A service was added."""

    service: Service


@dataclass(frozen=True, slots=True)
class ServiceLeaves:
    """A service is removed in this transaction."""

    service: Service


@dataclass(frozen=True, slots=True)
class GrantStarted:
    """Somebody was given access to a product."""

    grant: AccessGrant


@dataclass(frozen=True, slots=True)
class GrantEnded:
    """Somebody's access to a product was taken away."""

    grant: AccessGrant


@dataclass(frozen=True, slots=True)
class ProductCreated:
    """A product was added; what must stand beside every product hangs on this."""

    product: Product


@dataclass(frozen=True, slots=True)
class ProductLeaves:
    """A product is removed in this transaction; what stands beside it goes first."""

    product: Product
