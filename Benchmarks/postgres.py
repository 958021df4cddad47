"""A PostgreSQL of a benchmark's own: in the scratch directory, on a socket there, and waiting for the disk as it does by default."""

import glob
import os
import pwd
import shutil
import subprocess

from harness import fail, start, tail, wait

# What docs/postgresql.md says of VACUUM, and room in the log, so that no checkpoint falls into one contender's time and not into another's.
PARAMETERS = {
    "listen_addresses": "",
    "max_connections": "300",
    "shared_buffers": "512MB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "30min",
    "autovacuum_naptime": "10s",
}

TICKS = os.sysconf("SC_CLK_TCK")


def find_postgres():
    """The folder of PostgreSQL's programs: PROMPTD_POSTGRES_BIN, the newest of Debian's, or wherever initdb is."""
    folders = [os.environ.get("PROMPTD_POSTGRES_BIN")]
    folders += sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda folder: -int(folder.split("/")[4]))
    folders += [os.path.dirname(shutil.which("initdb") or "")]
    for folder in folders:
        if folder and os.access(f"{folder}/initdb", os.X_OK):
            return folder
    fail("PostgreSQL 15 or newer is missing: apt-get install postgresql, or name the directory of initdb in PROMPTD_POSTGRES_BIN")


class Server:
    """The server, and what it has used and done."""

    def __init__(self, scratch, started, parameters=None):
        self.programs, self.scratch, self.started = find_postgres(), scratch, started
        self.folder = f"{scratch}/postgresql"
        os.mkdir(self.folder)
        # It refuses root, and its user has to get to its directory.
        self.user = {}
        if os.geteuid() == 0:
            entry = next(pwd.getpwnam(name) for name in ("postgres", "nobody") if self.exists(name))
            self.user = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
            os.chmod(scratch, 0o711)
            os.chown(self.folder, entry.pw_uid, entry.pw_gid)
        data, log = f"{self.folder}/data", f"{self.folder}/log"
        with open(log, "wb") as output:
            made = subprocess.run(
                [
                    f"{self.programs}/initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8",
                    "--no-instructions",
                ],
                stdout=output,
                stderr=output,
                cwd=self.folder,
                **self.user,
            )
        if made.returncode != 0:
            fail(f"initdb failed\n{tail(log)}")
        settings = {**PARAMETERS, "unix_socket_directories": self.folder, **(parameters or {})}
        with open(log, "ab") as output:
            self.process = start(
                [f"{self.programs}/postgres", "-D", data]
                + [argument for name, value in settings.items() for argument in ("-c", f"{name}={value}")],
                started,
                stdout=output,
                stderr=output,
                cwd=self.folder,
                **self.user,
            )
        ready = [f"{self.programs}/pg_isready", "--quiet", "--host", self.folder]
        wait("PostgreSQL answers", lambda: subprocess.run(ready).returncode == 0, self.process, log, 60)

    @staticmethod
    def exists(user):
        try:
            return pwd.getpwnam(user)
        except KeyError:
            return None

    def conninfo(self, database):
        return f"host={self.folder} port=5432 user=postgres dbname={database}"

    def session(self, database="postgres"):
        return Session(self, database)

    def cpu_seconds(self):
        """What all of its processes have used, those that have ended included."""
        pid = self.process.pid
        with open(f"/proc/{pid}/task/{pid}/children") as file:
            children = file.read().split()
        # The postmaster's own figures have those of its children that have ended.
        ticks = sum(times(pid, 4))
        for child in children:
            try:
                ticks += sum(times(child, 2))
            except OSError:
                pass
        return ticks / TICKS


def times(pid, count):
    """A process's user and system time in ticks, and those of its children that have ended."""
    with open(f"/proc/{pid}/stat") as file:
        return [int(field) for field in file.read().rpartition(")")[2].split()[11 : 11 + count]]


class Session:
    """A psql that stays open: to look at a run must not cost a new connection each time."""

    END = "that is all"

    def __init__(self, server, database):
        self.server = server
        self.errors = f"{server.scratch}/psql-{database}.errors"
        with open(self.errors, "wb") as errors:
            self.process = start(
                [f"{server.programs}/psql", "-X", "-q", "-At", "-v", "ON_ERROR_STOP=1", server.conninfo(database)],
                server.started,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )

    def query(self, sql):
        """The rows, each as a list of texts."""
        self.process.stdin.write(f"{sql};\n\\echo {self.END}\n")
        self.process.stdin.flush()
        rows = []
        for line in self.process.stdout:
            if line.rstrip("\n") == self.END:
                return rows
            rows.append(line.rstrip("\n").split("|"))
        fail(f"psql failed: {sql}\n{tail(self.errors)}")

    def close(self):
        self.process.stdin.close()
        self.process.wait(30)
        self.server.started.remove(self.process)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        # After a failure whatever was started is ended anyway.
        if kind is None:
            self.close()
