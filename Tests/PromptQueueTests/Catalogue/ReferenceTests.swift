import PromptQueue
import Testing

/// Where an input may take another job's result.
@Suite struct ReferenceTests {
    private let editor = "flux-2/flex-image-to-image"

    @Test func `the price is known before the URL is`() {
        guard
            case .ready(let prepared) = Catalogue.builtIn.prepareAhead(
                model: editor,
                prompt: "it runs",
                input: ["input_urls": .array(["job:12/0", "key:shots/7"]), "resolution": "2K"]
            )
        else {
            Issue.record("it was refused")
            return
        }
        #expect(prepared.estimate?.credits == Credits(millicredits: 24_000))
    }

    @Test(arguments: [("resolution", "job:12"), ("aspect_ratio", "key:shot-7/0")])
    func `a result is refused where the model takes no URL`(field: String, reference: String) {
        let input: JSONObject = ["input_urls": .array(["https://x/1.png"]), field: .string(reference)]
        guard
            case .refused(let refusal) = Catalogue.builtIn.prepareAhead(model: editor, prompt: "it runs", input: input)
        else {
            Issue.record("it was taken")
            return
        }
        #expect(refusal.problems.map(\.field) == [field])
        #expect(refusal.description.contains("takes no URL here"))
    }

    @Test func `keys that only look the same take what is their own`() throws {
        let sources = [("caf\u{e9}", 1), ("cafe\u{301}", 2)].map { key, job in
            ResultSource(
                reference: "key:\(key)",
                job: JobID(Int64(job)),
                ordinal: 0,
                url: "https://x/\(job).png",
                createdAt: Instant(milliseconds: 0),
                now: Instant(milliseconds: 0)
            )
        }
        let input: JSONObject = ["input_urls": .array(sources.map { .string($0.reference) })]
        #expect(InputReference.all(in: .object(input)).count == 2)
        let job = QueuedJob(
            id: JobID(3),
            queue: "default",
            model: editor,
            prompt: "it runs",
            input: JSONValue.object(input).json,
            sources: sources
        )
        #expect(try job.inputToSend(.builtIn)["input_urls"] == .array(["https://x/1.png", "https://x/2.png"]))
    }

    @Test func `a reference that nobody resolved is never sent`() {
        let job = QueuedJob(
            id: JobID(2),
            queue: "default",
            model: editor,
            prompt: "it runs",
            input: #"{"input_urls":["job:1"]}"#,
            sources: []
        )
        guard case .refused(let refusal) = job.prepared(by: .builtIn, unknownModels: .refuse) else {
            Issue.record("it was sent as it is")
            return
        }
        #expect(refusal.code == .invalidInput)
    }
}
