import Glibc
import PollingSimulation
import PromptQueue

/// The curves, a panel for each distribution: polls a task against mean delay, both logarithmic.
struct Plot {
    let panels: [PollingBenchmark.Panel]

    private static let columns = 3
    private static let width = 300.0
    private static let height = 250.0
    private static let left = 50.0
    private static let top = 34.0
    private static let bottom = 42.0
    private static let right = 14.0
    private static let delays = 0.25...64.0
    private static let polls = 1.0...64.0

    var svg: String {
        let rows = (panels.count + Self.columns) / Self.columns
        let (width, height) = (Self.width * Double(Self.columns), Self.height * Double(rows))
        var lines = [
            """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(number(width)) \(number(height))" \
            role="img" aria-label="Polls a task against mean delay: the learnt policy lies below every fixed one">
            """,
            // One palette that keeps its contrast on white and on black; text follows the scheme.
            """
            <style>
            text { font: 11px sans-serif; fill: #333 } .title { font-weight: bold; font-size: 12px }
            .frame { fill: none; stroke: #888 } .grid { stroke: #888; stroke-opacity: .25 }
            .learnt { fill: none; stroke: #1a7fd4; stroke-width: 2 } .set { fill: #1a7fd4 }
            .p0 { fill: #d9480f } .p1 { fill: #2b9348 } .p2 { fill: #a04fd0 } .p3 { fill: #b08900 }
            @media (prefers-color-scheme: dark) { text { fill: #ddd } }
            </style>
            """,
        ]
        for (index, panel) in panels.enumerated() {
            let x = Double(index % Self.columns) * Self.width
            let y = Double(index / Self.columns) * Self.height
            lines.append("<g transform=\"translate(\(number(x)) \(number(y)))\">")
            lines += frame(panel.name) + marks(panel)
            lines.append("</g>")
        }
        let corner = panels.count % Self.columns
        lines.append(
            """
            <g transform="translate(\(number(Double(corner) * Self.width + Self.left)) \
            \(number(Double(rows - 1) * Self.height + Self.top)))">
            """
        )
        lines += legend
        return (lines + ["</g>", "</svg>", ""]).joined(separator: "\n")
    }

    private func frame(_ title: String) -> [String] {
        let (x0, x1) = (Self.left, Self.width - Self.right)
        let (y0, y1) = (Self.top, Self.height - Self.bottom)
        var lines = [text("tasks of " + title, x0, y0 - 8, "class=\"title\"")]
        for delay in [0.25, 1.0, 4, 16, 64] {
            let x = place(delay: delay)
            lines.append("<path class=\"grid\" d=\"M\(number(x)) \(number(y0))V\(number(y1))\"/>")
            let label = delay < 1 ? "0.25" : number(delay)
            lines.append(text(label, x, y1 + 14, "text-anchor=\"middle\""))
        }
        for polls in [1.0, 2, 4, 8, 16, 32, 64] {
            let y = place(polls: polls)
            lines.append("<path class=\"grid\" d=\"M\(number(x0)) \(number(y))H\(number(x1))\"/>")
            lines.append(text(number(polls), x0 - 6, y + 4, "text-anchor=\"end\""))
        }
        lines.append(
            """
            <rect class="frame" x="\(number(x0))" y="\(number(y0))" width="\(number(x1 - x0))" height="\(number(y1 - y0))"/>
            """
        )
        lines.append(text("mean delay, seconds", (x0 + x1) / 2, y1 + 30, "text-anchor=\"middle\""))
        let middle = number((y0 + y1) / 2)
        lines.append(
            text("polls a task", 14, (y0 + y1) / 2, "text-anchor=\"middle\" transform=\"rotate(-90 14 \(middle))\"")
        )
        return lines
    }

    private func marks(_ panel: PollingBenchmark.Panel) -> [String] {
        let points = panel.frontier.outcomes
            .filter { Self.delays.contains($0.meanDelay) && Self.polls.contains($0.polls) }
            .map { "\(number(place(delay: $0.meanDelay))) \(number(place(polls: $0.polls)))" }
        var lines = ["<polyline class=\"learnt\" points=\"\(points.joined(separator: ", "))\"/>"]
        lines.append(dot(panel.learnt, "set"))
        for (index, comparison) in panel.comparisons.enumerated() { lines.append(dot(comparison.outcome, "p\(index)")) }
        return lines
    }

    private var legend: [String] {
        var lines = ["<path class=\"learnt\" d=\"M0 6H24\"/>", text("learnt, from nothing", 32, 10)]
        lines += ["<circle class=\"set\" cx=\"12\" cy=\"28\" r=\"4\"/>", text("as it is set", 32, 32)]
        for (index, policy) in FixedPolicy.all.enumerated() {
            let y = Double(50 + 22 * index)
            lines.append("<circle class=\"p\(index)\" cx=\"12\" cy=\"\(number(y))\" r=\"4\"/>")
            lines.append(text(policy.name, 32, y + 4))
        }
        lines.append(text("Down and to the left is better.", 0, 150))
        return lines
    }

    private func dot(_ outcome: Outcome, _ style: String) -> String {
        let (x, y) = (place(delay: outcome.meanDelay), place(polls: outcome.polls))
        return "<circle class=\"\(style)\" cx=\"\(number(x))\" cy=\"\(number(y))\" r=\"4\"/>"
    }

    private func text(_ text: String, _ x: Double, _ y: Double, _ attributes: String = "") -> String {
        "<text x=\"\(number(x))\" y=\"\(number(y))\" \(attributes)>\(text)</text>"
    }

    private func place(delay: Double) -> Double {
        let share = log(delay / Self.delays.lowerBound) / log(Self.delays.upperBound / Self.delays.lowerBound)
        return Self.left + share * (Self.width - Self.left - Self.right)
    }

    private func place(polls: Double) -> Double {
        let share = log(polls / Self.polls.lowerBound) / log(Self.polls.upperBound / Self.polls.lowerBound)
        return Self.height - Self.bottom - share * (Self.height - Self.top - Self.bottom)
    }

    /// Whole, or with one decimal.
    private func number(_ value: Double) -> String {
        value == value.rounded() ? String(Int(value)) : PollingBenchmark.decimal(value, 1)
    }
}
