"""A working day: administrators browse, finance edits the register, scripts list, HR announces; answers are read.

    locust --headless --host http://127.0.0.1:8000 --users 100 --spawn-rate 5 --run-time 10m

People are those of `benchmarks/data.py` (LOAD_PASSWORD if theirs is another); HR's key stands in LOAD_HR_KEY. An answer
with the right status and the wrong content is a failure.
"""

import itertools
import os
import random
import re
import uuid
from decimal import Decimal
from typing import Any

from locust import HttpUser, between, task

PASSWORD = os.environ.get("LOAD_PASSWORD", "a long test password")
HR_KEY = os.environ.get("LOAD_HR_KEY", "")
PRODUCTS = int(os.environ.get("LOAD_PRODUCTS", "2000"))
PEOPLE = int(os.environ.get("LOAD_PEOPLE", "2000"))
TOKEN = re.compile(r'name="csrf_token"[^>]* value="([^"]+)"')
TASK = re.compile(r'href="/inbox/(\d+)"')
ADMINISTRATORS = ("root", "root", "alice", "bob")

_numbers = itertools.count(1)


class Person(HttpUser):
    """Somebody who reads what comes back."""

    abstract = True

    def ask(self, method: str, path: str, name: str, **options: Any) -> Any:
        """The answer; a failure unless it has the status `ok` (200) and, if given, `holds` finds what it should in it."""
        ok, holds = options.pop("ok", 200), options.pop("holds", None)
        with self.client.request(method, path, name=name, catch_response=True, **options) as answer:
            if answer.status_code != ok:
                answer.failure(f"{answer.status_code} instead of {ok}: {answer.text[:200]}")
            elif holds is not None and not holds(answer):
                answer.failure(f"not what was asked for: {answer.text[:200]}")
            else:
                answer.success()
        return answer

    def sign_in_by_form(self, who: str) -> None:
        """As a browser: the form, its token, the cookie."""
        form = self.ask("GET", "/login/", "sign-in form", holds=lambda answer: TOKEN.search(answer.text))
        sent = {"csrf_token": TOKEN.findall(form.text)[0], "username": who, "password": PASSWORD}
        self.ask("POST", "/login/", "sign-in", data=sent, holds=lambda answer: "/logout" in answer.text)

    def take_token(self, who: str) -> None:
        """As a script: each call carries the token."""
        sent = {"email": who, "password": PASSWORD}
        answer = self.ask("POST", "/api/auth/login", "api: sign-in", json=sent)
        self.client.headers["Authorization"] = f"Bearer {answer.json()['accessToken']}"


def page(heading: str) -> Any:
    """Whether it is the whole page of somebody signed in."""
    return lambda answer: heading in answer.text and answer.text.rstrip().endswith("</html>")


class Administrator(Person):
    """Looks through lists, opens rows, reads the inbox."""

    weight = 50
    wait_time = between(2, 8)

    def on_start(self) -> None:
        self.who = ADMINISTRATORS[next(_numbers) % len(ADMINISTRATORS)]
        self.sign_in_by_form(f"{self.who}@example.com")

    @task(4)
    def inbox(self) -> None:
        answer = self.ask("GET", "/inbox/?scope=team", "page: inbox", holds=page("Inbox"))
        if found := TASK.findall(answer.text):
            self.ask("GET", f"/inbox/{random.choice(found)}", "page: task", holds=page("task"))

    @task(2)
    def start_page(self) -> None:
        self.ask("GET", "/", "page: start", headers={"Accept": "text/html"}, holds=page("PortalOps"))

    @task(3)
    def services(self) -> None:
        path = f"/services/list/?page_ServiceView={random.randrange(3) if self.who == 'root' else 0}"
        answer = self.ask("GET", path, "page: services", holds=page("Services"))
        if found := re.findall(r"/services/show/(\d+)", answer.text):
            self.ask("GET", f"/services/show/{random.choice(found)}", "page: service", holds=page("Service"))

    @task(3)
    def products(self) -> None:
        answer = self.ask("GET", "/products/list/", "page: products", holds=page("Products"))
        if found := re.findall(r"/products/show/(\d+)", answer.text):
            self.ask("GET", f"/products/show/{random.choice(found)}", "page: product", holds=page("Product"))

    @task(2)
    def people(self) -> None:
        self.ask("GET", "/people/list/", "page: people", holds=page("People"))

    @task(1)
    def audit_log(self) -> None:
        if self.who == "root":
            self.ask("GET", "/audit/", "page: audit log", holds=page("Audit"))


