extension JobRecord {
    /// The columns under their own names; instants as ISO 8601, money in credits.
    package var object: JSONObject {
        [
            "id": .integer(id.rawValue),
            "state": .string(state.rawValue),
            "queue": .string(queue),
            "batch": JSONValue(batch),
            "model": .string(model),
            "priority": .integer(priority),
            "run_at": JSONValue(runAt),
            "prompt": JSONValue(prompt),
            "input": parsed(input),
            "labels": labels.map(parsed) ?? .null,
            "unique_key": JSONValue(uniqueKey),
            "attempt_count": .integer(Int64(attemptCount)),
            "max_attempts": .integer(Int64(maxAttempts)),
            "task_id": JSONValue(taskID?.rawValue),
            "provider_state": JSONValue(providerState),
            "estimated_credits": JSONValue(estimated),
            "estimate_basis": JSONValue(estimateBasis?.rawValue),
            "charged_credits": JSONValue(charged),
            "error_code": JSONValue(errorCode),
            "error_message": JSONValue(errorMessage),
            "created_at": JSONValue(createdAt),
            "submitted_at": JSONValue(submittedAt),
            "finished_at": JSONValue(finishedAt),
            "pruned_at": JSONValue(prunedAt),
            "files": .array(files.map { .string($0) }),
            "waits_for_upload": .bool(waitsForUpload),
            "waits_for": .array(waitsFor.map { .integer($0.rawValue) }),
        ]
    }
}

/// JSON from the database as it is; the text itself if it should be none.
package func parsed(_ json: String) -> JSONValue {
    do { return try JSONValue(parsing: json) } catch { return .string(json) }
}

extension JSONValue {
    package init(_ text: String?) { self = text.map { .string($0) } ?? .null }
    package init(_ number: Int?) { self = number.map { .integer(Int64($0)) } ?? .null }
    package init(_ instant: Instant?) { self = instant.map { .string($0.iso8601) } ?? .null }

    /// In credits.
    package init(_ credits: Credits?) {
        guard let credits else {
            self = .null
            return
        }
        self =
            credits.millicredits % 1_000 == 0
            ? .integer(credits.millicredits / 1_000) : .number(credits.doubleValue)
    }
}

extension AttemptRecord {
    package var object: JSONObject {
        [
            "id": .integer(id.rawValue),
            "account": .string(account.rawValue),
            "state": .string(state.rawValue),
            "task_id": JSONValue(taskID?.rawValue),
            "task_source": JSONValue(taskSource?.rawValue),
            "hinted_task_id": JSONValue(hintedTask?.rawValue),
            "sent_at": JSONValue(sentAt),
            "answered_at": JSONValue(answeredAt),
            "finished_at": JSONValue(finishedAt),
            "http_status": JSONValue(httpStatus),
            "api_code": JSONValue(apiCode),
            "error_code": JSONValue(errorCode),
            "message": JSONValue(message),
            "reserved_credits": JSONValue(reserved),
            "estimated_credits": JSONValue(estimated),
            "estimate_basis": JSONValue(estimateBasis?.rawValue),
            "charged_credits": JSONValue(charged),
            "charge_reported": .bool(isChargeReported),
            "evidence": JSONValue(evidence),
            "input": input.map(parsed) ?? .null,
            "result_json": JSONValue(unread),
        ]
    }
}

extension ResultRecord {
    package var object: JSONObject {
        [
            "ordinal": .integer(Int64(ordinal)),
            "role": .string(role),
            "state": .string(state.rawValue),
            "url": JSONValue(url),
            "content": content.map(parsed) ?? .null,
            "path": JSONValue(path),
            "content_type": JSONValue(contentType),
            "bytes": bytes.map { .integer($0) } ?? .null,
            "sha256": JSONValue(sha256),
            "error_message": JSONValue(errorMessage),
            "created_at": JSONValue(createdAt),
            "saved_at": JSONValue(savedAt),
        ]
    }
}

extension ChainLink {
    var object: JSONObject {
        [
            "id": .integer(job.rawValue),
            "state": .string(state.rawValue),
            "model": .string(model),
            "distance": .integer(Int64(distance)),
            "takes": .array(takes.map { .string($0) }),
        ]
    }
}
