import PromptQueue

extension JobState {
    var style: Style? {
        switch self {
        case .queued, .submitting, .running: nil
        case .succeeded: .good
        case .failed: .bad
        case .cancelled: .dim
        case .unconfirmed: .warning
        }
    }
}
