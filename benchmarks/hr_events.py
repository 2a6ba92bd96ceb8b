"""HR announces many: how long until a task is visible, and whether 200 events a second are all kept.

Starts a portal of real processes with durable engines on loopback and ends it again. See README.md.
"""

import argparse
import http.client
import json
import statistics
import sys
import threading
import time

import psutil
import psycopg2

from tests.deployment import HR_KEY, Deployment, throwaway

TASKS_EACH = 3
PLANNED = "SELECT count(*) FROM hr_events WHERE planned_at IS NOT NULL AND payload::text LIKE '%%load.%%'"
TASKS = "SELECT count(*) FROM workflow_tasks JOIN users ON users.id = target_id WHERE email LIKE 'load.%%'"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=int, default=200, help="events a second offered under load")
    parser.add_argument("--seconds", type=int, default=30, help="how long")
    parser.add_argument("--connections", type=int, default=24)
    parser.add_argument("--singles", type=int, default=200, help="events of the latency measurement")
    given = parser.parse_args()
    with throwaway() as portal:
        portal.open("worker", "scheduler", "web")
        furnish(portal)
        latency(portal, given.singles)
        return load(portal, given.rate, given.seconds, given.connections)


def furnish(portal: Deployment) -> None:
    """A template for everybody with three products: each joiner makes three tasks."""
    token = portal.token_of("first")

    def add(resource: str, **fields: object) -> int:
        return int(portal.send("POST", f"/api/v1/{resource}/", fields, token=token).json["id"])

    service = add("services", name="Suite")
    products = [add("products", service_id=service, name=name) for name in ("Mail", "Drive", "Chat")]
    add("access-templates", name="Everybody", product_ids=products)


def latency(portal: Deployment, count: int) -> None:
    """From the first byte of the call until its last task stands in the database, one event after the other."""
    seconds = []
    for number in range(count):
        email = f"single.{number}@example.com"
        begun = time.monotonic()
        portal.hr("onboarding", name=f"Single {number}", email=email)
        with psycopg2.connect(portal.database_url.replace("+psycopg2", "")) as connection:
            cursor = connection.cursor()
            query = "SELECT count(*) FROM workflow_tasks JOIN users ON users.id = target_id WHERE email = %s"
            while True:
                cursor.execute(query, [email])
                if cursor.fetchone()[0] == TASKS_EACH:
                    break
                connection.commit()
                time.sleep(0.002)
        seconds.append(time.monotonic() - begun)
        connection.close()
    print(f"webhook to tasks visible, {count} events one by one: {spread(seconds)}", flush=True)


def load(portal: Deployment, rate: int, seconds: int, connections: int) -> int:
    """An open loop: each event has its time, and what comes late counts from then."""
    before = processor_seconds(portal)
    begun = time.monotonic()
    answers = offer(portal, rate, seconds, connections)
    took = time.monotonic() - begun
    total, accepted = rate * seconds, sum(status == 202 for status, _ in answers)
    print(f"offered {rate}/s for {seconds} s over {connections} connections: {accepted} of {total} accepted")
    print(
        f"  in {took:.1f} s, {accepted / took:.0f}/s; answer after its time: {spread([s for _, s in answers])}"
    )
    used = {name: value - before[name] for name, value in processor_seconds(portal).items()}
    print("  processor: " + ", ".join(f"{name} {value:.1f} s" for name, value in used.items()))
    others = {status for status, _ in answers} - {202}
    if others:
        print(f"  other answers: {others}")
    return verify(portal, accepted)


def offer(portal: Deployment, rate: int, seconds: int, connections: int) -> list[tuple[int, float]]:
    """Send; returns each answer's status and how long after its time it came."""
    answers: list[tuple[int, float]] = []
    numbers = iter(range(rate * seconds))
    lock = threading.Lock()
    begun = time.monotonic()

    def send() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", portal.port, timeout=30)
        headers = {"Content-Type": "application/json", "X-API-Key": HR_KEY}
        while True:
            with lock:
                number = next(numbers, None)
            if number is None:
                return
            due = begun + number / rate
            time.sleep(max(due - time.monotonic(), 0))
            employee = {"name": f"Load {number}", "email": f"load.{number}@example.com"}
            body = json.dumps({"employee": employee}).encode()
            try:
                connection.request("POST", "/api/webhooks/hr/onboarding", body, headers)
                answer = connection.getresponse()
                answer.read()
                status = answer.status
            except (OSError, http.client.HTTPException):
                connection.close()
                status = 0
            answers.append((status, time.monotonic() - due))

    threads = [threading.Thread(target=send) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def verify(portal: Deployment, accepted: int) -> int:
    """Wait for the work to be done, then count: every accepted event, and exactly its tasks."""
    ahead, begun = portal.one(PLANNED), time.monotonic()
    while (
        portal.one("SELECT count(*) FROM outbox WHERE state = 'waiting'") and time.monotonic() - begun < 900
    ):
        time.sleep(0.5)
    took, done = time.monotonic() - begun, portal.one(PLANNED)
    print(f"  planned while it lasted: {ahead}; the rest after {took:.0f} s, {(done - ahead) / took:.0f}/s")
    tasks = portal.one(TASKS)
    print(
        f"  kept: {done} events, {tasks} tasks, {portal.one('SELECT count(*) FROM audit_logs')} audit entries"
    )
    sound = done == accepted and tasks == accepted * TASKS_EACH
    print("  nothing lost, nothing doubled" if sound else "  NOT WHAT WAS ACCEPTED")
    return int(not sound)


def processor_seconds(portal: Deployment) -> dict[str, float]:
    """What each part has used so far; connections of PostgreSQL that have ended count no more."""
    used = {"this generator": sum(psutil.Process().cpu_times()[:2])}
    for name, process in portal.running.items():
        family = [psutil.Process(process.pid), *process.descendants()]
        used[name] = sum(sum(member.cpu_times()[:2]) for member in family)
    return used


def spread(seconds: list[float]) -> str:
    cuts = statistics.quantiles(seconds, n=100, method="inclusive")
    return f"p50 {cuts[49] * 1000:.0f} ms, p99 {cuts[98] * 1000:.0f} ms, worst {max(seconds) * 1000:.0f} ms"


if __name__ == "__main__":
    sys.exit(main())
