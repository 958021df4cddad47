import Mustache

/// The pages' templates, compiled in.
struct PageLibrary: Sendable {
    private let library: MustacheLibrary

    /// - Throws: what is wrong with a template.
    init() throws {
        MustacheContentTypes.register(HTMLText(), named: HTMLText.name)
        var library = MustacheLibrary()
        for (name, bytes) in Self.templates {
            // Each asks for the escaping itself: a part starts with the library's own otherwise.
            let text = "{{% CONTENT_TYPE:\(HTMLText.name)}}" + String(decoding: bytes, as: UTF8.self)
            try library.register(text, named: name)
        }
        self.library = library
    }

    static let templates: [(name: String, bytes: [UInt8])] = [
        ("add", PackageResources.add_mustache), ("again", PackageResources.again_mustache),
        ("change", PackageResources.change_mustache),
        ("login", PackageResources.login_mustache), ("batches", PackageResources.batches_mustache),
        ("budgets", PackageResources.budgets_mustache),
        ("chart", PackageResources.chart_mustache), ("gallery", PackageResources.gallery_mustache),
        ("job", PackageResources.job_mustache), ("jobfilter", PackageResources.jobfilter_mustache),
        ("jobs", PackageResources.jobs_mustache),
        ("layout", PackageResources.layout_mustache), ("message", PackageResources.message_mustache),
        ("models", PackageResources.models_mustache), ("overview", PackageResources.overview_mustache),
        ("schedules", PackageResources.schedules_mustache),
        ("pager", PackageResources.pager_mustache), ("result", PackageResources.result_mustache),
        ("state", PackageResources.state_mustache),
    ]

    /// - Returns: nil if there is no such template.
    func render(_ name: String, _ view: Any) -> String? { library.render(view, withTemplate: name) }
}
