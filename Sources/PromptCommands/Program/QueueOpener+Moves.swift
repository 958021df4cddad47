import JobStore
import PostgresStore
import PromptQueue

extension QueueOpener {
    /// - Parameter media: the media directory.
    static func moveSource(_ place: DatabasePlace, media: String) async throws -> any MoveSource {
        switch place {
        case .postgres(let address): return try await PostgresMoveSource(address)
        case .file(let path):
            do {
                return try SQLiteMoveSource(path: path, media: media)
            } catch let error as LedgerHeld {
                throw CommandError(.temporary, "\(path): \(error)")
            }
        }
    }

    static func moveDestination(_ place: DatabasePlace) async throws -> any MoveDestination {
        switch place {
        case .postgres(let address): try await PostgresMoveDestination(address)
        case .file(let path): try SQLiteMoveDestination(path: path)
        }
    }
}
