import GRDB
package import PromptQueue

extension QueueFile {
    package func restoredCopy() throws(LedgerError) -> RestoredCopy? {
        try read { db in try RestoredCopies(db: db).current() }
    }

    package func isUnnoticedCopy() throws(LedgerError) -> Bool {
        try read { db in try RestoredCopies(db: db).isUnnoticed() }
    }

    package func databaseID() throws(LedgerError) -> String {
        try read { db in try String.fetchOne(db, sql: "SELECT database_id FROM daemon") ?? "" }
    }

    package func jobsToSend(of copy: RestoredCopy) throws(LedgerError) -> [JobID] {
        try read { db in
            try Int64.fetchAll(
                db,
                sql: "SELECT id FROM jobs WHERE state = 'queued' AND id <= ? ORDER BY id",
                arguments: [copy.lastJob.rawValue]
            )
            .map { JobID($0) }
        }
    }

    package func release() throws(LedgerError) {
        try write { db in try RestoredCopies(db: db).release() }
    }
}
