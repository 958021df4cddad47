import ArgumentParser
import Simulation

/// Where the simulated ledger lies.
enum Store: String, ExpressibleByArgument, CaseIterable {
    case sqlite, postgresql

    var place: Simulation.PlaceFactory? {
        switch self {
        case .sqlite: nil
        case .postgresql: Simulation.postgresql
        }
    }

    /// What a replay has to say of it.
    var option: String { self == .sqlite ? "" : " --store \(rawValue)" }
}
