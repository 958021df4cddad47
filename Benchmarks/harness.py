"""What the benchmarks share: finding the programs, starting, watching and ending processes, and databases to fill."""

import glob
import os
import platform
import shutil
import signal
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def fail(message):
    sys.exit(f"benchmark: {message}")


def find_programs():
    """The folder of the programs: PROMPTD_BIN_DIR, else dist."""
    folder = os.environ.get("PROMPTD_BIN_DIR") or f"{ROOT}/dist"
    if not os.access(f"{folder}/promptd", os.X_OK):
        fail(f"there is no promptd in {folder}; build it (make release does), or set PROMPTD_BIN_DIR")
    return folder


# Processes


def start(arguments, started, **options):
    process = subprocess.Popen(arguments, **{"stdin": subprocess.DEVNULL, **options})
    started.append(process)
    return process


def end(process, signal_number=signal.SIGTERM):
    """Ends a process in an orderly way, else at once."""
    if process.poll() is None:
        process.send_signal(signal_number)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait(what, is_so, process, log, limit, interval=0.05):
    deadline = time.monotonic() + limit
    while not is_so():
        if process.poll() is not None:
            fail(f"{what}: the process ended\n{tail(log)}")
        if time.monotonic() > deadline:
            fail(f"{what}: it did not happen within {limit} s\n{tail(log)}")
        time.sleep(interval)


def tail(path):
    with open(path, errors="replace") as file:
        return "".join(file.readlines()[-20:])


def cpu_seconds(process):
    """User and system time that a process, or the process of an id, has used."""
    pid = process if isinstance(process, int) else process.pid
    return time.clock_gettime(~pid << 3 | 2)  # clock_getcpuclockid(3)


