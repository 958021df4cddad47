/// What spreadsheets make of a ratio like 16:9: sixteen hours and nine minutes.
package enum SpreadsheetTime {
    /// The minutes of the day that `text` may stand for, as a spreadsheet writes a time: `16:09`, `16:09:00`,
    /// `4:09 PM`, `0.672916667`; `nil` if it is no time.
    package static func minutes(_ text: String) -> ClosedRange<Double>? {
        let text = text.uppercased()
        if let match = text.wholeMatch(of: /0[.,](\d{4,18})/) {
            let digits = match.output.1
            guard let value = Double("0.\(digits)") else { return nil }
            let error = 1_440 * 0.5 * (0..<digits.count).reduce(1.0) { result, _ in result / 10 } + 1e-9
            return value * 1_440 - error...value * 1_440 + error
        }
        guard let match = text.wholeMatch(of: /(\d{1,2}):(\d\d)(?::00(?:[.,]0+)?)?(?:\s?([AP])\.?M\.?)?/),
            let hour = Double(match.output.1), let minute = Double(match.output.2)
        else { return nil }
        var hours = hour
        if let half = match.output.3 { hours = hour.truncatingRemainder(dividingBy: 12) + (half == "P" ? 12 : 0) }
        return hours * 60 + minute...hours * 60 + minute
    }

    /// Whether nobody writes `text` for a ratio.
    package static func isSurely(_ text: String) -> Bool {
        minutes(text) != nil && text.wholeMatch(of: /\d{1,2}:\d\d/) == nil
    }

    /// What a spreadsheet makes of `16:9`; `nil` for what is no ratio of whole numbers, or no time.
    package static func minutes(ofRatio text: String) -> Double? {
        guard let match = text.wholeMatch(of: /(\d{1,2}):(\d{1,2})/), let width = Double(match.output.1),
            let height = Double(match.output.2), width < 24, height < 60
        else { return nil }
        return width * 60 + height
    }
}
