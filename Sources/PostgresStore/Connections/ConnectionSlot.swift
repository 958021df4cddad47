import Postgres
import PromptQueue

/// A connection that is opened when it is needed, and anew after it was lost.
actor ConnectionSlot {
    private let settings: PostgresSettings
    private let prepare: @Sendable (PostgresConnection) async throws -> Void
    private var opening: Task<PostgresConnection, any Error>?

    /// - Parameter prepare: what each new connection is told first.
    init(
        _ settings: PostgresSettings,
        prepare: @escaping @Sendable (PostgresConnection) async throws -> Void
    ) {
        self.settings = settings
        self.prepare = prepare
    }

    /// Whoever asks for it meanwhile waits for the same connection.
    func connection() async throws -> PostgresConnection {
        if let opening, let known = try? await opening.value, await known.lossReason == nil { return known }
        let new = Task { [settings, prepare] in
            let connection = try await PostgresConnection.open(settings)
            try await prepare(connection)
            return connection
        }
        opening = new
        do {
            return try await new.value
        } catch {
            if opening == new { opening = nil }
            throw error
        }
    }

    func close() async {
        guard let known = try? await opening?.value else { return }
        opening = nil
        await known.close()
    }
}

extension LedgerError {
    /// What an error of PostgreSQL means to the daemon.
    init(_ error: any Error) {
        switch error {
        case let error as LedgerError:
            self = error
        case is CancellationError:
            self.init(.cancelled, "was cut off")
        case let error as PostgresError:
            self.init(Self.code(of: error), Self.rule(in: error) ?? error.message)
        default:
            self.init(.other, String(describing: error))
        }
    }

    /// The words of a rule of the schema; nil for what else a server says, which may quote what stands in rows.
    private static func rule(in error: PostgresError) -> String? {
        guard let server = error.server, server.state.errorClass == "23" || server.state.errorClass == "P0" else {
            return nil
        }
        return server.message
    }

    private static func code(of error: PostgresError) -> Code {
        if let state = error.sqlState {
            switch state.errorClass {
            case "PD" where state == "PD001": return .fenced
            // A rule of the schema's, or a number or a text that no column holds.
            case "23", "22", "P0": return .constraint
            case "53": return state == "53100" ? .full : .busy
            case "42" where state == "42501": return .permission
            case "42", "3F", "3D": return .unusable
            case "58", "XX": return .inputOutput
            case "25" where state == "25006": return .inputOutput
            default: break
            }
        }
        switch error.code {
        case .settings, .pooler: return .unusable
        case .cannotConnect, .connectionLost, .commit: return .inputOutput
        case .refused: return error.isTransient ? .busy : .other
        case .unsendable: return .constraint
        case .mismatch, .misuse: return .other
        }
    }

    /// Runs `body`; whatever it throws comes out as a `LedgerError`.
    static func wrapping<T>(_ body: () async throws -> T) async throws(LedgerError) -> T {
        do {
            return try await body()
        } catch {
            throw LedgerError(error)
        }
    }

    static func wrapping<T>(_ body: () throws -> T) throws(LedgerError) -> T {
        do {
            return try body()
        } catch {
            throw LedgerError(error)
        }
    }
}
