/// How results are named: a path below the media directory, with fields of the job in it.
///
/// `{batch}/{label.sku|id}-{ordinal}.{ext}`; docs/results.md says what each field is.
package struct NameTemplate: Sendable, Hashable {
    /// What cannot be a template, as it goes on after the text.
    package struct Problem: Error, Sendable, CustomStringConvertible {
        package let description: String

        init(_ description: String) { self.description = description }
    }

    enum Segment: Sendable, Hashable {
        case literal(String)
        /// The first that has a value.
        case fields([NameField])
    }

    package static let standard = NameTemplate(
        text: "{batch}/{id}-{ordinal}.{ext}",
        folders: [[.fields([.batch])]],
        file: [.fields([.id]), .literal("-"), .fields([.ordinal])]
    )

    /// As it was written.
    package let text: String
    let folders: [[Segment]]
    /// Without `.{ext}`.
    let file: [Segment]

    private init(text: String, folders: [[Segment]], file: [Segment]) {
        (self.text, self.folders, self.file) = (text, folders, file)
    }

    private static let maximumFolders = 8
    private static let ending = ".{ext}"
    private static let fields = "{batch}, {queue}, {id}, {ordinal}, {model}, {label.NAME}, {key}, {date}, {prompt}"

    /// - Throws: what keeps it from being a name for every result.
    package init(_ text: String) throws(Problem) {
        guard text.hasSuffix(Self.ending) else { throw Problem("does not end in .{ext}, which is the file's type") }
        guard !text.hasPrefix("/") else { throw Problem("begins with a slash; it goes below the media directory") }
        var parts = text.dropLast(Self.ending.count).split(separator: "/", omittingEmptySubsequences: false)
        let name = parts.removeLast()
        guard !parts.isEmpty else { throw Problem("names no folder; write it like {batch}/{id}-{ordinal}.{ext}") }
        guard parts.count <= Self.maximumFolders else {
            throw Problem("has \(parts.count) folders, one below the other; \(Self.maximumFolders) are allowed")
        }
        var folders: [[Segment]] = []
        for part in parts { folders.append(try Self.segments(part)) }
        let file = try Self.segments(name)
        guard file.contains(.fields([.ordinal])) else {
            throw Problem("has no {ordinal} in the file's name; a job may have several results")
        }
        // All of a job lies in one folder, with its sidecar beside it.
        guard !folders.joined().contains(where: { $0.names(.ordinal) }) else {
            throw Problem(
                "has {ordinal} in a folder's name; it belongs into the file's, because a job's results lie together"
            )
        }
        self.init(text: text, folders: folders, file: file)
        for part in folders where Self.least(part) > ResultName.folderBytes { throw Self.tooLong }
        guard Self.least(file) <= ResultName.stemBytes else { throw Self.tooLong }
    }

    private static let tooLong = Problem("has a name that leaves no room for its fields; shorten it")

    /// Whether the job's number is in the file's name, so that no other job has that name.
    package var namesJob: Bool { file.contains(.fields([.id])) }

    /// Whether more is needed than a download knows.
    package var needsProvenance: Bool {
        self != .standard
    }

    /// How long a part is at least, whatever its job is.
    private static func least(_ part: [Segment]) -> Int {
        part.reduce(0) { sum, segment in
            switch segment {
            case .literal(let text): sum + text.utf8.count
            // The longest number, which stands in for what is missing.
            case .fields: sum + 20
            }
        }
    }

    private static func segments(_ part: Substring) throws(Problem) -> [Segment] {
        guard !part.isEmpty else { throw Problem("has two slashes in a row, or one before .{ext}") }
        guard let first = part.first, !".- ".contains(first) else {
            throw Problem("has a name that begins with a dot, a hyphen or a space: \(part)")
        }
        if let last = part.last, ". ".contains(last) {
            throw Problem("has a name that ends in a dot or a space: \(part)")
        }
        var segments: [Segment] = []
        var rest = part
        while let sign = rest.first {
            if sign == "{" {
                guard let end = rest.firstIndex(of: "}") else { throw Problem("has a { without its }") }
                segments.append(.fields(try Self.choice(rest[rest.index(after: rest.startIndex)..<end])))
                rest = rest[rest.index(after: end)...]
            } else {
                let literal = rest.prefix { $0 != "{" }
                if let bad = literal.unicodeScalars.first(where: { !PathPart.isPlain($0) }) {
                    throw Problem(
                        "has a sign that not every system takes in a file's name (U+\(String(bad.value, radix: 16, uppercase: true))); "
                            + "letters, digits, hyphens, underscores, dots and spaces are allowed beside fields"
                    )
                }
                segments.append(.literal(String(literal)))
                rest = rest.dropFirst(literal.count)
            }
        }
        return segments
    }

    private static func choice(_ text: Substring) throws(Problem) -> [NameField] {
        var chosen: [NameField] = []
        for name in text.split(separator: "|", omittingEmptySubsequences: false) {
            guard name != "ext" else { throw Problem("has {ext} elsewhere than at its end") }
            guard let field = NameField(String(name)) else {
                throw Problem(
                    "has an unknown field {\(PlainText.lines(String(name)))}; there are \(fields) and, at the end, .{ext}"
                )
            }
            chosen.append(field)
        }
        return chosen
    }
}

extension NameTemplate.Segment {
    func names(_ field: NameField) -> Bool {
        if case .fields(let fields) = self { fields.contains(field) } else { false }
    }
}
