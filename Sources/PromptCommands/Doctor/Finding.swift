import PromptQueue

/// One thing that the doctor looked at.
struct Finding: Sendable {
    enum Level: String, Sendable, Comparable {
        case ok, warning, fault

        static func < (left: Level, right: Level) -> Bool { left.rank < right.rank }

        private var rank: Int {
            switch self {
            case .ok: 0
            case .warning: 1
            case .fault: 2
            }
        }
    }

    var subject: String
    var level: Level
    /// What was found.
    var text: String
    /// What to do about it; nil: nothing.
    var fix: String?

    static func ok(_ subject: String, _ text: String) -> Finding {
        Finding(subject: subject, level: .ok, text: text)
    }

    static func warning(_ subject: String, _ text: String, fix: String? = nil) -> Finding {
        Finding(subject: subject, level: .warning, text: text, fix: fix)
    }

    static func fault(_ subject: String, _ text: String, fix: String? = nil) -> Finding {
        Finding(subject: subject, level: .fault, text: text, fix: fix)
    }

    var object: JSONObject {
        [
            "check": .string(subject), "level": .string(level.rawValue), "ok": .bool(level == .ok),
            "message": .string(text), "fix": JSONValue(fix),
        ]
    }

    /// `WARNING  disk: 300 MB free: too little for results; make room`.
    func line(hasColour: Bool) -> String {
        let sign: String
        let style: Style
        switch level {
        case .ok: (sign, style) = ("ok     ", .good)
        case .warning: (sign, style) = ("WARNING", .warning)
        case .fault: (sign, style) = ("FAULT  ", .bad)
        }
        let shown = fix.map { "\(text); \($0)" } ?? text
        return "\(hasColour ? style.apply(to: sign) : sign)  \(subject): \(shown)"
    }
}

extension [Finding] {
    /// As monitoring programs take it: 0 all is well, 1 warnings, 2 faults.
    var exitCode: Int32 {
        switch map(\.level).max() ?? .ok {
        case .ok: 0
        case .warning: 1
        case .fault: 2
        }
    }
}
