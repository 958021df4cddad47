#pragma once

// What SQLite's C interface takes by functions with a variable number of arguments, which Swift cannot call.

/// Has SQLite allocate memory without counting it. Returns its result code: 0, or 21 if a database has been opened before.
int sqlite_without_memory_statistics(void);

struct sqlite3;

/// Has a connection's changes fire no triggers. Returns SQLite's result code.
int sqlite_without_triggers(struct sqlite3 *database);
