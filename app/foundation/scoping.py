"""Row rules, applied at the session: in a request every ORM statement on a scoped model carries its rule.

FAB's `base_filters` miss bulk actions, dropdowns, related rows and `_info`; a rule at the session is asked on every
path. Not covered are `text()`, Core statements on a table and inserts: `references.py` checks what inserts point to.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from typing import Any

from flask import has_request_context
from sqlalchemy import ColumnElement, event, false
from sqlalchemy.orm import ORMExecuteState
from sqlalchemy.orm.util import LoaderCriteriaOption
from sqlalchemy.sql import visitors
from sqlalchemy.sql.cache_key import anon_map as anon_map_of_its_own

from app.foundation.database import db
from app.foundation.viewer import Viewer, chosen_viewer, current_viewer

Rule = Callable[[Viewer], ColumnElement[bool] | None]

_rules: dict[type[Any], Rule] = {}
_hold_admins: set[type[Any]] = set()
_public: dict[type[Any], str] = {}
_lifted: ContextVar[bool] = ContextVar("row_rules_lifted", default=False)


def row_rule(model: type[Any], *, holds_admins: bool = False) -> Callable[[Rule], Rule]:
    """Declare who sees which rows of a model: a criterion, or None for all of them. Few rules hold Admins too.

    The criterion must read other tables through Core (`Model.__table__`), or it would be scoped itself.
    """

    def register(rule: Rule) -> Rule:
        _rules[model] = rule
        rules_met_by.cache_clear()
        if holds_admins:
            _hold_admins.add(model)
        return rule

    return register


def public(model: type[Any], why: str) -> None:
    """Declare that everybody signed in may see every row of a model."""
    _public[model] = why


def declared() -> dict[type[Any], Rule | str]:
    """Every model that has a rule or a reason for having none."""
    return {**_rules, **_public}


@contextmanager
def unscoped() -> Iterator[None]:
    """Look at every row. Said only by operations that must, and a test lists who says it."""
    token = _lifted.set(True)
    try:
        yield
    finally:
        _lifted.reset(token)


def is_scoped() -> bool:
    """Whether rules apply here: in a request or under `viewing_as`, unless lifted."""
    return not _lifted.get() and (has_request_context() or chosen_viewer() is not None)


def criterion(model: type[Any]) -> ColumnElement[bool] | None:
    """What the current viewer's rule says of a model: None for every row, `false()` for an anonymous one."""
    return _criterion(model, current_viewer())


def _criterion(model: type[Any], viewer: Viewer | None) -> ColumnElement[bool] | None:
    rule = _rules.get(model)
    if rule is None:
        return None
    if viewer is None:
        return false()
    return None if viewer.is_admin and model not in _hold_admins else rule(viewer)


class RuleOption(LoaderCriteriaOption):
    """`with_loader_criteria` that holds on two more paths, both shown by `tests/foundation/test_scoping.py`.

    SQLAlchemy writes a plain criterion down as it is, also where the model is aliased: there it would speak of another
    row. And joined loads obey only options that are handed on to the loads of related rows later; as a later load may
    be in an `unscoped` block, `_scope` takes what was handed on away again.

    Its part in the key of SQLAlchemy's cache is worked out once: all rules go with every statement.
    """

    _key: tuple[Any, tuple[Any, ...]] | None = None

    def _gen_cache_key(self, anon_map: Any, bindparams: list[Any]) -> Any:  # noqa: ARG002 - SQLAlchemy's signature
        if self._key is None:
            own: list[Any] = []
            self._key = super()._gen_cache_key(anon_map_of_its_own(), own), tuple(own)
        key, own_parameters = self._key
        bindparams.extend(own_parameters)
        return key

    _traverse_internals = LoaderCriteriaOption._traverse_internals  # noqa: SLF001 - its part in the cache's key

    def _resolve_where_criteria(self, ext_info: Any) -> ColumnElement[bool]:
        resolved = super()._resolve_where_criteria(ext_info)
        if not ext_info.is_aliased_class:
            return resolved

        def aliased_column(element: Any, **_: Any) -> Any:
            if element._annotations.get("parentmapper") is not ext_info.mapper:  # noqa: SLF001
                return None
            return getattr(ext_info.entity, element._annotations["proxy_key"]).__clause_element__()  # noqa: SLF001

        return visitors.replacement_traverse(resolved, {}, aliased_column)


@lru_cache(maxsize=1024)
def rules_met_by(viewer: Viewer | None) -> tuple[RuleOption, ...]:
    """The options that give a statement the rules, as this viewer meets them; those compiled by a session get them anyway.

    A rule knows nothing but the viewer, so the same one meets the same.
    """
    found = [(model, _criterion(model, viewer)) for model in _rules]
    return tuple(
        RuleOption(model, rule, include_aliases=True, propagate_to_loaders=True)
        for model, rule in found
        if rule is not None
    )


@event.listens_for(db.session, "do_orm_execute")
def _scope(state: ORMExecuteState) -> None:
    handed_on = state.statement._with_options  # noqa: SLF001
    if any(isinstance(option, RuleOption) for option in handed_on):
        state.statement = state.statement._generate()  # type: ignore[attr-defined]  # noqa: SLF001
        state.statement._with_options = tuple(  # noqa: SLF001
            option for option in handed_on if not isinstance(option, RuleOption)
        )
    if state.is_column_load or not (state.is_select or state.is_update or state.is_delete) or not is_scoped():
        return
    state.statement = state.statement.options(*rules_met_by(current_viewer()))
