import FoundationEssentials

/// What a half-written file is half of: kept beside it, so that it can be continued.
struct PartialSource: Sendable, Hashable, Codable {
    /// The result's own URL, as the ledger has it, whichever URL served it.
    var url: String
    /// Names this very version of the file to the server; nil: it cannot be continued.
    var validator: String?
    /// The length of the whole file, if the server has told.
    var total: Int64?
    /// The machine's run in which it was written. After a power failure a file may be as long as it was and yet hold
    /// something else, because nothing of it was synced: then it starts again.
    var bootID: String? = Self.currentBootID

    /// nil if the kernel does not tell; then nothing is continued after an end of the process.
    static let currentBootID: String? = FileManager.default.contents(atPath: "/proc/sys/kernel/random/boot_id")
        .map { String(decoding: $0, as: UTF8.self) }
}

/// Where a half-written file can be continued.
struct ResumePoint: Sendable, Hashable {
    var offset: Int64
    var validator: String
    /// The length of the whole file, if it is known.
    var total: Int64?
}
