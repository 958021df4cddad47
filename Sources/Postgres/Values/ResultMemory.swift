import CPostgres

/// A result of libpq's, freed with its last owner.
///
/// It may be passed between threads: results are read-only once they are made (libpq, "Behavior in threaded programs"), and nothing
/// here changes one.
@safe final class ResultMemory: @unchecked Sendable {
    let pointer: OpaquePointer
    let rows: Int
    let columns: Int

    init(_ pointer: OpaquePointer) {
        unsafe self.pointer = unsafe pointer
        rows = Int(unsafe PQntuples(pointer))
        columns = Int(unsafe PQnfields(pointer))
    }

    deinit { unsafe PQclear(pointer) }

    /// The first word of the server's tag: `INSERT`, `COMMIT`, `ROLLBACK`.
    var command: Substring {
        unsafe String(cString: PQcmdStatus(pointer)).prefix { $0 != " " }
    }

    var affected: Int { unsafe Int(String(cString: PQcmdTuples(pointer))) ?? 0 }

    func name(of column: Int) -> String {
        guard let name = unsafe PQfname(pointer, Int32(truncatingIfNeeded: column)) else { return "" }
        return unsafe String(cString: name)
    }

    func type(of column: Int) -> UInt32 { unsafe PQftype(pointer, Int32(truncatingIfNeeded: column)) }

    func isNull(_ row: Int, _ column: Int) -> Bool {
        unsafe PQgetisnull(pointer, Int32(truncatingIfNeeded: row), Int32(truncatingIfNeeded: column)) != 0
    }

    /// As long as this object lives.
    func bytes(_ row: Int, _ column: Int) -> UnsafeRawBufferPointer {
        let (row, column) = (Int32(truncatingIfNeeded: row), Int32(truncatingIfNeeded: column))
        return unsafe UnsafeRawBufferPointer(
            start: PQgetvalue(pointer, row, column),
            count: Int(PQgetlength(pointer, row, column))
        )
    }
}
