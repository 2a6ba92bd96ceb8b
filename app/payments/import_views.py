"""Imports of the register: upload, choose the columns, look at the dry run, import. Each step is a plain form."""

from typing import Any

from flask import flash, jsonify, redirect, request, url_for
from flask_appbuilder import expose
from flask_appbuilder.security.decorators import has_access, permission_name

from app.foundation.database import db
from app.foundation.errors import Conflict, InvalidInput, NotFound
from app.foundation.references import parse_key
from app.foundation.transactions import transaction
from app.foundation.views import PortalView
from app.payments import import_queries as queries
from app.payments import importing
from app.payments.import_models import ImportRun, ImportState, RowKind
from app.payments.importing.cells import text_of
from app.payments.reading.cells import MOST_ROWS
from app.payments.sheets import TAKEN

PAGE = 50
LISTED = 25


class RegisterImportView(PortalView):
    """For Admins: nobody else changes the register."""

    route_base = "/payments/imports"
    noun = "PaymentImport"
    base_permissions = ["can_read", "can_add", "can_edit"]
    default_view = "index"

    @expose("/")
    @has_access
    @permission_name("read")
    def index(self) -> Any:
        """The upload, and what was imported before."""
        return self._index()

    @expose("/", methods=["POST"])
    @has_access
    @permission_name("add")
    def upload(self) -> Any:
        """A file: on to its columns, or back with what is wrong with it."""
        sent = request.files.get("file")
        try:
            with transaction():
                run = importing.receive(sent.filename or "" if sent else "", sent.read() if sent else b"")
                key = run.id
        except InvalidInput as error:
            return self._index(error.fields.get("file", error.message)), 422
        return redirect(url_for(".show", pk=key))

    @expose("/<pk>")
    @has_access
    @permission_name("read")
    def show(self, pk: str) -> Any:
        """Whatever step it is at; `?step=columns` goes back to the columns."""
        run = _find(pk)
        if run.state == ImportState.MAPPING or (request.args.get("step") == "columns" and run.may_be_read):
            return self._columns(run, run.mapping or importing.guess(run.look["columns"]))
        return self._result(run)

    @expose("/<pk>/state")
    @has_access
    @permission_name("read")
    def state(self, pk: str) -> Any:
        """How far it is, for the page's script."""
        run = _find(pk)
        return jsonify(state=run.state, running=run.is_running, done=run.done, total=run.total)

    @expose("/<pk>/check", methods=["POST"])
    @has_access
    @permission_name("edit")
    def check(self, pk: str) -> Any:
        """The columns are chosen: make the dry run."""
        run = _find(pk)
        fields = [request.form.get(f"column_{place}") or None for place in range(len(run.look["columns"]))]
        asked = {name: name in request.form for name in ("clear_blanks", "create_services")}
        try:
            with transaction():
                importing.start_check(run, fields, **asked)
        except InvalidInput as error:
            db.session.rollback()
            return self._columns(_find(pk), fields, error.fields, asked), 422
        return redirect(url_for(".show", pk=pk))

    @expose("/<pk>/import", methods=["POST"])
    @has_access
    @permission_name("edit")
    def run(self, pk: str) -> Any:
        """Do what the dry run showed."""
        return self._do(pk, importing.start_import)

    @expose("/<pk>/discard", methods=["POST"])
    @has_access
    @permission_name("edit")
    def discard(self, pk: str) -> Any:
        """Not this file."""
        return self._do(pk, importing.discard)

    def _do(self, pk: str, verb: Any) -> Any:
        try:
            with transaction():
                verb(_find(pk))
        except Conflict as error:
            flash(error.message, "danger")
        return redirect(url_for(".show", pk=pk))

    def _index(self, fault: str = "") -> Any:
        return self.render_template(
            "payments/imports.html",
            title="Import",
            fault=fault,
            runs=queries.latest_runs(LISTED),
            most_rows=MOST_ROWS,
        )

    def _columns(
        self,
        run: ImportRun,
        fields: list[str | None],
        faults: dict[str, str] | None = None,
        asked: dict[str, bool] | None = None,
    ) -> Any:
        return self.render_template(
            "payments/import_columns.html",
            title=run.file_name,
            run=run,
            fields=fields,
            choices=TAKEN,
            faults=faults or {},
            asked=asked or {"clear_blanks": run.clear_blanks, "create_services": run.create_services},
            how_read=how_read(run.look),
            samples=samples(run.look),
        )

    def _result(self, run: ImportRun) -> Any:
        kind = _asked_kind(run)
        page = min(parse_key(request.args.get("page", 1)) or 1, 100_000)
        rows = [] if run.is_running else queries.rows_of(run.id, kind, page, PAGE)
        count = run.count(kind) if kind else sum((run.counts or {}).values())
        return self.render_template(
            "payments/import.html",
            title=run.file_name,
            run=run,
            rows=[queries.as_shown(row, run) for row in rows],
            kind=kind,
            kinds=[_choice(one, run, kind) for one in ("", *RowKind)],
            count=count,
            page=page,
            pages=max(-(-count // PAGE), 1),
            how_read=how_read(run.look),
        )


def how_read(look: dict[str, Any]) -> list[str]:
    """How the file was read, as far as somebody should know it; what was assumed stands first."""
    said = []
    if look.get("encoding") == "windows-1252":
        said.append(
            "This file is not UTF-8. It was read as Windows-1252, so look at the names with special letters first."
        )
    if look.get("others"):
        said.append(
            f"Only the first sheet, \N{LEFT DOUBLE QUOTATION MARK}{look['sheet']}\N{RIGHT DOUBLE QUOTATION MARK}, is read."
        )
    return said


def samples(look: dict[str, Any]) -> list[list[str]]:
    """The first values of each column, shortened."""
    rows = [cells for _, cells in look["sample"]]
    found = [
        [text_of(cells[place]) for cells in rows if place < len(cells)]
        for place in range(len(look["columns"]))
    ]
    return [[text[:40] for text in texts if text][:3] for texts in found]


def _asked_kind(run: ImportRun) -> str:
    """The kind of rows to show, none for all of them: what is refused comes first, unless somebody asks otherwise."""
    kind = request.args.get("kind", RowKind.REFUSED if run.count(RowKind.REFUSED) else "all")
    if kind not in {"all", *RowKind}:
        raise InvalidInput(kind=f"Choose one of: all, {', '.join(RowKind)}.")
    return "" if kind == "all" else kind


def _choice(kind: str, run: ImportRun, chosen: str) -> dict[str, Any]:
    count = run.count(kind) if kind else sum((run.counts or {}).values())
    name = kind or "all"
    return {
        "label": name.capitalize(),
        "href": f"?kind={name}",
        "active": kind == chosen,
        "count": f"{count:,}",
    }


def _find(pk: str) -> ImportRun:
    run = queries.run_of(pk)
    if run is None:
        raise NotFound("There is no such import, or you may not see it.")
    return run
