import Concurrency
import FoundationEssentials
import Glibc
import NIOCore
import PromptQueue
import SystemPackage

/// The small pictures on disk: below `ThumbnailName.folder` in the media directory, a hundred folders of them.
struct ThumbnailFiles: Sendable {
    /// Of all together.
    static let mostBytes: Int64 = 512 << 20
    /// What must stay free on the disk: results are paid for, and these are not.
    static let room: Int64 = 256 << 20
    /// What a contact sheet and its drawing may need.
    private static let scratchRoom: Int64 = 320 << 20
    private static let mostFileBytes: Int64 = 1 << 20
    /// What is half written longer than this was given up.
    private static let partialAge: Int64 = 3_600 * 1_000_000_000

    private let media: MediaFiles
    private let mostBytes: Int64
    private let executor = BlockingExecutor()

    init(_ media: MediaFiles, mostBytes: Int64 = Self.mostBytes) {
        self.media = media
        self.mostBytes = mostBytes
    }

    /// - Returns: nil if there is none, or none that is whole.
    func read(_ name: ThumbnailName) async throws -> ByteBuffer? {
        try await withTaskExecutorPreference(executor) { try await Self.read(name, media) }
    }

    func write(_ picture: ByteBuffer, _ name: ThumbnailName) async throws {
        try await withTaskExecutorPreference(executor) { try await Self.write(picture, name, media) }
    }

    /// A file without a name, which is gone when nobody holds it any more.
    func scratch() async throws -> MediaFile {
        try await withTaskExecutorPreference(executor) { try await Self.scratch(media) }
    }

    func append(_ text: String, to file: MediaFile) async throws {
        try await withTaskExecutorPreference(executor) { try await Self.append(text, file) }
    }

    /// Removes those whose results are gone or are others now, what is left of a crash, and the oldest beyond the bound.
    ///
    /// - Parameter stay: those that stay, of some.
    /// - Returns: how many were removed.
    func sweep(_ stay: @Sendable ([ThumbnailName]) async throws -> Set<ThumbnailName>, now: Instant) async throws -> Int
    {
        let found = try await withTaskExecutorPreference(executor) { try await Self.list(media) }
        var gone = found.filter { entry in
            entry.name == nil && now.milliseconds * 1_000_000 - entry.changed > Self.partialAge
        }
        var kept: [Entry] = []
        var index = 0
        let named = found.filter { $0.name != nil }
        while index < named.count {
            let some = named[index..<min(index + 500, named.count)]
            index += 500
            let staying = try await stay(some.compactMap(\.name))
            for entry in some {
                if let name = entry.name, staying.contains(name) { kept.append(entry) } else { gone.append(entry) }
            }
        }
        var sum = kept.reduce(0) { $0 + $1.size }
        if sum > mostBytes {
            kept.sort { $0.changed < $1.changed }
            // Some more, so that it is not the next one's turn again at once.
            for entry in kept {
                guard sum > mostBytes / 10 * 9 else { break }
                sum -= entry.size
                gone.append(entry)
            }
        }
        let removed = gone
        try await withTaskExecutorPreference(executor) { try await Self.remove(removed, media) }
        return removed.count
    }

    private struct Entry: Sendable {
        let shard: String
        let file: String
        /// Nil: it is none of ours, or half written.
        let name: ThumbnailName?
        let size: Int64
        let changed: Int64
    }

    private static func shard(_ name: String, _ media: MediaFiles, makes: Bool = false) throws -> MediaFolder? {
        try media.root()?.folder(ThumbnailName.folder, makes: makes)?.folder(name, makes: makes)
    }

    // On the caller's executor.

    private static nonisolated func read(_ name: ThumbnailName, _ media: MediaFiles) async throws -> ByteBuffer? {
        let folder = try shard(ThumbnailName.shard(of: name.result.job), media)
        guard let file = folder?.file(name.file), (1...mostFileBytes).contains(file.size) else { return nil }
        // After a power failure it may have its name and not its content.
        let bytes = try file.read(at: 0, count: Int(file.size))
        return Self.isWhole(bytes, name.format) ? bytes : nil
    }

    private static func isWhole(_ bytes: ByteBuffer, _ format: ThumbnailName.Format) -> Bool {
        switch format {
        case .webp: WebPFile.isWhole(bytes)
        // Its first and its last marker.
        case .jpeg:
            bytes.readableBytesView.starts(with: [0xFF, 0xD8]) && bytes.readableBytesView.suffix(2) == [0xFF, 0xD9]
        }
    }

    private static nonisolated func write(
        _ picture: ByteBuffer,
        _ name: ThumbnailName,
        _ media: MediaFiles
    ) async throws {
        guard let folder = try shard(ThumbnailName.shard(of: name.result.job), media, makes: true) else {
            throw Errno.noSuchFileOrDirectory
        }
        guard folder.available.map({ $0 > room }) ?? true else { throw Errno.noSpace }
        let mark = UInt64.random(in: 0...UInt64.max)
        try folder.write(picture, as: name.file, partial: ".\(name.file).\(String(mark, radix: 36))")
    }

    private static nonisolated func scratch(_ media: MediaFiles) async throws -> MediaFile {
        // In the folder of small pictures, which is swept: between its making and the loss of its name there may be a crash.
        guard let folder = try shard("0", media, makes: true) else { throw Errno.noSuchFileOrDirectory }
        guard folder.available.map({ $0 > room + scratchRoom }) ?? true else { throw Errno.noSpace }
        return try folder.scratch(".sheet.\(String(UInt64.random(in: 0...UInt64.max), radix: 36))")
    }

    private static nonisolated func append(_ text: String, _ file: MediaFile) async throws {
        try file.append(ByteBuffer(string: text))
    }

    private static nonisolated func list(_ media: MediaFiles) async throws -> [Entry] {
        guard let root = try media.root()?.folder(ThumbnailName.folder) else { return [] }
        let path = "\(media.directory)/\(ThumbnailName.folder)"
        var entries: [Entry] = []
        for shard in try FileManager.default.contentsOfDirectory(atPath: path) {
            guard let folder = try root.folder(shard) else { continue }
            for file in try FileManager.default.contentsOfDirectory(atPath: "\(path)/\(shard)") {
                // What is no file is not ours.
                guard let status = folder.status(file), status.isFile else { continue }
                let name = ThumbnailName(file: file)
                entries.append(
                    Entry(shard: shard, file: file, name: name, size: status.size, changed: status.changed)
                )
            }
        }
        return entries
    }

    private static nonisolated func remove(_ entries: [Entry], _ media: MediaFiles) async throws {
        guard let root = try media.root()?.folder(ThumbnailName.folder) else { return }
        for entry in entries { try root.folder(entry.shard)?.remove(entry.file) }
    }
}
