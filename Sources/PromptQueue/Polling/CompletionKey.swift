/// Tasks that are expected to take equally long: of one model, and alike in the inputs that matter for that.
package struct CompletionKey: Sendable, Hashable {
    package var model: String
    /// A `CompletionProfile`'s text; empty for a task without any of those inputs.
    package var profile: String

    package init(model: String, profile: String) {
        self.model = model
        self.profile = profile
    }
}

/// The inputs of a task that matter for how long it takes, in a short normal form: `duration=5 resolution=720p`.
///
/// Sorted by name; `"5"`, `5` and `5.0` are the same, and so are `4K` and `4k`. A text to be read aloud counts by its
/// length: `text<512` has fewer than 512 characters and at least 256.
package enum CompletionProfile {
    private static let names: Set<String> = [
        "acceleration", "audio", "duration", "enable_sequential", "fps", "generate_audio", "image_resolution",
        "image_size", "max_images", "mode", "model", "multi_shots", "n", "n_frames", "num_images",
        "num_inference_steps", "quality", "rendering_speed", "resolution", "size", "sound", "thinking_mode",
        "upscale_factor",
    ]
    private static let longestValue = 24

    package static func text(of input: JSONObject) -> String {
        var parts: [(String, String)] = []
        for (name, value) in input {
            if name == "text", let text = value.stringValue {
                var bound = 64
                while bound <= text.unicodeScalars.count, bound < 1 << 20 { bound *= 2 }
                parts.append((name, "<\(bound)"))
            } else if names.contains(name), let text = plain(value), text.utf8.count <= longestValue {
                parts.append((name, "=" + text))
            }
        }
        return parts.sorted { $0.0 < $1.0 }.map { $0.0 + $0.1 }.joined(separator: " ")
    }

    private static func plain(_ value: JSONValue) -> String? {
        switch value {
        case .string(let text):
            guard !text.isEmpty else { return nil }
            return Double(text).map(plain) ?? text.lowercased()
        case .integer(let number): return String(number)
        case .unsigned(let number): return String(number)
        case .number(let number): return plain(number)
        case .bool(let bool): return bool ? "true" : nil
        case .null, .array, .object: return nil
        }
    }

    private static func plain(_ number: Double) -> String {
        Int64(exactly: number).map { String($0) } ?? String(number)
    }
}

/// A task that ended, as the ledger remembers it.
package struct CompletedTask: Sendable, Hashable {
    package var key: CompletionKey
    package var took: Duration

    package init(key: CompletionKey, took: Duration) {
        self.key = key
        self.took = took
    }
}
