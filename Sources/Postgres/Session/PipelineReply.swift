/// What came back for a pipeline.
struct PipelineReply: Sendable {
    /// Results of the statements before the first failure, in order.
    var rows: [PostgresRows] = []
    /// What the first statement that failed ran into, or the loss of the connection.
    var failure: PostgresError?
    var notices: [NoticeLog.Entry] = []
    /// Whether anything may have reached the server.
    var isSent = false

    /// Whether the server committed, but said that a standby had not confirmed it.
    ///
    /// - Parameter statement: the COMMIT's number; the number behind the last one for the commit that ends a pipeline without a
    ///   transaction.
    func warns(of statement: Int) -> Bool {
        notices.contains { entry in
            guard entry.message.severity == "WARNING" else { return false }
            // libpq hands over a notice while it returns the result before it, so the COMMIT's can seem to be another statement's. The
            // server has no code of its own for it, but names the function.
            return entry.message.routine == "SyncRepWaitForLSN" || entry.statement >= statement
        }
    }
}
