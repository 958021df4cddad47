/// The commands that messages advise: the one place, beside the commands themselves and the schema's own refusals, that
/// knows how they are written.
package enum Advice {
    package static func show(_ job: JobID) -> String { "promptctl show \(job)" }
    package static func retry(_ job: JobID) -> String { "promptctl retry \(job)" }
    package static func resolve(_ job: JobID, as task: TaskID) -> String { "promptctl resolve \(job) --task \(task)" }
    package static func makeDatabase(_ path: String) -> String { "promptctl --database \(path) init" }

    package static let resolve = "promptctl resolve"
    package static let migrate = "promptctl init"
    package static let setBudget = "promptctl budget set"
    package static let compareAccount = "promptctl credits"
    package static let listModels = "promptctl models"
}
