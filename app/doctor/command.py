"""`flask doctor`: prints what was found, and ends with 1 if something is broken."""

import json

import click
from flask import current_app
from flask.cli import with_appcontext

from app.doctor import address, database, machine, people, queues, safety, work
from app.doctor.findings import State, examine

# The order in which people read them: importing a module registers its checks.
CHECKS = (safety, database, queues, work, people, machine, address)
_COLOURS = {State.OK: "green", State.WARNING: "yellow", State.FAULT: "red"}


@click.command(help="Check this installation, and say what is wrong and how to mend it. Changes nothing.")
@click.option(
    "--url", default="", help="Ask the portal at this address too, as people reach it; - for PUBLIC_URL."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of lines.")
@with_appcontext
def doctor(*, url: str, as_json: bool) -> None:
    """Exit status 0 if there is no fault, 1 if there is one; warnings don't count."""
    current_app.extensions["doctor_url"] = current_app.config["PUBLIC_URL"] if url == "-" else url
    faults = warnings = 0
    told = []
    for verdict in examine():
        faults += verdict.finding.state is State.FAULT
        warnings += verdict.finding.state is State.WARNING
        told.append(verdict.as_dict())
        if not as_json:
            _print(verdict.check, verdict.finding.state, verdict.finding.says, verdict.finding.mend)
    if as_json:
        click.echo(json.dumps({"faults": faults, "warnings": warnings, "findings": told}, indent=2))
    else:
        click.echo(f"\n{_many(faults, 'fault')}, {_many(warnings, 'warning')}, {len(told)} findings")
    raise SystemExit(1 if faults else 0)


def _print(name: str, state: State, says: str, mend: str) -> None:
    click.echo(f"{click.style(f'{state:<8}', fg=_COLOURS[state])} {name}: {says}")
    if mend:
        click.echo(f"{'':8} → {mend}")


def _many(count: int, noun: str) -> str:
    return f"{count or 'no'} {noun}{'' if count == 1 else 's'}"
