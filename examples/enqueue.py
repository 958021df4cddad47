#!/usr/bin/env python3
"""A producer in Python, with nothing but its standard library.

Usage: enqueue.py DATABASE

Enqueues two pictures of each product, once: running it again adds nothing, because each job has a unique key.
"""

import json
import sqlite3
import sys

PRODUCTS = {
    "MUG-7": "an enamel mug, speckled white",
    "LAMP-2": "a brass reading lamp",
}


def enqueue(database: str) -> int:
    # isolation_level=None: transactions are begun and ended here, not by the module.
    # timeout: how many seconds to wait while promptd or another producer is writing.
    connection = sqlite3.connect(f"file:{database}?mode=rw", uri=True, timeout=10, isolation_level=None)
    try:
        connection.execute("BEGIN IMMEDIATE")
        added = 0
        for sku, subject in PRODUCTS.items():
            for view in ("front", "top"):
                cursor = connection.execute(
                    """
                    INSERT INTO jobs (prompt, input, queue, batch, labels, unique_key)
                    VALUES (?, ?, 'shop', 'catalogue', ?, ?)
                    ON CONFLICT (unique_key) DO NOTHING
                    """,
                    (
                        f"{subject}, {view} view, plain background",
                        json.dumps({"aspect_ratio": "1:1", "resolution": "1K"}),
                        json.dumps({"sku": sku, "view": view}),
                        f"{sku}/{view}",
                    ),
                )
                added += cursor.rowcount
        connection.execute("COMMIT")
        return added
    finally:
        connection.close()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    print(f"{enqueue(sys.argv[1])} jobs added")
