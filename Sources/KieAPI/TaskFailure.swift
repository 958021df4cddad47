import PromptQueue

/// Why a task failed, from its `failCode` and `failMsg`.
enum TaskFailure {
    /// - Parameter otherwise: what it is when neither tells.
    static func code(failCode: String?, message: String, otherwise: FailureCode = .taskFailed) -> FailureCode {
        let both = "\(failCode ?? "") \(message)"
        if ProviderMessages.refusesContent(both) { return .contentRefused }
        if failCode == "451" || ProviderMessages.cannotUseInput(both) { return .inputUnusable }
        if let number = failCode.flatMap(Int.init), (500...599).contains(number) { return .providerFault }
        if ProviderMessages.isPassingFault(both) { return .providerFault }
        return otherwise
    }
}
