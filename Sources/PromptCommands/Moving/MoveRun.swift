import PromptQueue

/// A move from one store to another, step by step. Each step is committed in one of them before the next, and whoever runs it again goes on
/// where it broke off: at no moment can both be worked on.
struct MoveRun {
    /// What has been done.
    enum Step: Sendable, Hashable {
        /// The source refuses writes.
        case closed
        /// So does the destination, but for the move.
        case begun
        /// Some rows of a table are on their way.
        case sent(String)
        case taken(String, MovedPart)
        case completed
        case verified(rows: Int, sums: Int)
        /// The source has given the queue away.
        case finished
        case opened
    }

    let source: any MoveSource
    let destination: any MoveDestination
    /// Told of each step. What it throws ends the run there.
    var onStep: (Step) throws -> Void = { _ in }

    /// - Returns: what was left behind, in words.
    /// - Throws: `CommandError` and `LedgerError`, which say what to do; what `onStep` throws.
    func run() async throws -> [String] {
        let known = try await source.record()
        let notes = known == nil ? try await source.check() : []
        if let known, try await isOver(known) { return notes }
        let move = try await source.close(for: destination.place)
        try onStep(.closed)
        var parts: [String: MovedPart]
        do {
            parts = try await destination.begin(move)
        } catch {
            // Nothing has been carried yet.
            if known == nil { try await source.reopen() }
            throw error
        }
        try onStep(.begun)
        for table in MovedTable.all where parts[table.name] == nil { parts[table.name] = try await carry(table, move) }
        try await destination.complete()
        try onStep(.completed)
        try await verify(move, parts)
        try await source.finish()
        try onStep(.finished)
        try await destination.open(move)
        try onStep(.opened)
        return notes
    }

    /// Whether there is nothing to do any more for a move that was begun before.
    private func isOver(_ known: MoveRecord) async throws -> Bool {
        switch (known.state, try await destination.state(of: known)) {
        case (_, .moved?):
            // It was opened, so the queue is there, whatever an older copy of the source says.
            try await source.finish()
            return true
        case (.moving, .moving?), (.moved, .moving?): return false
        case (.moving, nil):
            guard known.destination == destination.place else {
                throw CommandError(.badData, "\(source.place): \(known.refusalOfSource)")
            }
            return false
        case (.moved, nil):
            throw CommandError(
                .badData,
                "\(source.place): \(known.refusalOfSource); \(destination.place) knows nothing of it"
            )
        }
    }

    private func carry(_ table: MovedTable, _ move: MoveRecord) async throws -> MovedPart {
        do {
            var digest = MoveDigest()
            try await destination.take(table, move) { write in
                try await source.read(table) { rows in
                    digest.add(rows)
                    try await write(rows)
                    try onStep(.sent(table.name))
                }
                return digest.part
            }
            try onStep(.taken(table.name, digest.part))
            return digest.part
        } catch let error as LedgerError {
            throw LedgerError(error.code, "table \(table.name): \(error.message)")
        }
    }

    /// Reads both once more: what came across, and what is there.
    private func verify(_ move: MoveRecord, _ parts: [String: MovedPart]) async throws {
        var problems: [String] = []
        var rows = 0
        for table in MovedTable.all {
            let sent = try await MoveDigest.reading(table, of: source)
            let came = try await MoveDigest.reading(table, of: destination)
            rows += came.count
            if sent != came || parts[table.name] != came {
                problems.append(
                    sent.count == came.count
                        ? "table \(table.name): its \(grouped(sent.count)) rows are not the same"
                        : "table \(table.name): \(count(sent.count, "row")) before, \(grouped(came.count)) now"
                )
            }
        }
        let sums = try await source.sums()
        problems += sums.differences(now: try await destination.sums())
        guard problems.isEmpty else {
            try await destination.forget(move)
            throw CommandError(
                .badData,
                """
                \(problems.prefix(5).joined(separator: "; ")). Nothing was opened: promptctl migrate, called as before, carries all tables \
                anew, and promptctl migrate --undo takes the move back
                """
            )
        }
        try onStep(.verified(rows: rows, sums: sums.count))
    }
}
