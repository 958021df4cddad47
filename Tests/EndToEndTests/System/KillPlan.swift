import Foundation

/// How much is killed, and what every random choice follows from.
struct KillPlan {
    let kills: Int
    /// How many come in until all kills are done.
    let jobs: Int
    let seed: UInt64
    /// For how many seconds the provider's front holds some of the requests; 0: it holds none.
    let heldSeconds: Int

    /// Both ends keep this limit: 20 new tasks within any two seconds, so that a window spans several lives. Where requests
    /// are held, each that was lost keeps its slot until it cannot arrive any more: there have to be more slots.
    var submissions: Int { heldSeconds > 0 ? 120 : 20 }
    static let windowSeconds = 2
    /// For how long a lost request keeps its slot.
    var lateSeconds: Int { heldSeconds > 0 ? heldSeconds + 20 : 0 }
    /// What every job costs, in millicredits.
    static let price = 14_000

    private static let usual = (kills: 25, jobs: 100)

    struct Malformed: Error, CustomStringConvertible {
        let description: String
    }

    /// - Parameter heldSeconds: with a front that holds requests the run is a tenth as long.
    /// - Throws: `Malformed` when `PROMPTD_TEST_KILLS`, `PROMPTD_TEST_JOBS` or `PROMPTD_TEST_SEED` is no such number.
    init(heldSeconds: Int = 0, environment: [String: String] = ProcessInfo.processInfo.environment) throws {
        func number<Number: FixedWidthInteger>(_ name: String, from least: Number) throws -> Number? {
            guard let text = environment[name] else { return nil }
            guard let number = Number(text), number >= least else {
                throw Malformed(description: "\(name) is \"\(text)\": it has to be a number from \(least) on")
            }
            return number
        }
        let kills = try number("PROMPTD_TEST_KILLS", from: 1) ?? Self.usual.kills
        let jobs = try number("PROMPTD_TEST_JOBS", from: 10) ?? Self.usual.jobs
        self.kills = heldSeconds > 0 ? min(kills, max(25, kills / 10)) : kills
        self.jobs = heldSeconds > 0 ? min(jobs, max(100, jobs / 5)) : jobs
        self.heldSeconds = heldSeconds
        seed = try number("PROMPTD_TEST_SEED", from: 0) ?? .random(in: 0...UInt64.max)
    }

    /// When a run is given up, whatever it waits for: several times what it takes.
    static var minutes: Int {
        let kills = ProcessInfo.processInfo.environment["PROMPTD_TEST_KILLS"].flatMap { Int($0) } ?? usual.kills
        return max(10, min(kills, 10_000) / 10)
    }

    /// How many jobs have come in when this many kills are done: half of them evenly, half in bursts of at least 25, which
    /// fill the rate window.
    func jobs(after done: Int) -> Int {
        let inBursts = jobs / 2
        let bursts = max(2, jobs / 80)
        return (jobs - inBursts) * done / kills + (done * bursts * 2 / kills + 1) / 2 * inBursts / bursts
    }

    /// Every third job's queue has a budget for half of its jobs until most kills are done.
    func nightLimit(after done: Int) -> Int {
        Self.price * (done * 5 < kills * 4 ? jobs / 6 : jobs * 20)
    }

    /// A budget over everything, a little too small for what has come in.
    func limit(after done: Int, inserted: Int) -> Int {
        Self.price * (done < kills ? max(20, inserted * 17 / 20) : jobs * 20)
    }
}

/// When a life ends.
enum KillMoment {
    /// So long after the program was started.
    case age(Duration)
    /// So long after the nth change of the write-ahead log: while a request, an answer or a file is being recorded.
    case write(Int, Duration)
    /// So long after the first sight of a file that is being downloaded.
    case download(Duration)

    static let longest: Duration = .milliseconds(700)

    static func draw(using random: inout SplitMix) -> Self {
        switch Int.random(in: 0..<20, using: &random) {
        case 0..<5: .age(.milliseconds(Int.random(in: 0..<200, using: &random)))
        case 5..<12: .age(.milliseconds(Int.random(in: 0...800, using: &random)))
        case 12..<18:
            .write(
                Int.random(in: 1...25, using: &random),
                .microseconds(Int.random(in: 0..<3_000, using: &random))
            )
        default: .download(.microseconds(Int.random(in: 0..<2_000, using: &random)))
        }
    }
}

/// How a life ends.
enum KillEnd {
    /// `kill -9`.
    case kill
    /// SIGTERM, and time to finish.
    case drain
    /// SIGTERM, and `kill -9` a little later.
    case drainCutShort(Duration)

    static func draw(using random: inout SplitMix) -> Self {
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<6: .drain
        case 6..<10: .drainCutShort(.milliseconds(Int.random(in: 0..<80, using: &random)))
        default: .kill
        }
    }
}
