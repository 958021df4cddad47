import Postgres
import PostgresServer
import Testing

@Suite(.timeLimit(.minutes(2)))
struct ListeningTests {
    @Test func `notifications come once each, and what is too much becomes one`() async throws {
        let settings = try await PostgresSettings.tests(PostgresServer.shared().database())
        let speaker = try await PostgresConnection.open(settings)
        var news = PostgresListener(settings, channels: ["news", "odd \"name"], mostWaiting: 10).makeAsyncIterator()
        guard case .everything = await news.next() else { Issue.record("listening did not begin"); return }
        for payload in ["a", "b", "a"] { _ = try await speaker.query("SELECT pg_notify('news', $1)", [.text(payload)]) }
        _ = try await speaker.query("SELECT pg_notify('odd \"name', '')")
        var heard: Set<String> = []
        while heard.count < 3 {
            guard case .notification(let one) = await news.next() else { Issue.record("no notification"); return }
            heard.insert("\(one.channel): \(one.payload)")
        }
        #expect(heard == ["news: a", "news: b", "odd \"name: "])
        _ = try await speaker.query("SELECT pg_notify('news', n::text) FROM generate_series(1, 1000) AS n")
        var everything = false
        while !everything { if case .everything = await news.next() { everything = true } }
        await speaker.close()
    }

    @Test func `a listener whose connection is ended listens again, and says that anything may have happened`()
        async throws
    {
        let settings = try await PostgresSettings.tests(PostgresServer.shared().database())
        let speaker = try await PostgresConnection.open(settings)
        var news = PostgresListener(settings, channels: ["news"]).makeAsyncIterator()
        guard case .everything = await news.next() else { Issue.record("listening did not begin"); return }
        _ = try await speaker.query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        guard case .lost(let error) = await news.next() else { Issue.record("the loss was not noticed"); return }
        #expect(error.message.contains("terminating connection"))
        guard case .everything = await news.next() else { Issue.record("it does not listen again"); return }
        _ = try await speaker.query("SELECT pg_notify('news', 'again')")
        guard case .notification(let one) = await news.next() else { Issue.record("it does not hear"); return }
        #expect(one.payload == "again")
        await speaker.close()
    }

    @Test func `a cancelled listener ends`() async throws {
        let settings = try await PostgresSettings.tests(PostgresServer.shared().database())
        let began = AsyncStream.makeStream(of: Void.self)
        let task = Task {
            var count = 0
            for await _ in PostgresListener(settings, channels: ["news"]) {
                count += 1
                began.continuation.finish()
            }
            return count
        }
        for await _ in began.stream {}
        task.cancel()
        #expect(await task.value == 1)
    }
}
