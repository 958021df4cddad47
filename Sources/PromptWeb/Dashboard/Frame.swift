import PromptQueue

/// What stands around every page.
struct Frame {
    struct Link {
        let name: String
        let href: String
        let isCurrent: Bool
    }

    let title: String
    let links: [Link]
    let version = Version.current
    /// The assets' address changes with what is in them, so that browsers may keep them.
    let assets = Assets.mark
    /// Where to log in; nil: that is done, or not possible.
    let loginHref: String?
    /// Whether forms that change something are shown, and what they bear.
    let canChange: Bool
    let csrf: String
    let place: String

    init(_ title: String, at place: String? = nil) {
        self.title = title
        let all = [
            ("Overview", "/"), ("Jobs", "/jobs"), ("Gallery", "/gallery"), ("Batches", "/batches"),
            ("Schedules", "/schedules"), ("Budgets", "/budgets"), ("Models", "/models"),
        ]
        let visitor = Visitor.current
        canChange = visitor.session != nil
        csrf = visitor.mark
        self.place = visitor.place
        loginHref =
            visitor.canLogIn && visitor.session == nil ? "/login?next=\(URLText.encoded(visitor.place))" : nil
        links = (all + (canChange ? [("Add", "/add")] : [])).map {
            Link(name: $0.0, href: $0.1, isCurrent: $0.1 == place)
        }
    }
}

/// A job's state: a word, and a sign that tells it without colour.
struct StateView {
    let word: String
    let sign: String

    init(_ state: JobState) {
        word = state.rawValue
        sign =
            switch state {
            case .queued: "○"
            case .submitting: "◔"
            case .running: "◑"
            case .succeeded: "✓"
            case .failed: "✕"
            case .cancelled: "–"
            case .unconfirmed: "?"
            }
    }
}

/// An instant; the script shows it in the reader's own zone.
struct TimeView {
    let iso: String
    let text: String

    init(_ instant: Instant, now: Instant) {
        iso = instant.iso8601
        let day = iso.prefix(10)
        text = day == now.iso8601.prefix(10) ? instant.utcMinutes : instant.utcDayAndMinutes
    }
}

/// How much of something is used: the drawing is 100 wide.
struct MeterView {
    let label: String
    let width: String
    let rest: String
    let isFull: Bool

    init(_ label: String, used: Double, of limit: Double) {
        self.label = label
        let share = limit > 0 ? min(max(used / limit, 0), 1) : 0
        let tenths = Int(Int64(saturated: share * 1_000))
        width = "\(tenths / 10).\(tenths % 10)"
        rest = "\((1_000 - tenths) / 10).\((1_000 - tenths) % 10)"
        isFull = share >= 1
    }
}

/// Links to the pages beside one.
struct PagerView {
    let newest: String?
    let newer: String?
    let older: String?
    let isCutShort: Bool
    // What templates read is stored: they see no computed properties.
    let isShown: Bool

    init(_ slice: JobSlice, path: String, fields: FormFields) {
        let plain = fields.setting("before", nil).setting("after", nil)
        newer = slice.newer.map { path + plain.setting("after", $0.description).query }
        newest = slice.newer == nil ? nil : path + plain.query
        older = slice.older.map { path + plain.setting("before", $0.description).query }
        isCutShort = slice.isCutShort
        isShown = newer != nil || older != nil
    }

    init(next: String?) {
        (newest, newer, older, isCutShort) = (nil, nil, next, false)
        isShown = next != nil
    }
}
