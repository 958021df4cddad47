import ArgumentParser
import Simulation

/// Where the simulated ledger lies, and who works on it.
enum Store: String, ExpressibleByArgument, CaseIterable {
    case sqlite, postgresql, several

    var place: Simulation.PlaceFactory? {
        switch self {
        case .sqlite: nil
        case .postgresql: Simulation.postgresql
        case .several: Simulation.several
        }
    }

    /// What a replay has to say of it.
    var option: String { self == .sqlite ? "" : " --store \(rawValue)" }
}
