"""Services are what the company signed up for, products the parts of them that people are given access to."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Index, Text, func, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.directory.models import Person
from app.foundation import clock
from app.foundation.database import Model, Timestamps, not_blank, one_of


class ProductStatus(StrEnum):
    """Whether new access to a product is still given."""

    ACTIVE = "active"
    RETIRED = "retired"


class AccessLevel(StrEnum):
    """What access lets somebody do, from least to most."""

    VIEWER = "viewer"
    MEMBER = "member"
    ADMIN = "admin"


class GrantSource(StrEnum):
    """How an access came to be recorded."""

    TASK = "task"
    MANUAL = "manual"
    IMPORT = "import"


def web_address(column: str) -> CheckConstraint:
    """A named check that the column, if set, is an http or https address."""
    return CheckConstraint(
        f"{column} ~* '^https?://[^[:space:]]+$'",
        name=f"{column}_is_web_address",
        info={"field": column, "message": "Enter an address that starts with http:// or https://."},
    )


class Service(Timestamps, Model):
    """Something the company runs or rents from a vendor."""

    __tablename__ = "services"
    __table_args__ = (
        not_blank("name", "The name"),
        web_address("url"),
        Index(
            "uq_services_name",
            func.lower(text("name")),
            unique=True,
            info={"field": "name", "message": "There is a service of this name already."},
        ),
        Index("ix_services_lower_name", func.lower(text("name")), "id", postgresql_include=["name"]),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    vendor: Mapped[str | None] = mapped_column(Text)
    url: Mapped[str | None] = mapped_column(Text)
    description: Mapped[str | None] = mapped_column(Text)

    products: Mapped[list["Product"]] = relationship(back_populates="service", order_by="Product.name")
    assignments: Mapped[list["PermissionAssignment"]] = relationship(back_populates="service", viewonly=True)

    def __repr__(self) -> str:
        return self.name


class Product(Timestamps, Model):
    """A part of a service that access is given to."""

    __tablename__ = "products"
    __table_args__ = (
        not_blank("name", "The name"),
        web_address("url"),
        one_of("status", ProductStatus),
        Index(
            "uq_products_service_id_name",
            "service_id",
            func.lower(text("name")),
            unique=True,
            info={"field": "name", "message": "The service has a product of this name already."},
        ),
        Index("ix_products_lower_name", func.lower(text("name")), "id", postgresql_include=["name"]),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    service_id: Mapped[int] = mapped_column(ForeignKey("services.id"))
    name: Mapped[str] = mapped_column(Text)
    url: Mapped[str | None] = mapped_column(Text)
    description: Mapped[str | None] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text, default=ProductStatus.ACTIVE)

    service: Mapped[Service] = relationship(back_populates="products")
    assignments: Mapped[list["PermissionAssignment"]] = relationship(back_populates="product", viewonly=True)
    grants: Mapped[list["AccessGrant"]] = relationship(back_populates="product", viewonly=True)

    def __repr__(self) -> str:
        return self.name


class PermissionAssignment(Model):
    """Who administers what: a person and either a service (ServiceAdministrator) or a product (ProductAdministrator)."""

    __tablename__ = "permission_assignments"
    __table_args__ = (
        CheckConstraint(
            "num_nonnulls(service_id, product_id) = 1",
            name="one_thing",
            info={"field": "product_id", "message": "Choose either a service or a product."},
        ),
        Index(
            "uq_permission_assignments_service",
            "person_id",
            "service_id",
            unique=True,
            postgresql_where="service_id IS NOT NULL",
            info={"field": "service_id", "message": "This person administers this service already."},
        ),
        Index(
            "uq_permission_assignments_product",
            "person_id",
            "product_id",
            unique=True,
            postgresql_where="product_id IS NOT NULL",
            info={"field": "product_id", "message": "This person administers this product already."},
        ),
        Index("ix_permission_assignments_service_id", "service_id"),
        Index("ix_permission_assignments_product_id", "product_id"),
        # The unique ones are partial, so none of them answers what somebody administers, which many requests ask.
        Index(
            "ix_permission_assignments_person_id",
            "person_id",
            postgresql_include=["service_id", "product_id"],
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    service_id: Mapped[int | None] = mapped_column(ForeignKey("services.id", ondelete="CASCADE"))
    product_id: Mapped[int | None] = mapped_column(ForeignKey("products.id", ondelete="CASCADE"))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=clock.now)

    person: Mapped[Person] = relationship()
    service: Mapped[Service | None] = relationship(back_populates="assignments")
    product: Mapped[Product | None] = relationship(back_populates="assignments")

    @property
    def role(self) -> str:
        """The role that goes with it."""
        return "ServiceAdministrator" if self.service_id else "ProductAdministrator"

    @property
    def thing(self) -> str:
        """What is administered, in words."""
        return f"Service {self.service}" if self.service_id else f"Product {self.product}"

    def __repr__(self) -> str:
        return f"{self.person}: {self.thing}"


class AccessGrant(Model):
    """Who uses what. `valid_until` is the planned last day, `ended_at` the moment it was taken away."""

    __tablename__ = "access_grants"
    __table_args__ = (
        one_of("level", AccessLevel),
        one_of("source", GrantSource),
        CheckConstraint(
            "valid_until IS NULL OR valid_until >= valid_from",
            name="period",
            info={"field": "valid_until", "message": "The last day can't lie before the first."},
        ),
        Index(
            "uq_access_grants_open",
            "person_id",
            "product_id",
            unique=True,
            postgresql_where="ended_at IS NULL",
            info={"field": "product_id", "message": "This person has access to this product already."},
        ),
        Index("ix_access_grants_product_id", "product_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"))
    level: Mapped[str] = mapped_column(Text, default=AccessLevel.MEMBER)
    source: Mapped[str] = mapped_column(Text, default=GrantSource.MANUAL)
    valid_from: Mapped[date] = mapped_column(default=clock.today)
    valid_until: Mapped[date | None]
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=clock.now)

    person: Mapped[Person] = relationship()
    product: Mapped[Product] = relationship(back_populates="grants")

    @property
    def state(self) -> str:
        """`active`, `ended`, or `expired`: past its last day with nobody having taken it away yet."""
        if self.ended_at:
            return "ended"
        return "expired" if self.valid_until and self.valid_until < clock.today() else "active"

    def __repr__(self) -> str:
        return f"{self.person}: {self.product}"
