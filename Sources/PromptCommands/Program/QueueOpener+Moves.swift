import JobStore
import PostgresStore
import PromptQueue

extension QueueOpener {
    /// - Parameters:
    ///   - media: the media directory.
    ///   - state: where a daemon of a server's database has its own files.
    static func moveSource(_ place: DatabasePlace, media: String, state: String) async throws -> any MoveSource {
        switch place {
        case .postgres(let address): return try await PostgresMoveSource(address, files: state + "/postgresql")
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
