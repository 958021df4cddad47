import CoreMetrics
import PromptWeb
import Testing

/// The back end of swift-metrics.
@Suite struct PrometheusRegistryTests {
    private let registry = PrometheusRegistry([
        MetricFamily("a_total", "Counted.", .counter), MetricFamily("b", "Set.", .gauge),
        MetricFamily("c_seconds", "Measured.", .histogram([0.1, 1])),
        MetricFamily("d_total", "Never.", .counter),
    ])

    @Test func `what was recorded is told by family, in the order of their list, and what was not is left out`() {
        let timer = Timer(label: "c_seconds", factory: registry)
        for seconds in [0.05, 0.1, 0.5, 7] { timer.recordNanoseconds(Int64(seconds * 1e9)) }
        Gauge(label: "b", factory: registry).record(2.5)
        for (code, amount) in [("y", 3), ("x", 1), ("y", 2)] {
            Counter(label: "a_total", dimensions: [("code", code), ("a", "1")], factory: registry)
                .increment(by: Int64(amount))
        }
        #expect(
            registry.text == """
                # HELP a_total Counted.
                # TYPE a_total counter
                a_total{a="1",code="y"} 5
                a_total{a="1",code="x"} 1
                # HELP b Set.
                # TYPE b gauge
                b 2.5
                # HELP c_seconds Measured.
                # TYPE c_seconds histogram
                c_seconds_bucket{le="0.1"} 2
                c_seconds_bucket{le="1"} 3
                c_seconds_bucket{le="+Inf"} 4
                c_seconds_sum 7.65
                c_seconds_count 4

                """
        )
    }

    @Test func `a label ends where its quotation marks do`() {
        Counter(label: "a_total", dimensions: [("gate", "x\"}\n1\\\u{301}")], factory: registry).increment()
        let sample = registry.text.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(sample.count == 4)
        #expect(sample[2].hasPrefix("a_total{gate=\"x\\\"}") && sample[2].hasSuffix("\"} 1"))
    }

    @Test func `what nobody has declared is dropped`() {
        Counter(label: "other", factory: registry).increment()
        #expect(registry.text.isEmpty)
    }

    @Test func `names without end do not fill the memory`() {
        for number in 0..<5_000 {
            Counter(label: "a_total", dimensions: [("name", "\(number)")], factory: registry).increment()
        }
        let lines = registry.text.split(separator: "\n")
        #expect(lines.count == 2 + 1_001)
        #expect(lines.last == "a_total{name=\"other\"} 4000")
    }
}
