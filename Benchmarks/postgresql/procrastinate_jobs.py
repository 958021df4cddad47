"""The same work for procrastinate: its worker runs the two calls of each job as one task.

Run by Benchmarks/postgresql/run with the Python of an environment that has procrastinate and aiohttp:

    procrastinate_jobs.py CONNINFO fill JOBS
    procrastinate_jobs.py CONNINFO work URL|- CONCURRENCY

A worker says `ready`, begins at a line of input, works until no job is left, and prints the CPU time that it took.
"""

import asyncio
import sys
import time

import procrastinate
from calls import Provider

# How many jobs are added at once.
PORTION = 1000

conninfo, command = sys.argv[1:3]
app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=conninfo))
provider = None


@app.task(name="generate", queue="jobs")
async def generate(prompt):
    return await provider.generate(prompt)


async def fill(jobs):
    async with app.open_async():
        await app.schema_manager.apply_schema_async()
        for first in range(0, jobs, PORTION):
            numbers = range(first, min(first + PORTION, jobs))
            await generate.batch_defer_async(*[{"prompt": f"a red fox in the snow, number {number}"} for number in numbers])


async def work(url, concurrency):
    global provider
    async with app.open_async(), Provider(url, concurrency) as provider:
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        before = time.process_time()
        # Its defaults, but that it ends when there is nothing more to do; jobs are kept.
        await app.run_worker_async(
            queues=["jobs"], concurrency=concurrency, wait=False, install_signal_handlers=False
        )
        print(time.process_time() - before, flush=True)


if command == "fill":
    asyncio.run(fill(int(sys.argv[3])))
else:
    asyncio.run(work(None if sys.argv[3] == "-" else sys.argv[3], int(sys.argv[4])))
