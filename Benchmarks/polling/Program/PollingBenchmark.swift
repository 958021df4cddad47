import Glibc
import PollingSimulation
import PromptQueue

/// Compares promptd's learnt polling with fixed schedules, in a simulation: no time passes, nothing is sent.
///
/// Prints a table in Markdown; with the name of a file, also draws the plot there.
@main
struct PollingBenchmark {
    /// One distribution's tasks, and what the policies make of them.
    struct Panel {
        let name: String
        let frontier: Frontier
        /// The learnt policy as it is set.
        let learnt: Outcome
        let comparisons: [Comparison]
        /// The same, after 300 tasks that ended before.
        let warm: [Comparison]
        let warmLearnt: Outcome
        /// Of all runs that make the two curves.
        let polls: Int
    }

    static let warmUp = 300
    static let counted = 2_000
    static let seed: UInt64 = 1

    static func main() {
        let panels = Distribution.all.map(panel)
        print("\(counted) tasks of each distribution, seed \(seed). Delays in seconds.\n")
        print(
            "| tasks take | policy | polls a task | mean delay | p95 delay | delay, at equal polls | polls, at equal delay |"
        )
        print("|---|---|---|---|---|---|---|")
        for panel in panels { printRows(panel) }
        print("\n\(panels.reduce(0) { $0 + $1.polls }) polls were planned and answered.")
        guard CommandLine.arguments.count > 1 else { return }
        write(Plot(panels: panels).svg, to: CommandLine.arguments[1])
    }

    private static func panel(_ distribution: Distribution) -> Panel {
        var random = SeededGenerator(seed: seed)
        let all = (0..<(warmUp + counted)).map { _ in distribution.sample(using: &random) }
        let times = Array(all.dropFirst(warmUp))
        let frontier = Frontier(times, warmUp: 0, worths: Frontier.worths)
        let warm = Frontier(all, warmUp: warmUp, worths: Frontier.worths)
        return Panel(
            name: distribution.name,
            frontier: frontier,
            learnt: LearntPolicy().outcome(times),
            comparisons: FixedPolicy.all.map { Comparison($0, times, frontier) },
            warm: FixedPolicy.all.map { Comparison($0, times, warm) },
            warmLearnt: LearntPolicy(warmUp: warmUp).outcome(all),
            polls: Int((frontier.outcomes + warm.outcomes).reduce(0) { $0 + $1.polls * Double(counted) })
        )
    }

    private static func printRows(_ panel: Panel) {
        print("| \(panel.name) | learnt, from nothing | \(figures(panel.learnt)) | | |")
        print("| | learnt, after \(warmUp) tasks | \(figures(panel.warmLearnt)) | | |")
        for (cold, warm) in zip(panel.comparisons, panel.warm) {
            let delay = ratio(cold.delayRatio) + " (" + ratio(warm.delayRatio) + ")"
            let polls = ratio(cold.pollRatio) + " (" + ratio(warm.pollRatio) + ")"
            print("| | \(cold.policy.name) | \(figures(cold.outcome)) | \(delay) | \(polls) |")
        }
    }

    private static func figures(_ outcome: Outcome) -> String {
        "\(decimal(outcome.polls, 2)) | \(decimal(outcome.meanDelay, 2)) | \(decimal(outcome.delay95, 1))"
    }

    private static func ratio(_ ratio: Double?) -> String { ratio.map { decimal($0, 2) + " times" } ?? "beyond" }

    static func decimal(_ number: Double, _ digits: Int) -> String {
        let scale = pow(10, Double(digits))
        let whole = Int((number * scale).rounded())
        let part = String(whole % Int(scale))
        guard digits > 0 else { return String(whole) }
        return "\(whole / Int(scale)).\(String(repeating: "0", count: digits - part.count))\(part)"
    }

    private static func write(_ text: String, to path: String) {
        guard let file = unsafe fopen(path, "w") else {
            unsafe perror("polling-benchmark: \(path)")
            exit(73)
        }
        let written = unsafe fputs(text, file)
        guard unsafe fclose(file) == 0, written >= 0 else {
            unsafe perror("polling-benchmark: \(path)")
            exit(74)
        }
    }
}
