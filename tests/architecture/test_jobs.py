"""A job is named by a string: each must lead to a function that was declared a job."""

import ast

import pytest

from app.foundation import jobs
from app.schedule import SCHEDULE
from tests.architecture.sources import calls, modules


def promised() -> dict[str, str]:
    """Where the application promises a job -> the job's name."""
    return {
        f"{module}:{call.lineno}": ast.literal_eval(call.args[0])
        for module, tree in modules()
        for call in calls(tree, "enqueue")
        if isinstance(call.func, ast.Attribute) and getattr(call.func.value, "id", "") == "outbox"
    }


def test_promised_job_is_a_job(one_app):
    assert promised(), "nothing is promised: this test looks in the wrong place"
    for where, name in promised().items():
        assert callable(jobs.resolve(name)), where


def test_scheduled_job_is_a_job(one_app):
    for periodic in SCHEDULE:
        assert callable(jobs.resolve(periodic.job)), periodic.name


def test_schedule_names_each_job_once():
    assert len({periodic.name for periodic in SCHEDULE}) == len(SCHEDULE)
    assert len({periodic.job for periodic in SCHEDULE}) == len(SCHEDULE)


def test_scheduled_job_says_in_plain_words_what_it_does():
    for periodic in SCHEDULE:
        assert len(periodic.does) > 20, periodic.name
        assert periodic.does.endswith("."), periodic.name


def test_job_is_used(one_app):
    used = {*promised().values(), *(periodic.job for periodic in SCHEDULE)}
    assert {name for name in jobs.registered() if name.startswith("app.")} - used == set()


@pytest.mark.parametrize(
    "name", ["os.system", "app.lifecycle.jobs.lifecycle", "app.lifecycle.jobs.missing", ""]
)
def test_anything_else_is_no_job(one_app, name):
    with pytest.raises(LookupError):
        jobs.resolve(name)
