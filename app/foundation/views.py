"""The base of every generated page: fixed columns, the room's verbs, and forms that keep what was typed."""

from typing import Any

from flask import Response, abort, after_this_request, flash, redirect, request, url_for
from flask_appbuilder import BaseView, ModelView
from flask_appbuilder.urltools import get_filter_args
from sqlalchemy.exc import DataError, IntegrityError

from app.foundation.database import db
from app.foundation.doors import PERMISSION_OF_METHOD, Verbs
from app.foundation.errors import DomainError, from_database
from app.foundation.forms import LookupField
from app.foundation.transactions import transaction


class KeptForms(ModelView):
    """A ModelView whose forms keep what was typed. Subclasses say how a row is written (`write`) and removed (`erase`).

    FAB flashes whatever an exception says, SQL included, and forgets the form.
    """

    deleted_message = "{name} was deleted."

    def write(self, form: Any, item: Any | None) -> None:
        """Create a row (no item) or change one from a valid form; raises DomainError, commits nothing."""
        form.populate_obj(row := item or self.datamodel.obj())
        db.session.add(row)

    def erase(self, item: Any) -> None:
        """Remove a row; raises DomainError, commits nothing."""
        db.session.delete(item)

    def _add(self) -> Any:
        get_filter_args(self._filters, disallow_if_not_in_search=False)
        form = self.add_form.refresh()
        if request.method == "POST":
            if form.validate() and self._saved(form, None):
                return None
            answer_422()
        else:
            self._prefill(form)
        return self._get_add_widget(form=form)

    def _prefill(self, form: Any) -> None:
        """Links from a related page name the row that the new one belongs to."""
        for flt, values in self._filters.get_filters_values():
            field = form._fields.get(flt.column_name) or form._fields.get(f"{flt.column_name}_id")
            if isinstance(field, LookupField):
                field.process_data(values if field.multiple else values[0])

    def _edit(self, pk: Any) -> Any:
        item = self._item(pk)
        if request.method == "POST":
            form = self.edit_form.refresh(request.form)
            form._id = item.id  # noqa: SLF001 - FAB's validators of uniqueness read it
            if form.validate() and self._saved(form, item):
                return None
            answer_422()
        else:
            form = self.edit_form.refresh(obj=item)
            self.prefill_form(form, pk)
        return self._get_edit_widget(form=form)

    def _item(self, pk: Any) -> Any:
        item = self.datamodel.get(pk, self._base_filters)
        if item is None:
            abort(404)
        return item

    def _saved(self, form: Any, item: Any | None) -> bool:
        """Write; what a rule says against it stands next to the field that it is about."""
        try:
            with transaction():
                self.write(form, item)
        except DomainError as error:
            show_refusal(form, error)
            return False
        except (IntegrityError, DataError) as error:
            show_refusal(form, from_database(error))
            return False
        flash("Saved.", "success")
        return True

    def _delete(self, pk: Any) -> None:
        item = self._item(pk)
        name = str(item)
        try:
            with transaction():
                self.erase(item)
        except DomainError as error:
            flash(error.message, "danger")
        except IntegrityError as error:
            flash(from_database(error).message, "danger")
        else:
            flash(self.deleted_message.format(name=name), "success")


class PortalModelView(KeptForms):
    """A model's pages. Subclasses set `datamodel`, `noun`, every column list, `verbs` and, to write, `form`.

    `noun` is the permission name shared with the API. A form's fields are the arguments of the verbs.
    """

    noun = ""
    verbs = Verbs()
    form: Any = None
    add_form: Any = None
    edit_form: Any = None
    exclude_route_methods: set[str] = set()
    page_size = 25
    empty_hint = ""
    list_subtitle = ""
    # A model whose "delete" is something gentler says so, and in which state nothing is left to change.
    delete_word, delete_text, closed_state = "Delete", "", ""

    def __init__(self, **arguments: Any) -> None:
        self.class_permission_name = self.noun
        self.method_permission_name = dict(PERMISSION_OF_METHOD)
        self.base_permissions = self.verbs.permissions()
        closed = self.verbs.closed_routes(add="add", edit="edit", delete="delete")
        self.exclude_route_methods = (
            set(self.exclude_route_methods) | closed | {"download", "action", "action_post"}
        )
        self.add_form = self.add_form or self.form
        self.edit_form = self.edit_form or self.form
        for name, form in (("add_columns", self.add_form), ("edit_columns", self.edit_form)):
            setattr(self, name, form.declared() if form else [self.datamodel.get_pk_name()])
        super().__init__(**arguments)
        self._search_related_rows()

    def _search_related_rows(self) -> None:
        """Filter by a related row that is searched for. FAB would bring the whole related table with every list."""
        for name in self.search_columns:
            if self.datamodel.is_relation(name):
                model = self.datamodel.get_related_model(name)
                setattr(self.search_form, name, LookupField(str(self.label_columns[name]), model, offered=0))

    def write(self, form: Any, item: Any | None) -> None:
        """By the room's verbs."""
        fields = {name: form[name].data for name in form.declared() if name in form}
        if item is None:
            self.verbs.create(**fields)  # type: ignore[misc]
        else:
            self.verbs.change(item, **fields)  # type: ignore[misc]

    def erase(self, item: Any) -> None:
        """By the room's verb."""
        self.verbs.remove(item)  # type: ignore[misc]

    def post_add_redirect(self) -> Any:
        """To the list."""
        return redirect(url_for(f"{self.endpoint}.list"))

    post_edit_redirect = post_add_redirect
    post_delete_redirect = post_add_redirect


class PortalView(BaseView):
    """A page of a room's own making. Its permission is `can_read` on `noun`, unless a method says otherwise."""

    noun = ""

    def __init__(self, **arguments: Any) -> None:
        self.class_permission_name = self.noun or None
        super().__init__(**arguments)


def answer_422() -> None:
    """A page that shows a refused form says so to programs too; FAB would answer 200."""

    @after_this_request
    def refuse(response: Response) -> Response:
        response.status_code = 422
        return response


def show_refusal(form: Any, error: DomainError) -> None:
    """Put the messages of an error at the fields they are about, and the rest above the form."""
    for name, message in error.fields.items():
        field = form._fields.get(name)
        if field is not None:
            field.errors = [*field.errors, message]
        else:
            form.form_errors.append(message)
    if not error.fields:
        form.form_errors.append(error.message)
