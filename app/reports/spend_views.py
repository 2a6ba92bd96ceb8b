"""Spend as a page of charts with their tables, and its numbers as CSV."""

import csv
import heapq
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
from app.payments.filter_forms import choices
from app.payments.filters import RegisterFilter
from app.payments.sheets import guarded
from app.reports import spend
from app.reports.breakdowns import Breakdown, Line
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
        chosen = _asked()
        made = [spend.BREAKDOWNS[name](chosen) for name in PAGES[page][1]]
        company = made[0].total.currency
        used = sorted({currency for one in made for currency in one.amounts})
        missing = sorted({currency for one in made for currency in one.total.missing})
        # All in the company's currency, if there is a rate for each of the others; else in one of them alone.
        shown = chosen.currency or (company if not missing or company in used else used[0])
        return self.render_template(
            "reports/spend.html",
            title="Spend",
            page=page,
            pages={name: title for name, (title, _) in PAGES.items()},
            parts=[(one, _chart(one, shown), *TITLES[one.name]) for one in made],
            chosen=chosen,
            several=len(used) > 1,
            missing=[] if chosen.currency else missing,
            whole=shown == company and not missing,
            rates={part.currency: part for one in made for part in one.total.parts if part.day},
            shown=shown,
            company=company,
            money=for_people,
            most_rows=MOST_ROWS,
            amount_of=_amount_of,
            **choices(chosen),
        )

    @expose("/<name>.csv")
    @has_access
    @permission_name("read")
    def download(self, name: str) -> Any:
        """The numbers of a chart, all of them: a row for each label and currency."""
        if name not in spend.BREAKDOWNS:
            raise NotFound("There is no such breakdown.")
        chosen = _asked()
        with transaction():
            made = spend.BREAKDOWNS[name](chosen)
            recorder.record(
                "spend.export",
                target_type="spend",
                target_label=TITLES[name][0],
                after={"rows": len(made.lines), **chosen.as_args()},
            )
        file_name = f"spend-{name}-{clock.today().isoformat()}.csv"
        return Response(
            _csv(made),
            mimetype="text/csv",
            headers={"Content-Disposition": f"attachment; filename={file_name}"},
        )


def _asked() -> RegisterFilter:
    """The register's filter, as far as it says something of payments made."""
    return RegisterFilter.parse({name: request.args.get(name, "") for name in spend.NARROWED_BY})


def _amount_of(made: Breakdown, line: Line, shown: str) -> Decimal | None:
    """How long the bar of a line is: all of it in the company's currency, or what of it is in the one that is shown."""
    whole = shown == made.total.currency and not made.total.missing
    amount = line.total if whole else line.amounts.get(shown)
    return line.each(amount) if made.name == "people" else amount


def _chart(made: Breakdown, shown: str) -> Chart:
    amounts = [(line.label, _amount_of(made, line, shown)) for line in made.lines]
    if made.name in {"months", "expected"}:
        bars = [(label, amount or Decimal(0)) for label, amount in amounts]
    else:
        known = [(label, amount) for label, amount in amounts if amount is not None]
        bars = heapq.nsmallest(MOST_BARS, known, key=lambda bar: (-bar[1], bar[0]))
    points = [(label, amount, for_people(amount, shown)) for label, amount in bars]
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
