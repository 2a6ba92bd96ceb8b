"""Facts of the inbox."""

from dataclasses import dataclass

from app.inbox.models import WorkflowTask


@dataclass(frozen=True, slots=True)
class TaskOpened:
    """There is something to do, and somebody to do it."""

    task: WorkflowTask


@dataclass(frozen=True, slots=True)
class TaskReassigned:
    """A task is somebody else's from now on."""

    task: WorkflowTask


@dataclass(frozen=True, slots=True)
class TaskCompleted:
    """Somebody did what there was to do; what it means is recorded by whom it concerns."""

    task: WorkflowTask


@dataclass(frozen=True, slots=True)
class TaskFinished:
    """A task is completed or cancelled: nothing more is to be done in it."""

    task: WorkflowTask


@dataclass(frozen=True, slots=True)
class TaskReopened:
    """An Admin took a finished task up again."""

    task: WorkflowTask
