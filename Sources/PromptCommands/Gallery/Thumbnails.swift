import ContactSheets
import PromptQueue

/// Small pictures of results, in JPEG.
struct Thumbnails: Sendable {
    private static let limit: Duration = .seconds(60)
    /// More processes at once would only wait for one another.
    private static let atOnce = 4

    private let tools: VipsTools
    private let side: Int

    init(_ tools: VipsTools, side: Int) {
        (self.tools, self.side) = (tools, side)
    }

    /// Those of pictures, by their place in `items`. What is missing there could not be made.
    func make(_ items: [GalleryItem]) async -> [Int: [UInt8]] {
        let indices = items.indices.filter { items[$0].kind == .image && items[$0].contentType != "image/svg+xml" }
        return await withTaskGroup(of: (Int, [UInt8]?).self) { group in
            var made: [Int: [UInt8]] = [:]
            var rest = indices[...]
            for index in rest.prefix(Self.atOnce) { group.addTask { (index, await make(items[index].path)) } }
            rest = rest.dropFirst(Self.atOnce)
            while let (index, bytes) = await group.next() {
                made[index] = bytes
                if let next = rest.popFirst() { group.addTask { (next, await make(items[next].path)) } }
            }
            return made
        }
    }

    private func make(_ path: String) async -> [UInt8]? {
        do {
            let file = try SourceFile(path)
            defer { withExtendedLifetime(file) {} }
            return try await tools.thumbnail(of: file.descriptor, side: side, as: .jpeg, within: Self.limit)
        } catch {
            // The page links to the file itself then.
            return nil
        }
    }
}
