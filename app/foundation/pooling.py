"""How many connections to PostgreSQL the processes of one machine may hold: the arithmetic of `docs/operations/scaling.md`."""

OF_WORKER, OF_SCHEDULER = 2, 1
"""One for the work, one for a job's own second transaction; ticks come one after the other."""
FIXED_WORKERS = 2
"""`messages` and `long`, beside those of WORKER_COUNT."""


def most_connections(web_workers: int, web_threads: int, pool: int, worker_count: int) -> int:
    """`pool` is what a process may hold: DB_POOL_SIZE and DB_POOL_OVERFLOW. While a new release replaces the old one, two sets of web workers hold connections."""
    web = web_workers * min(web_threads, pool)
    return 2 * web + (worker_count + FIXED_WORKERS) * OF_WORKER + OF_SCHEDULER
