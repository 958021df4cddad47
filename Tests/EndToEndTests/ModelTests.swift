import Testing

/// The provider's own list of models, from its answer to a paid task.
@Suite(.timeLimit(.minutes(2)))
struct ModelTests {
    private func promptctl(_ stage: Stage, _ arguments: [String], _ sandbox: Sandbox) async throws -> Stage.Said {
        try await stage.run("promptctl", arguments, environment: stage.environment(sandbox))
    }

    @Test func `a model that the provider has added is read, and the next job uses it`() async throws {
        try await Stage.with { stage in
            let sandbox = try await stage.sandbox("--duration", "100ms", "--jitter", "0s")
            let daemon = try await stage.daemon(sandbox)
            let model = "flux-3/text-to-image"
            let unknown = try await promptctl(stage, ["add", "a fox", "--model", model], sandbox)
            #expect(unknown.end == .exit(65))
            #expect(unknown.errors.contains("is not in the catalogue"))

            try await sandbox.change(
                #"{"model":"\#(model)","taskType":["text-to-image"],"pricingDesc":"12 credits per image","input":{"required":["prompt"],"properties":{"prompt":{"type":"string"},"style":{"type":"string","enum":["S","L"],"default":"S"}}}}"#
            )
            try await sandbox.change(#"{"model":"z-image","listed":false}"#)
            let tried = try await promptctl(stage, ["models", "refresh", "--dry-run"], sandbox)
            #expect(tried.end == .exit(0))
            let again = try await promptctl(stage, ["models", "refresh"], sandbox)
            #expect(again.output == tried.output)
            #expect(
                again.output == """
                    + \(model)  new: image, 2 fields, price: 12 credits per image
                    - z-image  the provider no longer lists it

                    """
            )
            #expect(again.errors.contains("1 new, 1 gone; kept in the database"))
            #expect(try await promptctl(stage, ["models", "refresh"], sandbox).output == "")

            let added = try await promptctl(stage, ["add", "a fox", "--model", model, "--input", "style=L"], sandbox)
            #expect(added.errors.contains("\(model), 12 credits"))
            try await stage.ledger.wait(job: 1, is: "succeeded")
            #expect(
                try await stage.ledger(
                    "SELECT estimated_millicredits, estimate_basis, charged_millicredits FROM attempts"
                )
                    == "12000|listed|12000"
            )
            #expect(
                try await promptctl(stage, ["add", "a fox", "--model", model, "--input", "style=M"], sandbox).end
                    == .exit(65)
            )
            let page = try await promptctl(stage, ["models", model], sandbox)
            #expect(page.output.contains("The provider's words on its price: 12 credits per image"))

            #expect(try await promptctl(stage, ["models", "reset", "--all"], sandbox).end == .exit(0))
            #expect(try await promptctl(stage, ["add", "a fox", "--model", model], sandbox).end == .exit(65))
            try await stage.stop(daemon)
        }
    }
}
