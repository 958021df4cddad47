import FoundationEssentials
import Glibc
import PromptQueue

/// Makes small pictures with libvips' tools, in a directory of its own.
struct Thumbnails: Sendable {
    /// What has to be installed for it.
    static let package = "libvips-tools"
    private static let limit: Duration = .seconds(60)
    /// More processes at once would only wait for one another.
    private static let atOnce = 4

    private let vipsthumbnail: ExternalProgram
    let directory: String
    let side: Int

    /// Nil where the tools are not installed.
    init?(side: Int, directory: String, environment: [String: String]) {
        guard let program = ExternalProgram("vipsthumbnail", environment: environment) else { return nil }
        (vipsthumbnail, self.side, self.directory) = (program, side, directory)
    }

    /// JPEGs of those that are pictures, by their place in `items`. What is missing there could not be made.
    func make(_ items: [GalleryItem]) async -> [Int: [UInt8]] {
        let indices = items.indices.filter { items[$0].kind == .image && items[$0].file.contentType != "image/svg+xml" }
        return await withTaskGroup(of: (Int, [UInt8]?).self) { group in
            var made: [Int: [UInt8]] = [:]
            var rest = indices[...]
            for index in rest.prefix(Self.atOnce) { group.addTask { (index, await make(items[index].file, index)) } }
            rest = rest.dropFirst(Self.atOnce)
            while let (index, bytes) = await group.next() {
                made[index] = bytes
                if let next = rest.popFirst() { group.addTask { (next, await make(items[next].file, next)) } }
            }
            return made
        }
    }

    private func make(_ file: ResultFile, _ index: Int) async -> [UInt8]? {
        let path = "\(directory)/\(index).jpg"
        defer { unsafe unlink(path) }
        do {
            try await vipsthumbnail.run(
                [file.path, "--size", "\(side)x\(side)>", "--output", "\(path)[Q=82,strip,background=255]"],
                within: Self.limit
            )
        } catch {
            // The page links to the file itself then.
            return nil
        }
        return FileManager.default.contents(atPath: path).map { Array($0) }
    }
}
