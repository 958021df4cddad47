import PollingSimulation
import PromptQueue

@main
struct PollingBenchmark {
    static func main() {
        for d in Distribution.all {
            var g = SeededGenerator(seed: 1)
            let times = (0..<2300).map { _ in d.sample(using: &g) }
            let own = Array(times.dropFirst(300))
            for warm in [0, 300] {
                let ts = warm == 0 ? own : times
                let f = Frontier(ts, warmUp: warm, worths: Frontier.worths)
                print(d.name, "warm", warm)
                for (w, o) in zip(Frontier.worths, f.outcomes) where true { print("   ", w, o.polls, o.meanDelay, o.delay95) }
                for p in FixedPolicy.all {
                    let c = Comparison(p, own, f)
                    print("  ", p.name, c.outcome.polls, c.outcome.meanDelay, c.outcome.delay95, c.delayRatio ?? .nan, c.pollRatio ?? .nan)
                }
            }
        }
    }
}
