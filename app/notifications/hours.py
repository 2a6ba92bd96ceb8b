"""When a message leaves: quiet hours and the hour of the digest, on the company's clock."""

from datetime import UTC, datetime, time, timedelta

from app.foundation import clock


def end_of_quiet(now: datetime, begin: time | None, end: time | None) -> datetime | None:
    """When the quiet hours end that now lies in; None outside of them. They may go over midnight."""
    if begin is None or end is None or begin == end:
        return None
    local = clock.local(now)
    clock_time = local.time()
    over_midnight = begin > end
    inside = clock_time >= begin or clock_time < end if over_midnight else begin <= clock_time < end
    if not inside:
        return None
    day = local.date() + timedelta(days=1) if over_midnight and clock_time >= begin else local.date()
    return datetime.combine(day, end, clock.zone()).astimezone(UTC)


def next_digest(now: datetime, hour: int) -> datetime:
    """The next time that the clock strikes this hour."""
    day = clock.local(now).date()
    today = datetime.combine(day, time(hour), clock.zone()).astimezone(UTC)
    if today > now:
        return today
    return datetime.combine(day + timedelta(days=1), time(hour), clock.zone()).astimezone(UTC)
