import PromptQueue

/// One setting: all that promptd, its documentation and its man page know of it.
package struct Setting: Sendable {
    /// A property of the configuration.
    typealias Place<Value> = any WritableKeyPath<DaemonConfiguration, Value> & Sendable

    /// What is wrong with a value, as it goes on after `KEY: "VALUE"`.
    struct Problem: Error {
        var reason: String

        init(_ reason: String) { self.reason = reason }

        static func isNot(_ allowed: String) -> Problem { Problem("is not \(allowed)") }
    }

    /// As it stands in the file, such as `limits.pollsPerSecond`.
    package let key: String
    /// What may be written.
    package let allowed: String
    /// What holds without it, as one would write it; nil: nothing does.
    package let standard: String?
    /// A value to show in an example, where nothing holds without it.
    package let example: String?
    /// Whether a reload takes it over; else it waits for a restart.
    package let isReloaded: Bool
    /// Whether it takes several values: a list in the file, commas in the environment.
    package let isList: Bool
    /// What it does, in a sentence or two.
    package let summary: String
    /// Reads one value.
    let read: @Sendable (_ text: String, _ into: inout DaemonConfiguration) throws(Problem) -> Void
    /// Looks at one value when all other settings are known.
    let check: @Sendable (_ text: String, _ in: DaemonConfiguration) throws(Problem) -> Void
    package let differs: @Sendable (DaemonConfiguration, DaemonConfiguration) -> Bool

    /// - Parameters:
    ///   - write: the text of the default; nil: there is none.
    ///   - read: throws what is wrong with a text.
    init<Value: Equatable & Sendable>(
        _ key: String,
        _ place: Place<Value>,
        _ allowed: String,
        write: (Value) -> String?,
        read: @escaping @Sendable (_ text: String, _ before: Value) throws(Problem) -> Value,
        check: @escaping @Sendable (String, DaemonConfiguration) throws(Problem) -> Void = { _, _ in },
        example: String? = nil,
        isList: Bool = false,
        reloaded isReloaded: Bool = false,
        _ summary: String
    ) {
        self.key = key
        self.allowed = allowed
        standard = write(DaemonConfiguration()[keyPath: place])
        self.example = example
        self.isReloaded = isReloaded
        self.isList = isList
        self.summary = summary
        self.read = { text, configuration throws(Problem) in
            configuration[keyPath: place] = try read(text, configuration[keyPath: place])
        }
        self.check = check
        differs = { $0[keyPath: place] != $1[keyPath: place] }
    }

    /// `limits.pollsPerSecond` is `PROMPTD_LIMITS_POLLS_PER_SECOND`.
    package var environmentName: String {
        var words = ""
        var previous: Character = "."
        for character in key {
            if character == "." {
                words.append("_")
            } else {
                if character.isUppercase, previous.isLowercase { words.append("_") }
                words.append(contentsOf: character.uppercased())
            }
            previous = character
        }
        return "PROMPTD_" + words
    }
}

// MARK: - Kinds of values

extension Setting {
    /// A setting of one value, or of none.
    static func value<Value: Equatable & Sendable>(
        _ key: String,
        _ place: Place<Value>,
        _ allowed: String,
        write: (Value) -> String?,
        read: @escaping @Sendable (String) -> Value?,
        example: String? = nil,
        reloaded: Bool = false,
        _ summary: String
    ) -> Setting {
        Setting(
            key,
            place,
            allowed,
            write: write,
            read: { text, _ throws(Problem) in
                guard let value = read(text) else { throw .isNot(allowed) }
                return value
            },
            example: example,
            reloaded: reloaded,
            summary
        )
    }

    static func path(
        _ key: String,
        _ place: Place<String>,
        _ summary: String
    ) -> Setting {
        value(key, place, "a path", write: { $0 }, read: { $0.isEmpty ? nil : $0 }, summary)
    }

    /// A file that may be configured, and is reloaded with everything else.
    static func keyFile(
        _ key: String,
        _ place: Place<String?>,
        example: String,
        _ summary: String
    ) -> Setting {
        value(
            key,
            place,
            "a path",
            write: { $0 },
            read: { $0.isEmpty ? nil : .some($0) },
            example: example,
            reloaded: true,
            summary
        )
    }

    static func flag(
        _ key: String,
        _ place: Place<Bool>,
        reloaded: Bool = false,
        _ summary: String
    ) -> Setting {
        let values = ["true": true, "yes": true, "on": true, "false": false, "no": false, "off": false]
        return value(
            key,
            place,
            "true or false",
            write: { $0 ? "true" : "false" },
            read: { values[$0] },
            reloaded: reloaded,
            summary
        )
    }

    static func number(
        _ key: String,
        _ place: Place<Int>,
        _ range: ClosedRange<Int>,
        reloaded: Bool = false,
        _ summary: String
    ) -> Setting {
        value(
            key,
            place,
            "a whole number from \(range.lowerBound) to \(range.upperBound)",
            write: { "\($0)" },
            read: { Int($0).flatMap { range.contains($0) ? $0 : nil } },
            reloaded: reloaded,
            summary
        )
    }

    static func duration(
        _ key: String,
        _ place: Place<Duration>,
        _ range: ClosedRange<Duration>,
        reloaded: Bool = false,
        _ summary: String
    ) -> Setting {
        let (least, most) = (range.lowerBound.text, range.upperBound.text)
        return Setting(
            key,
            place,
            "a duration from \(least) to \(most)",
            write: \.text,
            read: { text, _ throws(Problem) in
                guard let value = Duration(text: text) else {
                    throw .isNot("a duration; write it like 250ms, 10s, 5m, 2h or 90d")
                }
                guard range.contains(value) else {
                    throw Problem("is out of range; \(least) to \(most) is allowed")
                }
                return value
            },
            reloaded: reloaded,
            summary
        )
    }

    static func choice<Value: RawRepresentable<String> & CaseIterable & Equatable & Sendable>(
        _ key: String,
        _ place: Place<Value>,
        reloaded: Bool = false,
        _ summary: String
    ) -> Setting {
        value(
            key,
            place,
            "one of \(Value.allCases.map(\.rawValue).joined(separator: ", "))",
            write: \.rawValue,
            read: { Value(rawValue: $0) },
            reloaded: reloaded,
            summary
        )
    }
}
