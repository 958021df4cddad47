"""The same work for pgmq: workers read messages, do the two calls for each, and archive them.

Run by Benchmarks/postgresql/run with the Python of an environment that has pgmq, asyncpg and aiohttp:

    pgmq_jobs.py CONNINFO fill JOBS
    pgmq_jobs.py CONNINFO work URL|- LOOPS BATCH

pgmq is the extension's SQL, which its Python package brings along. A worker has so many loops beside each other, each of which reads
a batch, works on its messages at once, and archives them together. It says `ready`, begins at a line of input, works until nothing is
left, and prints the CPU time that it took.
"""

import asyncio
import sys
import time

import asyncpg
import psycopg
from calls import Provider
from pgmq import install_pgmq_from_sql
from pgmq.async_queue import PGMQueue
from psycopg.conninfo import conninfo_to_dict

QUEUE = "jobs"
# How many messages are added at once.
PORTION = 1000
# For how many seconds a message that was read is not shown to others.
VISIBILITY = 60

conninfo, command = sys.argv[1:3]


async def queue_of(connections):
    address = conninfo_to_dict(conninfo)
    pool = await asyncpg.create_pool(
        host=address["host"],
        port=int(address["port"]),
        user=address["user"],
        database=address["dbname"],
        min_size=connections,
        max_size=connections,
    )
    return PGMQueue(pool=pool, init_extension=False), pool


async def fill(jobs):
    queue, pool = await queue_of(1)
    await queue.create_queue(QUEUE)
    for first in range(0, jobs, PORTION):
        numbers = range(first, min(first + PORTION, jobs))
        await queue.send_batch(QUEUE, [{"prompt": f"a red fox in the snow, number {number}"} for number in numbers])
    await pool.close()


async def work(url, loops, batch):
    queue, pool = await queue_of(loops)
    async with Provider(url, loops * batch) as provider:

        async def loop():
            while True:
                messages = await queue.read_batch(QUEUE, vt=VISIBILITY, batch_size=batch)
                if not messages:
                    return
                await asyncio.gather(*[provider.generate(message.message["prompt"]) for message in messages])
                await queue.archive_batch(QUEUE, [message.msg_id for message in messages])

        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        before = time.process_time()
        await asyncio.gather(*[loop() for _ in range(loops)])
        print(time.process_time() - before, flush=True)
    await pool.close()


if command == "fill":
    with psycopg.connect(conninfo) as connection:
        install_pgmq_from_sql(conn=connection)
    asyncio.run(fill(int(sys.argv[3])))
else:
    asyncio.run(work(None if sys.argv[3] == "-" else sys.argv[3], int(sys.argv[4]), int(sys.argv[5])))
