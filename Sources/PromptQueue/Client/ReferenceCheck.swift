/// What jobs take from others, held against the queue before they are added.
package struct ReferenceCheck {
    private let catalogue: Catalogue
    private let file: any QueueReader

    package init(catalogue: Catalogue, file: any QueueReader) {
        self.catalogue = catalogue
        self.file = file
    }

    /// Why a job's input cannot take what it does; none if it can.
    package func problems(of job: NewJob) throws -> [String] {
        try job.references.compactMap { $0.problem(with: try file.source(of: $0)) }
    }

    /// Where an image goes into a field for videos, and the like. Names tell that mostly, and are not to be relied on.
    package func warnings(of job: NewJob) throws -> [String] {
        guard !job.references.isEmpty, let input = parsed(job.input).objectValue else { return [] }
        return try input.keys.sorted().flatMap { field -> [String] in
            guard let wanted = Self.media(ofField: field), let value = input[field] else { return [] }
            return try InputReference.all(in: value).compactMap { reference in
                guard let source = try file.source(of: reference), let model = catalogue.model(named: source.model),
                    model.media != wanted
                else { return nil }
                return "\(field): job \(source.job) makes \(model.media.inWords), and the field seems to take "
                    + "\(wanted.inWords); it is sent as it is"
            }
        }
    }

    private static func media(ofField name: String) -> CatalogueModel.Media? {
        let words = name.lowercased()
        if words.contains("image") || words.contains("frame") { return .image }
        if words.contains("video") || words.contains("clip") { return .video }
        if words.contains("audio") || words.contains("voice") { return .audio }
        return nil
    }
}

extension NewJob {
    /// What its input takes from other jobs.
    package var references: [InputReference] {
        // Most take nothing, and are not read for it.
        guard input.utf8.count > 8, input.contains("job:") || input.contains("key:") || input.contains("\\u") else {
            return []
        }
        return InputReference.all(in: parsed(input))
    }
}

extension CatalogueModel.Media {
    fileprivate var inWords: String {
        switch self {
        case .image: "an image"
        case .audio: "a sound"
        case .video: "a video"
        }
    }
}
