import Crypto
import PromptQueue

/// Counts and hashes a table's rows while they pass.
struct MoveDigest {
    private var hash = SHA256()
    private var count = 0

    mutating func add(_ rows: MovedRows) {
        hash.update(data: rows.bytes)
        count += rows.count
    }

    var part: MovedPart {
        let digits = Array("0123456789abcdef")
        let text = hash.finalize().flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
        return MovedPart(count: count, digest: String(text))
    }

    /// Of what a store holds now.
    static func reading(_ table: MovedTable, of store: any MoveReader) async throws -> MovedPart {
        var digest = MoveDigest()
        try await store.read(table) { digest.add($0) }
        return digest.part
    }
}