class Employee(Person):
    """Has tasks and no role; sees their own inbox and nothing else."""

    weight = 15
    wait_time = between(3, 10)

    def on_start(self) -> None:
        # Every second of the people made has an account, but every fiftieth is gone.
        number = next(value for value in iter(lambda: random.randrange(11, PEOPLE, 2), 0) if value % 50)
        self.sign_in_by_form(f"person.{number}@example.com")

    @task(3)
    def inbox(self) -> None:
        self.ask("GET", "/inbox/", "page: own inbox", holds=page("Inbox"))

    @task(1)
    def nobody_elses_rows(self) -> None:
        self.ask("GET", "/audit/", "page: audit log, refused", ok=403)


class Script(Person):
    """Lists both APIs by token, and knows what the totals must be."""

    weight = 20
    wait_time = between(1, 4)

    def on_start(self) -> None:
        self.take_token("root@example.com")

    @task(3)
    def products_by_contract(self) -> None:
        page_number = random.randint(1, PRODUCTS // 20)
        self.ask(
            "GET",
            f"/api/products?page={page_number}&limit=20",
            "api: products",
            holds=lambda answer: (
                len(answer.json()) == 20 and answer.headers["X-Total-Count"] == str(PRODUCTS)
            ),
        )

    @task(3)
    def people_by_contract(self) -> None:
        self.ask(
            "GET",
            f"/api/users?page={random.randint(1, PEOPLE // 20)}&limit=20",
            "api: users",
            holds=lambda answer: (
                len(answer.json()["data"]) == 20 and answer.json()["pagination"]["total"] >= PEOPLE
            ),
        )

    @task(2)
    def search(self) -> None:
        number = random.randint(100, PEOPLE - 1)
        self.ask(
            "GET",
            f"/api/users?search=person.{number}%40",
            "api: users, search",
            holds=lambda answer: (
                f"person.{number}@example.com" in {one["email"] for one in answer.json()["data"]}
            ),
        )

    @task(3)
    def products_generated(self) -> None:
        q = f"(order_column:name,order_direction:asc,page:{random.randrange(PRODUCTS // 25)},page_size:25)"
        self.ask(
            "GET",
            f"/api/v1/products/?q={q}",
            "api/v1: products",
            holds=lambda answer: answer.json()["count"] == PRODUCTS and len(answer.json()["result"]) == 25,
        )

    @task(1)
    def tasks_generated(self) -> None:
        q = "(filters:!((col:status,opr:eq,value:pending)),page_size:25)"
        self.ask(
            "GET",
            f"/api/v1/tasks/?q={q}",
            "api/v1: tasks",
            holds=lambda answer: {row["status"] for row in answer.json()["result"]} == {"pending"},
        )


class Finance(Person):
    """Reads pages of the register, changes a payment, and looks whether it is there."""

    weight = 10
    wait_time = between(3, 10)

    def on_start(self) -> None:
        self.sign_in_by_form("root@example.com")
        self.take_token("root@example.com")
        # Of a product nobody else changes, so that what was written is what must be read.
        self.product = PRODUCTS - next(_numbers) % PRODUCTS

    @task(3)
    def register_page(self) -> None:
        self.ask("GET", "/payments/list/", "page: register", holds=page("register"))

    @task(1)
    def register_by_contract(self) -> None:
        path = f"/api/payment-register?page={random.randint(1, PRODUCTS // 20)}&limit=20"
        self.ask("GET", path, "api: register", holds=lambda answer: len(answer.json()) == 20)

    @task(2)
    def change_a_payment(self) -> None:
        amount = f"{random.randint(1, 999)}.{random.randint(10, 99)}"
        path = f"/api/payment-register/{self.product}"
        self.ask("PUT", path, "api: register, change", json={"amount": amount, "currency": "EUR"}, ok=204)
        self.ask(
            "GET",
            f"/api/v1/payment-infos/?q=(filters:!((col:product_id,opr:eq,value:{self.product})))",
            "api/v1: the payment changed",
            holds=lambda answer: (
                [Decimal(row["amount"]) for row in answer.json()["result"]] == [Decimal(amount)]
            ),
        )


class HumanResources(Person):
    """Announces joiners, some of them twice, and reads that the second time was nothing new."""

    weight = 5
    wait_time = between(4, 12)

    @task
    def announce(self) -> None:
        number = uuid.uuid4().hex
        employee = {"name": f"Joiner {number}", "email": f"joiner.{number}@example.com"}
        sent = {"json": {"employee": employee}, "headers": {"X-API-Key": HR_KEY, "webhook-id": number}}
        path = "/api/webhooks/hr/onboarding"
        first = self.ask("POST", path, "hr: onboarding", ok=202, **sent)
        if first.status_code == 202 and random.random() < 0.3:
            event = first.json()["eventId"]
            self.ask(
                "POST", path, "hr: again", holds=lambda answer: answer.json()["eventId"] == event, **sent
            )