def resident_bytes(process):
    with open(f"/proc/{process.pid}/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def make_environment(scratch, packages):
    """A Python environment with packages from PyPI in the scratch directory; its interpreter."""
    print(f"making a Python environment with {', '.join(packages)}", flush=True)
    folder = f"{scratch}/python"
    log = f"{scratch}/pip.log"
    with open(log, "wb") as output:
        for command in [
            [sys.executable, "-m", "venv", folder],
            [f"{folder}/bin/python", "-m", "pip", "install", "--quiet", *packages],
        ]:
            if subprocess.run(command, stdout=output, stderr=output).returncode != 0:
                fail(f"{' '.join(command)} failed\n{tail(log)}")
    return f"{folder}/bin/python"


class Scratch:
    """A directory of its own, and whatever was started: both are gone in the end, on a signal too."""

    def __init__(self, name, parent="/var/tmp", keep=False):
        self.path = tempfile.mkdtemp(prefix=f"promptd-{name}-", dir=parent)
        self.started = []
        self.keep = keep
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in reversed(self.started):
            end(process)
        if self.keep:
            print(f"kept: {self.path}")
        else:
            shutil.rmtree(self.path, ignore_errors=True)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


def answers(port):
    """Whether somebody listens there."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    except OSError:
        return False


# promptd

# Settings that lift an account's limits, and leave out what is not measured.
LIFTED = {
    "PROMPTD_DOWNLOADS_ENABLED": "false",
    "PROMPTD_LIMITS_SUBMISSIONS": "100000",
    "PROMPTD_LIMITS_WINDOW": "1ms",
    "PROMPTD_LIMITS_RUNNING": "100000",
    "PROMPTD_LIMITS_POLLS_PER_SECOND": "1000000",
    "PROMPTD_LOG_LEVEL": "notice",
}


def make_database(path):
    """A new database of the present schema; the open connection."""
    connection = sqlite3.connect(path, isolation_level=None, timeout=30)
    connection.execute("PRAGMA journal_mode = WAL")
    for migration in sorted(glob.glob(f"{ROOT}/migrations/*.sql")):
        with open(migration) as file:
            connection.executescript(file.read())
    return connection


def start_promptd(programs, folder, url, started, settings=None, environment=None):
    """Starts the daemon on FOLDER/promptd.sqlite; its process, its log, and the seconds until it said READY."""
    ready = f"{folder}/notify"
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    listener.bind(ready)
    listener.settimeout(60)
    variables = {
        "PATH": os.environ["PATH"],
        "HOME": folder,
        "NOTIFY_SOCKET": ready,
        "KIE_API_KEY": "sandbox-key",
        "PROMPTD_DATABASE": f"{folder}/promptd.sqlite",
        "PROMPTD_MEDIA": f"{folder}/media",
        "PROMPTD_PROVIDER_BASE_URL": url,
        "PROMPTD_WEB_LISTEN": "off",
        "PROMPTD_LOG_FORMAT": "text",
    }
    variables.update(settings or {})
    variables.update(environment or {})
    open(f"{folder}/promptd.yaml", "w").close()
    log = f"{folder}/log"
    began = time.monotonic()
    with open(log, "wb") as output:
        process = start(
            [f"{programs}/promptd", "--config", f"{folder}/promptd.yaml"], started, env=variables, stderr=output
        )
    while b"READY=1" not in receive(listener, process, log):
        pass
    took = time.monotonic() - began
    listener.close()
    os.unlink(ready)
    return process, log, took


def receive(listener, process, log):
    try:
        return listener.recv(4096)
    except TimeoutError:
        fail(f"promptd is not ready (exit {process.poll()})\n{tail(log)}")


def start_sandbox(programs, folder, started, *arguments):
    """Starts kie-sandbox on a free port; its URL."""
    port = free_port()
    log = f"{folder}/sandbox.log"
    with open(log, "wb") as output:
        process = start(
            [f"{programs}/kie-sandbox", "--listen", f"127.0.0.1:{port}", *arguments],
            started,
            stdout=output,
            stderr=output,
        )
    wait("kie-sandbox answers", lambda: answers(port), process, log, 20)
    return f"http://127.0.0.1:{port}"


# promptd's HTTP client alone

CLIENT = f"{ROOT}/.build-release/release/client-benchmark"

# As many connections as the client opens.
CLIENT_CONCURRENCY = 64


def has_client():
    if os.access(CLIENT, os.X_OK):
        return True
    print("no client-benchmark in .build-release (make benchmark builds it): left out", flush=True)
    return False


def run_client(scratch, url, jobs, started):
    """Seconds, and seconds of CPU time, of the two calls of each job alone."""
    with open(f"{scratch}/client", "wb") as output:
        process = start([CLIENT, url, str(jobs), str(CLIENT_CONCURRENCY)], started, stdout=output, stderr=output)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    started.remove(process)
    if process.returncode != 0:
        fail(f"client-benchmark ended with {process.returncode}\n{tail(f'{scratch}/client')}")
    return float(tail(f"{scratch}/client")), usage.ru_utime + usage.ru_stime


# Figures


def in_turns(contenders, rounds):
    """What each contender returned in each round. Each round begins with another one."""
    results = {name: [] for name in contenders}
    names = list(contenders)
    for number in range(rounds):
        for name in names[number % len(names):] + names[: number % len(names)]:
            results[name].append(contenders[name]())
        shown = ", ".join(f"{name} {results[name][-1][0]:.0f}" for name in names)
        print(f"round {number + 1} of {rounds}: {shown} jobs/s", flush=True)
    return results


def median(values):
    return statistics.median(values)


def quantile(values, fraction):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * fraction))]


def machine(programs, scratch):
    with open("/proc/cpuinfo") as file:
        models = [line.split(":", 1)[1].strip() for line in file if line.startswith("model name")]
    kind = subprocess.run(["stat", "-f", "-c", "%T", scratch], capture_output=True, text=True).stdout.strip()
    return (
        f"programs: {os.path.relpath(programs, ROOT) if programs.startswith(ROOT) else programs}\n"
        f"machine: {len(models)} x {models[0] if models else platform.machine()}, Linux {platform.release()}\n"
        f"disk: {kind}, {sync_rate(scratch):.0f} synced writes of 4 KiB per second"
    )


def sync_rate(folder):
    """How often a second this disk can append 4 KiB and fdatasync it: the ceiling of commits without grouping."""
    path = f"{folder}/sync"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT)
    count, began = 0, time.monotonic()
    while time.monotonic() - began < 1:
        os.write(descriptor, b"\0" * 4096)
        os.fdatasync(descriptor)
        count += 1
    took = time.monotonic() - began
    os.close(descriptor)
    os.unlink(path)
    return count / took
