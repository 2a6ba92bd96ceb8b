"""Spend as a page of charts with their tables, and its numbers as CSV."""

import csv
import io
from decimal import Decimal
from typing import Any

from flask import Response, request
from flask_appbuilder import expose
from flask_appbuilder.security.decorators import has_access, permission_name

from app.audit import recorder
from app.foundation import clock
from app.foundation.currencies import for_people, plain
from app.foundation.errors import InvalidInput, NotFound
from app.foundation.transactions import transaction
from app.foundation.views import PortalView
from app.payments.sheets import guarded
from app.reports import spend
from app.reports.spend import Breakdown, Line
from app.reports.spend_charts import Chart, chart

# What a page shows: the breakdowns on it, and what each is called.
PAGES = {
    "months": ("Months", ("months", "expected")),
    "services": ("Services", ("services",)),
    "departments": ("Departments", ("departments",)),
    "methods": ("Methods", ("methods",)),
    "people": ("Per person", ("people",)),
}
TITLES = {
    "months": ("Paid in the last twelve months", "From the payments made; this month so far."),
    "expected": (
        "Expected in the next twelve months",
        "From the renewals in the register, at today's prices; this month from today on.",
    ),
    "services": ("Paid for each service", "In the last twelve months."),
    "departments": (
        "Paid for each department",
        "In the last twelve months. What a product cost is shared by the people who have access to it now.",
    ),
    "methods": ("Paid with each method", "In the last twelve months."),
    "people": (
        "Cost per person with access",
        "What a service cost in the last twelve months, by the people who have access to it now.",
    ),
}
MOST_BARS, MOST_ROWS = 12, 100


class SpendView(PortalView):
    """Reads across rooms; who sees it sees the payments that their row rule lets them see."""

    route_base, noun = "/spend", "Spend"
    base_permissions = ["can_read"]
    default_view = "show"

    @expose("/")
    @has_access
    @permission_name("read")
    def show(self) -> Any:
        """One way to break it down at a time, in the company's currency or in one of the others."""
        page = request.args.get("by", "months")
        if page not in PAGES:
            raise InvalidInput("There is no such breakdown.", by=f"Choose one of: {', '.join(PAGES)}.")
        made = [spend.BREAKDOWNS[name]() for name in PAGES[page][1]]
        used = sorted({currency for one in made for currency in one.amounts})
        missing = sorted({currency for one in made for currency in one.total.missing})
        shown = _currency_shown(used, missing, made[0].total.currency)
        return self.render_template(
            "reports/spend.html",
            title="Spend",
            page=page,
            pages={name: title for name, (title, _) in PAGES.items()},
            parts=[(one, _chart(one, shown), *TITLES[one.name]) for one in made],
            used=used,
            missing=missing,
            rates={part.currency: part for one in made for part in one.total.parts if part.day},
            shown=shown,
            company=made[0].total.currency,
            money=for_people,
            most_rows=MOST_ROWS,
            amount_of=_amount_of,
        )

    @expose("/<name>.csv")
    @has_access
    @permission_name("read")
    def download(self, name: str) -> Any:
        """The numbers of a chart, all of them: a row for each label and currency."""
        if name not in spend.BREAKDOWNS:
            raise NotFound("There is no such breakdown.")
        with transaction():
            made = spend.BREAKDOWNS[name]()
            recorder.record(
                "spend.export",
                target_type="spend",
                target_label=TITLES[name][0],
                after={"rows": len(made.lines)},
            )
        file_name = f"spend-{name}-{clock.today().isoformat()}.csv"
        return Response(
            _csv(made),
            mimetype="text/csv",
            headers={"Content-Disposition": f"attachment; filename={file_name}"},
        )


def _currency_shown(used: list[str], missing: list[str], company: str) -> str:
    """The one that is asked for; else the company's, if there is a rate for each of the others."""
    asked = request.args.get("currency", "")
    if asked and asked not in {*used, company}:
        raise InvalidInput("Nothing is paid in this currency.", currency="Choose one that is paid in.")
    return asked or (company if not missing or company in used else used[0])


def _is_whole(made: Breakdown, shown: str) -> bool:
    """Whether amounts are those of all currencies, in the company's."""
    return shown == made.total.currency and not made.total.missing and "currency" not in request.args


def _amount_of(made: Breakdown, line: Line, shown: str) -> Decimal | None:
    """How long the bar of a line is, in the currency that is shown."""
    amount = line.total if _is_whole(made, shown) else line.amounts.get(shown)
    return line.each(amount) if made.name == "people" else amount


def _chart(made: Breakdown, shown: str) -> Chart:
    amounts = [(line.label, _amount_of(made, line, shown)) for line in made.lines]
    points = [(label, amount, for_people(amount, shown)) for label, amount in amounts if amount is not None]
    if made.name in {"months", "expected"}:
        points = [
            (label, amount or Decimal(0), for_people(amount or Decimal(0), shown))
            for label, amount in amounts
        ]
    else:
        points = sorted(points, key=lambda point: (-point[1], point[0]))[:MOST_BARS]
    return chart(TITLES[made.name][0], points)


def _csv(made: Breakdown) -> str:
    text = io.StringIO()
    text.write("\ufeff")
    writer = csv.writer(text)
    company = made.total.currency
    per_person = ["People with access", "Amount per person"] if made.name == "people" else []
    writer.writerow([made.name.capitalize(), "Currency", "Amount", f"All in {company}", *per_person])
    for line in made.lines:
        for currency, amount in sorted(line.amounts.items()) or [(company, Decimal(0))]:
            row = [line.label, currency, plain(amount, currency)]
            row.append("" if line.total is None else plain(line.total, company))
            if per_person:
                each = line.each(amount)
                row += [str(line.people), "" if each is None else plain(each, currency)]
            writer.writerow([guarded(cell) for cell in row])
    return text.getvalue()
