package import FoundationEssentials
package import PromptQueue

/// What is read of a callback's body: which task it is about. The rest is not signed and not believed.
package struct CallbackBody: Sendable, Equatable {
    /// `data.taskId`, or `data.task_id` as some models have it; nil if neither is a usable text.
    package var task: TaskID?

    /// - Returns: nil if `bytes` is no JSON object.
    package init?(_ bytes: Data) {
        // Only the fields that matter are decoded, so that deep nesting costs nothing.
        guard let body = try? JSONDecoder().decode(Wire.self, from: bytes) else { return nil }
        task = body.task
    }

    /// Task ids are opaque; this keeps out what cannot be one.
    static let longestTaskID = 200

    private struct Wire: Decodable {
        var task: TaskID?

        enum Key: String, CodingKey { case data }
        enum DataKey: String, CodingKey, CaseIterable {
            case taskID = "taskId"
            case oldTaskID = "task_id"
        }

        init(from decoder: any Decoder) throws {
            let body = try decoder.container(keyedBy: Key.self)
            guard let data = try? body.nestedContainer(keyedBy: DataKey.self, forKey: .data) else { return }
            for key in DataKey.allCases {
                guard let text = try? data.decodeIfPresent(String.self, forKey: key), !text.isEmpty,
                    text.utf8.count <= CallbackBody.longestTaskID,
                    text.unicodeScalars.allSatisfy({ $0.value > 0x20 && $0.value != 0x7F })
                else { continue }
                task = TaskID(text)
                return
            }
        }
    }
}
