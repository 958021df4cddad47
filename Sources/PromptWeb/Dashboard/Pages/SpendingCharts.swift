import PromptQueue

/// A chart of bars, drawn here: a page runs no script for it.
struct ChartView: Sendable {
    struct Bar: Sendable {
        let x: String
        let inner: String
        let step: String
        let thick: String
        let y: String
        let height: String
        let label: String
        let value: String
    }

    struct Line: Sendable { let y: String }
    struct Row: Sendable {
        let label: String
        let value: String
    }

    let title: String
    let summary: String
    let unit: String
    let width: String
    let bars: [Bar]
    let lines: [Line]
    let ticks: [String]
    let rows: [Row]

    /// - Parameter values: one for each step, in order, with what it is of.
    init(_ title: String, unit: String, _ values: [(label: String, tick: String, credits: Credits)]) {
        self.title = title
        self.unit = unit
        let total = values.reduce(Credits.zero) { $0 + $1.credits }
        let most = values.max { $0.credits < $1.credits }
        summary =
            total == .zero
            ? "Nothing was charged."
            : "\(total.inWords); the most in one \(unit.lowercased()): \(most.map { "\($0.credits.grouped), \($0.label)" } ?? "")."
        let top = max(most?.credits.millicredits ?? 0, 1)
        width = "\(values.count * 10)"
        bars = values.enumerated().map { index, value in
            // Tenths of the drawing's 110 units.
            let share = Double(value.credits.millicredits) / Double(top) * 1_000
            let height = value.credits > .zero ? max(20, Int(Int64(saturated: share))) : 0
            let top = 1_080 - height
            return Bar(
                x: "\(index * 10)",
                inner: "\(index * 10 + 1)",
                step: "10",
                thick: "8",
                y: "\(top / 10).\(top % 10)",
                height: "\(height / 10).\(height % 10)",
                label: value.label,
                value: value.credits.inWords
            )
        }
        lines = ["8", "58", "108"].map { Line(y: $0) }
        ticks = [0, values.count / 2, values.count - 1].compactMap {
            values.indices.contains($0) ? values[$0].tick : nil
        }
        rows = values.reversed().filter { $0.credits > .zero }.map { Row(label: $0.label, value: $0.credits.grouped) }
    }
}

enum SpendingCharts {
    /// The last two days by the hour, and the last thirty by the day.
    static func read(_ reader: any PageReader, now: Instant) throws -> [ChartView] {
        [
            try chart(reader, .hour, steps: 48, length: 3_600_000, now: now),
            try chart(reader, .day, steps: 30, length: 86_400_000, now: now),
        ]
    }

    private static func chart(
        _ reader: any PageReader,
        _ period: SpendingPeriod,
        steps: Int,
        length: Int64,
        now: Instant
    ) throws -> ChartView {
        let last = now.milliseconds / length * length
        let first = last - Int64(steps - 1) * length
        let found = try reader.spending(per: period, since: Instant(milliseconds: first))
            .reduce(into: [:]) { $0[$1.startsAt.milliseconds] = $1.charged }
        let values = (0..<steps).map { step in
            let start = Instant(milliseconds: first + Int64(step) * length)
            let day = String(start.iso8601.prefix(10))
            let label = period == .hour ? "\(day) \(start.utcMinutes)" : day
            return (
                label, period == .hour ? "\(day.suffix(5)) \(start.utcMinutes)" : day,
                found[start.milliseconds] ?? .zero
            )
        }
        return ChartView(
            period == .hour ? "The last 48 hours" : "The last 30 days",
            unit: period == .hour ? "Hour" : "Day",
            values
        )
    }
}
