/// Where a result goes: a folder below the media directory, and names in it, one of which is free.
package struct ResultName: Sendable, Hashable {
    /// With room for one more sign in front.
    static let folderBytes = 99
    /// Of 255 that file systems allow (NAME_MAX): the number of a job, `~100` and the extension follow.
    static let stemBytes = 180
    /// How many names are tried for a file.
    private static let tries = 100

    /// `tea`, or `client/2026-11-30`: each part safe, none of them hidden.
    package let folder: String
    private let stem: String
    private let job: JobID
    private let namesJob: Bool

    package init(_ template: NameTemplate, _ fields: NameFields) {
        job = fields.result.job
        namesJob = template.namesJob
        // A folder is for many jobs, a file for one.
        folder = template.folders.map { part in
            PathPart.whole(Self.render(part, fields, missing: "none", limit: Self.folderBytes))
        }.joined(separator: "/")
        stem = PathPart.whole(
            Self.render(template.file, fields, missing: "\(fields.result.job)", limit: Self.stemBytes)
        )
    }

    /// In the order in which they are tried: the name, with the job's number if that is taken, with `~2` and so on.
    package func candidates(extension type: String) -> [String] {
        // `12.json` is what lies beside the results of job 12.
        let isSidecar = type == "json" && stem.allSatisfy { $0.isASCII && $0.isNumber }
        let stem = isSidecar ? "_" + stem : stem
        let own = namesJob ? stem : "\(stem)-\(job)"
        let names = (namesJob ? [stem] : [stem, own]) + (2...Self.tries).map { "\(own)~\($0)" }
        return names.prefix(Self.tries).map { "\(folder)/\($0).\(type)" }
    }

    /// Whether only this job can have had a name like that.
    package var isOwn: Bool { namesJob }

    private static func render(
        _ part: [NameTemplate.Segment],
        _ fields: NameFields,
        missing: String,
        limit: Int
    ) -> String {
        var texts: [(text: String, isNeverCut: Bool)] = part.map { segment in
            switch segment {
            case .literal(let text):
                return (text, true)
            case .fields(let choice):
                for field in choice {
                    if let value = fields.value(field) { return (value, field.isNeverCut) }
                }
                return (missing, true)
            }
        }
        // The longest gives way, so that numbers stay whole.
        var excess = texts.reduce(-limit) { $0 + $1.text.utf8.count }
        while excess > 0 {
            let longest = texts.indices.filter { !texts[$0].isNeverCut }
                .max { texts[$0].text.utf8.count < texts[$1].text.utf8.count }
            guard let longest, let last = texts[longest].text.unicodeScalars.last else { break }
            texts[longest].text.unicodeScalars.removeLast()
            excess -= last.utf8.count
        }
        return texts.map(\.text).joined()
    }
}
