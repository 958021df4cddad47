/// A sum or a count that is kept, and is not what the rows add up to.
package struct SumFault: Sendable, Hashable, CustomStringConvertible {
    /// Its table.
    package let table: String
    /// Which row and column of it.
    package let row: String
    package let kept: Int64
    /// What the ledger, or the jobs, add up to.
    package let counted: Int64

    package var description: String { "\(table) (\(row)): \(kept), but the rows add up to \(counted)" }

    package init(
        table: String,
        row: String,
        kept: Int64,
        counted: Int64
    ) {
        self.table = table
        self.row = row
        self.kept = kept
        self.counted = counted
    }
}
