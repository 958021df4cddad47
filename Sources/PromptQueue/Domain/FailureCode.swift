/// Why an attempt or a job failed: the closed set behind `error_code`, metric labels and JSON.
package enum FailureCode: String, Sendable, Hashable, CaseIterable, Codable {
    /// The input does not fit the model; sending it again cannot help.
    case invalidInput = "invalid_input"
    /// The catalogue does not know the model.
    case unknownModel = "unknown_model"
    /// The provider does not serve the model (404).
    case modelUnavailable = "model_unavailable"
    /// The provider refused the content.
    case contentRefused = "content_refused"
    /// The provider could not fetch or use an input file.
    case inputUnusable = "input_unusable"
    /// A job whose result it takes has failed, was cancelled, or is gone. It was not sent.
    case inputFailed = "input_failed"
    /// The result of another job that it takes is not there, or not for sure. It was not sent.
    case inputMissing = "input_missing"
    /// A file of this machine that it takes could not be uploaded. It was not sent.
    case uploadFailed = "upload_failed"
    /// The task ended in failure at the provider, for a reason that trying again does not fix.
    case taskFailed = "task_failed"
    /// The task ended by a fault of the provider's own, which may pass.
    case providerFault = "provider_fault"
    /// The provider reported success without any result.
    case emptyResult = "empty_result"
    /// The provider no longer knows the task.
    case taskLost = "task_lost"
    /// Results exist at the provider but could not be fetched.
    case downloadFailed = "download_failed"
    /// The API key was refused (401, 403).
    case keyRefused = "key_refused"
    /// The account has no credits left (402).
    case creditsExhausted = "credits_exhausted"
    /// The key's own cap is reached (433).
    case keyCapReached = "key_cap_reached"
    /// Too many requests (429).
    case rateLimited = "rate_limited"
    /// The provider answers with a fault of its own (5xx), or is out of reach.
    case providerUnavailable = "provider_unavailable"
    /// The provider is in maintenance (455).
    case providerMaintenance = "provider_maintenance"
    /// This model is switched off for now (505).
    case modelDisabled = "model_disabled"
    /// The request never left this machine.
    case notSent = "not_sent"
    /// The answer was lost.
    case answerLost = "answer_lost"
    /// An operator settled it by hand.
    case settledByOperator = "settled_by_operator"
    /// promptd has died of it, again and again: it is left alone.
    case setAside = "set_aside"
}
