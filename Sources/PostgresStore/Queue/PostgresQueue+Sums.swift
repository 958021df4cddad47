import Postgres
package import PromptQueue

extension PostgresQueue {
    package func sumFaults() throws(LedgerError) -> [SumFault] { try reading { try KeptSums.faults($0) } }

    package func rebuildSums() throws(LedgerError) -> [SumFault] {
        try change { connection in
            try KeptSums.hold(connection)
            let faults = try KeptSums.faults(connection)
            if !faults.isEmpty { try KeptSums.mend(connection) }
            return faults
        }
    }
}
