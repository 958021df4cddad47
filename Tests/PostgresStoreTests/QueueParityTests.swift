import Foundation
import JobStore
import LedgerConformance
import Postgres
import PostgresServer
import PromptQueue
import Testing

@testable import PostgresStore

/// What is shown of a queue is the same, whichever store it is in.
@Suite(.timeLimit(.minutes(5)))
struct QueueParityTests {
    /// A machine that is busy may be slow.
    private static func settings(_ conninfo: String) -> PostgresSettings {
        var settings = PostgresSettings.patient(conninfo, applicationName: "tests")
        settings.limits.statement = nil
        settings.limits.idleInTransaction = nil
        return settings
    }

    /// The same in both stores.
    private struct Twins {
        let file: QueueFile
        let queue: PostgresQueue
        let connection: BlockingConnection

        init(isReadOnly: Bool = false) async throws {
            let path = try await Population.make()
            let place = try await PostgresPlace.make()
            try CarriedStore.carry(path, to: place.conninfo)
            file = try QueueFile(path: path)
            queue = try PostgresQueue(
                QueueParityTests.settings(place.conninfo),
                isReadOnly: isReadOnly
            )
            connection = try BlockingConnection(QueueParityTests.settings(place.conninfo))
        }

        func close() throws {
            try file.close()
            try queue.close()
            try connection.close()
            try FileManager.default.removeItem(atPath: FilePathParts.split(file.path).directory)
        }
    }

    @Test func `every question has the same answer from both stores`() async throws {
        let twins = try await Twins()
        // Not on a thread that others need meanwhile.
        try await OwnThread.run { try Self.compare(twins) }
    }

    private static func compare(_ twins: Twins) throws {
        let jobs = try twins.file.ids(matching: JobFilter(), limit: 1_000)
        let questions = QueueQuestion.all(jobs)
        var empty = 0
        for question in questions {
            let expected = try question.ask(twins.file)
            let found = try question.ask(twins.queue)
            let isSame = expected == found
            #expect(isSame, "\(question.name): \(Self.difference(found, expected))")
            if expected == "[]" || expected == "nil" { empty += 1 }
        }
        // Of those most have to do with what is not there.
        #expect(empty < questions.count / 10)
        // All states, and whatever else is worth a comparison, has come about.
        #expect(try twins.file.tally(of: .ids(jobs)).counts.count == JobState.allCases.count)
        let status = try twins.file.status()
        #expect(
            status.accounts.count == 2 && status.budgets.count == 3 && status.gates.count == 2 && status.account != nil
        )
        #expect(try !twins.file.hookDeliveries([.dead], limit: 9).isEmpty && !twins.file.charges().isEmpty)
        #expect(try jobs.contains { try twins.file.details(of: $0)?.chain.count == 2 })
        #expect(try jobs.contains { try twins.file.details(of: $0)?.running != nil })
        #expect(try jobs.contains { try twins.file.details(of: $0)?.job.waitsForUpload == true })

        // What differs is seen.
        let job = jobs[4]
        _ = try twins.connection.query("SET session_replication_role = replica")
        _ = try twins.connection.query("UPDATE promptd.results SET error_message = 'another' WHERE ordinal = 0")
        _ = try twins.connection.query(
            "UPDATE promptd.jobs SET priority = priority + 1 WHERE id = $1",
            [.int(job.rawValue)]
        )
        let changed = try questions.filter { try $0.ask(twins.file) != $0.ask(twins.queue) }.map(\.name)
        #expect(changed.contains("details of \(job)") && changed.contains("everything, jobs"))
        try twins.close()
    }

    /// What stands around the first place where they differ.
    private static func difference(_ found: String, _ expected: String) -> String {
        let (left, right) = (Array(found.utf8), Array(expected.utf8))
        let place =
            zip(left, right).enumerated().first { $0.element.0 != $0.element.1 }?.offset ?? min(left.count, right.count)
        func part(_ text: [UInt8]) -> String {
            String(decoding: text.dropFirst(max(0, place - 60)).prefix(160), as: UTF8.self)
        }
        return "…\(part(left))… instead of …\(part(right))…"
    }

    @Test func `who only reads has the same answers, and writes nothing`() async throws {
        let twins = try await Twins(isReadOnly: true)
        #expect(try twins.queue.queues().count == twins.file.queues().count)
        #expect(try twins.queue.eventRange() == twins.file.eventRange())
        #expect(try twins.queue.events(EventQuery(limit: 9)) == twins.file.events(EventQuery(limit: 9)))
        let error = #expect(throws: LedgerError.self) {
            try twins.queue.writing { _ = try $0.query("UPDATE queues SET paused = 1") }
        }
        #expect(error?.message.contains("read-only") == true)
        try twins.close()
    }

    @Test func `the version is another when somebody else has committed, and only then`() async throws {
        let server = try await PostgresServer.start()
        let place = try await PostgresPlace.make(server)
        let queue = try PostgresQueue(QueueParityTests.settings(place.conninfo))
        let first = try queue.dataVersion()
        #expect(try queue.dataVersion() == first)
        _ = try await place.add("a fox")
        let second = try queue.dataVersion()
        #expect(second != first)
        // Who began first commits last.
        let early = try await PostgresConnection.open(QueueParityTests.settings(place.conninfo))
        let seen = try await early.transaction { transaction in
            _ = try await transaction.query("INSERT INTO promptd.jobs (prompt) VALUES ('early')")
            _ = try await place.add("late")
            return try queue.dataVersion()
        }
        #expect(try queue.dataVersion() != seen)
        await early.close()
        try queue.close()
    }

    @Test func `a connection that was lost is made anew for the next call`() async throws {
        let place = try await PostgresPlace.make()
        let queue = try PostgresQueue(QueueParityTests.settings(place.conninfo))
        let process = try queue.connection.server.process
        _ = try await place.connection.query("SELECT pg_terminate_backend($1::int)", [.int(process)])
        #expect(throws: LedgerError.self) { while true { _ = try queue.queues() } }
        #expect(try queue.queues().map(\.name) == ["default"])
        try queue.close()
    }

    @Test func `a database without a queue is refused with words`() async throws {
        let conninfo = try await PostgresServer.shared().database()
        let error = #expect(throws: LedgerError.self) {
            try PostgresQueue(.patient(conninfo, applicationName: "tests"))
        }
        #expect(error?.code == .unusable && error?.message.contains("there is no queue") == true)
    }
}
