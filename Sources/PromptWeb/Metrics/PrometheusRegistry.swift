package import CoreMetrics
import PromptQueue
import Synchronization

/// What the process counts and measures, for Prometheus to collect: a back end of swift-metrics. Each metric belongs to a family
/// that is declared; what is recorded under another name is dropped.
package final class PrometheusRegistry: MetricsFactory, Sendable {
    /// A family with more series than this would fill Prometheus' memory as well as ours: further ones are counted together,
    /// under `other`.
    private static let mostSeries = 1_000

    private struct Series {
        var cells: [String: Cell] = [:]
        /// In the order in which they came, for a text that stays as it is.
        var order: [String] = []
    }

    private let families: [MetricFamily]
    private let kinds: [String: MetricFamily.Kind]
    private let series = Mutex<[String: Series]>([:])

    package init(_ families: [MetricFamily]) {
        self.families = families
        kinds = Dictionary(families.map { ($0.name, $0.kind) }) { $1 }
    }

    /// All families that have anything to tell, in the text format.
    package var text: String {
        var text = ""
        for family in families {
            let (cells, order) = series.withLock { series in
                (series[family.name]?.cells ?? [:], series[family.name]?.order ?? [])
            }
            guard !order.isEmpty else { continue }
            text += "# HELP \(family.name) \(family.help)\n# TYPE \(family.name) "
            switch family.kind {
            case .counter: text += "counter\n"
            case .gauge: text += "gauge\n"
            case .histogram: text += "histogram\n"
            }
            for labels in order { text += cells[labels]?.text(family.name, labels) ?? "" }
        }
        return text
    }

    private func cell(_ name: String, _ dimensions: [(String, String)]) -> Cell {
        guard let kind = kinds[name] else { return Cell(.gauge) }
        let labels = dimensions.sorted { $0.0 < $1.0 }
            .map { "\($0.0)=\"\(PrometheusText.escaped($0.1))\"" }
            .joined(separator: ",")
        return series.withLock { series in
            if let cell = series[name]?.cells[labels] { return cell }
            let isFull = (series[name]?.order.count ?? 0) >= Self.mostSeries
            let key = isFull ? dimensions.map { "\($0.0)=\"other\"" }.sorted().joined(separator: ",") : labels
            if let cell = series[name]?.cells[key] { return cell }
            let cell = Cell(kind)
            series[name, default: Series()].cells[key] = cell
            series[name]?.order.append(key)
            return cell
        }
    }

    // MARK: - MetricsFactory

    package func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        cell(label, dimensions)
    }

    package func makeFloatingPointCounter(
        label: String,
        dimensions: [(String, String)]
    ) -> any FloatingPointCounterHandler {
        cell(label, dimensions)
    }

    package func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        cell(label, dimensions)
    }

    package func makeRecorder(
        label: String,
        dimensions: [(String, String)],
        aggregate: Bool
    ) -> any RecorderHandler {
        cell(label, dimensions)
    }

    package func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        cell(label, dimensions)
    }

    // Series stay for as long as the process: a counter that goes and comes back at zero looks like a restart.
    package func destroyCounter(_ handler: any CounterHandler) {}
    package func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) {}
    package func destroyMeter(_ handler: any MeterHandler) {}
    package func destroyRecorder(_ handler: any RecorderHandler) {}
    package func destroyTimer(_ handler: any TimerHandler) {}
}

/// One series: a value, or the counts of a histogram's buckets.
private final class Cell: CounterHandler, FloatingPointCounterHandler, MeterHandler, RecorderHandler, TimerHandler,
    Sendable
{
    private struct State {
        var value = 0.0
        var count: UInt64 = 0
        /// Each without those of the buckets before it.
        var buckets: [UInt64] = []
    }

    private let bounds: [Double]
    private let isHistogram: Bool
    private let state: Mutex<State>

    init(_ kind: MetricFamily.Kind) {
        if case .histogram(let bounds) = kind {
            self.bounds = bounds
            isHistogram = true
        } else {
            bounds = []
            isHistogram = false
        }
        state = Mutex(State(buckets: [UInt64](repeating: 0, count: bounds.count)))
    }

    func increment(by amount: Int64) { add(Double(amount)) }
    func increment(by amount: Double) { add(amount) }
    func reset() { state.withLock { $0.value = 0 } }
    func set(_ value: Int64) { set(Double(value)) }
    func set(_ value: Double) { state.withLock { $0.value = value } }
    func decrement(by amount: Double) { add(-amount) }
    func record(_ value: Int64) { record(Double(value)) }

    func record(_ value: Double) {
        guard isHistogram else { return set(value) }
        guard value.isFinite else { return }
        state.withLock { state in
            state.value += value
            state.count += 1
            if let bucket = bounds.firstIndex(where: { value <= $0 }) { state.buckets[bucket] += 1 }
        }
    }

    /// Timers are in seconds, as Prometheus wants it.
    func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1_000_000_000) }

    private func add(_ amount: Double) {
        // A counter never falls.
        guard amount.isFinite else { return }
        state.withLock { $0.value += amount }
    }

    func text(_ name: String, _ labels: String) -> String {
        let state = state.withLock { $0 }
        func sample(_ suffix: String, _ more: String?, _ value: String) -> String {
            let all = [labels, more ?? ""].filter { !$0.isEmpty }.joined(separator: ",")
            return "\(name)\(suffix)\(all.isEmpty ? "" : "{\(all)}") \(value)\n"
        }
        guard isHistogram else { return sample("", nil, PrometheusText.number(state.value)) }
        var text = ""
        var sum: UInt64 = 0
        for (bound, count) in zip(bounds, state.buckets) {
            sum += count
            text += sample("_bucket", "le=\"\(PrometheusText.number(bound))\"", "\(sum)")
        }
        text += sample("_bucket", "le=\"+Inf\"", "\(state.count)")
        text += sample("_sum", nil, PrometheusText.number(state.value))
        return text + sample("_count", nil, "\(state.count)")
    }
}
