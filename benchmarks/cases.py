"""What is asked for, of whom, and what each answer should reach."""

import json
from dataclasses import dataclass

from benchmarks.data import TASKS_OF_CHARLIE, Size

PAGE = 20


@dataclass(frozen=True)
class Stock:
    """The same of stock Flask-AppBuilder."""

    path: str
    as_page: bool = False
    body: str | None = None


@dataclass(frozen=True)
class Case:
    """`who` asks `by` a session's token, a personal one, or a cookie. `aim` is the least ratio to ping, or to `stock`."""

    name: str
    path: str
    who: str = "root"
    by: str = "session"
    aim: float | None = 0.12
    body: str | None = None
    stock: Stock | None = None
    limits_statements: bool = True
    may_grow: bool = False


def published(size: Size) -> list[Case]:
    """Pages of 20. `may_grow` are the answers that carry a whole table."""
    task = size.tasks // TASKS_OF_CHARLIE
    return [
        Case("auth/me", "/api/auth/me", aim=0.20),
        Case("auth/me, personal token", "/api/auth/me", by="token", aim=0.20),
        Case("auth/me, ServiceAdministrator", "/api/auth/me", who="alice", aim=0.20),
        *_pages("users", "/api/users", size.people),
        Case("users, search with many hits", "/api/users?search=Lindqvist"),
        Case("users, search with one hit", f"/api/users?search=person.{size.people // 2}%40"),
        Case("user", "/api/users/77"),
        Case("services, whole list", "/api/services", aim=None, may_grow=True),
        *_pages("services", "/api/services", size.services),
        Case("services, ServiceAdministrator", "/api/services", who="alice"),
        Case("service", "/api/services/77"),
        *_pages("products", "/api/products", size.products),
        Case("product", "/api/products/77"),
        Case("product, ProductAdministrator", "/api/products/111", who="bob"),
        Case("inbox, 50 tasks", "/api/inbox/tasks", who="charlie", aim=None),
        Case("inbox, page 1", f"/api/inbox/tasks?page=1&limit={PAGE}", who="charlie"),
        Case("task", f"/api/inbox/tasks/{task * 7}", who="charlie"),
        *_pages("audit-logs", "/api/audit-logs", size.entries),
        Case("audit-logs by action", "/api/audit-logs?action=service.update"),
        Case("audit-logs by target", "/api/audit-logs?targetId=77"),
        Case("register, whole", "/api/payment-register", aim=None, may_grow=True),
        Case("register, page 1", f"/api/payment-register?page=1&limit={PAGE}"),
        Case("register, summary", "/api/payment-register/summary"),
    ]


def generated(size: Size) -> list[Case]:
    """Products against stock's contacts, at the same page. The writing cases come last: they make the tables longer."""
    deep = size.products // PAGE - 1
    return [
        _listed("list, first page", 0),
        _listed("list, deep page", deep),
        Case("get", "/api/v1/products/77", aim=3.5, stock=Stock("/api/v1/contact/77")),
        _html("page, first", 0),
        _html("page, deep", deep),
        _posted("post, a row by itself", "/api/v1/departments/", {"description": "1 Long Street"}, 1.8),
        _posted("post, product with its payment", "/api/v1/products/", {"service_id": 7}, None),
    ]


def _pages(name: str, path: str, rows: int) -> list[Case]:
    last = -(-rows // PAGE)
    places = {"page 1": 1, "middle page": last // 2, "last page": last}
    return [Case(f"{name}, {place}", f"{path}?page={n}&limit={PAGE}") for place, n in places.items()]


def _listed(name: str, page: int) -> Case:
    query = f"?q=(page_size:{PAGE},page:{page})"
    stock = Stock(f"/api/v1/contact/{query}")
    return Case(name, f"/api/v1/products/{query}", aim=4, stock=stock)


def _posted(name: str, path: str, others: dict[str, object], aim: float | None) -> Case:
    """NUMBER makes each name another. A department is a row by itself, as stock's contact is; both of ours are audited."""
    stock = Stock("/api/v1/contact/", body=json.dumps({"name": "Made NUMBER", "address": "1 Long Street"}))
    body = json.dumps({**others, "name": "Made NUMBER"})
    return Case(name, path, aim=aim, body=body, stock=stock, limits_statements=False)


def _html(name: str, page: int) -> Case:
    ours = f"/products/list/?psize_ProductView={PAGE}&page_ProductView={page}"
    theirs = f"/contactview/list/?psize_ContactView={PAGE}&page_ContactView={page}"
    stock = Stock(theirs, as_page=True)
    return Case(name, ours, by="cookie", aim=2.4, stock=stock, limits_statements=False)
