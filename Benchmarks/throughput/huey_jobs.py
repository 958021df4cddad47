"""The same work for huey: its consumer runs the two calls of each job as one task.

Run by Benchmarks/throughput/run with the Python of an environment that has huey and urllib3:
huey_jobs.py DATABASE URL JOBS WORKERS thread|process. Prints `ready` and the CPU time used so far, and at SIGINT the
instants (Unix time) at which the first task was taken and the last one was finished.
"""

import json
import logging
import multiprocessing
import sys
import time

import urllib3
from huey import SqliteHuey
from huey import signals

database, url, jobs, workers, kind = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), sys.argv[5]

# A huey as anybody gets it: SQLite's own `synchronous`, which is FULL, and results kept.
huey = SqliteHuey("benchmark", filename=database)
http = urllib3.PoolManager(maxsize=workers, retries=False)
headers = {"Authorization": "Bearer a-key", "User-Agent": "promptd-benchmark/1", "Content-Type": "application/json"}
instants = multiprocessing.get_context("fork").Array("d", [float("inf"), 0.0])


@huey.task()
def generate(prompt):
    body = {
        "model": "flux-2/flex-text-to-image",
        "input": {"prompt": prompt, "aspect_ratio": "1:1", "resolution": "1K"},
    }
    created = http.request("POST", f"{url}/api/v1/jobs/createTask", body=json.dumps(body), headers=headers)
    task = json.loads(created.data)["data"]["taskId"]
    answer = http.request("GET", f"{url}/api/v1/jobs/recordInfo?taskId={task}", headers=headers)
    record = json.loads(answer.data)["data"]
    if record["state"] != "success":
        raise RuntimeError(record["state"])
    return json.loads(record["resultJson"])["resultUrls"]


@huey.signal(signals.SIGNAL_EXECUTING)
def taken(signal, task):
    now = time.time()
    with instants.get_lock():
        instants[0] = min(instants[0], now)


@huey.signal(signals.SIGNAL_COMPLETE)
def finished(signal, task):
    now = time.time()
    with instants.get_lock():
        instants[1] = max(instants[1], now)


def main():
    logging.getLogger("huey").setLevel(logging.WARNING)
    for number in range(jobs):
        generate(f"a red fox in the snow, number {number}")
    consumer = huey.create_consumer(
        workers=workers, worker_type=kind, periodic=False, initial_delay=0.01, max_delay=0.1
    )
    print("ready", time.process_time(), flush=True)
    try:
        consumer.run()
    finally:
        print(f"{instants[0]} {instants[1]}", flush=True)


main()
