#!/bin/sh
# A producer in shell: one job for each line of a file.
# Usage: enqueue.sh DATABASE FILE [QUEUE]
set -eu

database=${1:?usage: enqueue.sh DATABASE FILE [QUEUE]}
file=${2:?usage: enqueue.sh DATABASE FILE [QUEUE]}
queue=${3:-default}

# A quote within SQL text is written twice.
quoted() { printf '%s' "$1" | sed "s/'/''/g"; }

# One transaction: all lines or none. The timeout matters: without it the shell gives up at once when promptd, or
# another producer, is writing at that moment.
{
    printf '.timeout 10000\n.bail on\nBEGIN IMMEDIATE;\n'
    while IFS= read -r line || [ -n "$line" ]; do
        [ -n "$line" ] || continue
        printf "INSERT INTO jobs (queue, prompt) VALUES ('%s', '%s');\n" "$(quoted "$queue")" "$(quoted "$line")"
    done <"$file"
    printf 'COMMIT;\n'
} | sqlite3 "$database"
