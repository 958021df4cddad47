import PromptQueue

/// An import: one pass that only checks, and if every line is good, a second one that inserts in one transaction.
///
/// The queue is locked for the second pass only, and neither holds more than a portion of the lines in memory.
final class ImportRun {
    /// What an import comes to.
    struct Summary {
        /// Lines with something in them.
        var lines = 0
        var badLines = 0
        var jobs = 0
        var skipped = 0
        var price = Price()
        /// What they cost, by queues and budgets.
        var credits: NewCredits
        /// The queue, if it is one and the same for all.
        var queues: Set<String> = []
    }

    private let file: ImportFile
    /// `nil` for a check without a database.
    private let queue: (any QueueClient)?
    private let console: Console
    private let bar: ProgressBar
    private let skipsDuplicates: Bool
    /// Whether what was understood is said although nothing was guessed.
    private let alwaysSays: Bool
    private var checker: RowChecker
    /// What was made of the file.
    private var reading: Reading?
    /// The first that is to be inserted.
    private var firstJob: NewJob?
    private var hidden = 0
    private var duplicates = 0

    /// How many problems are printed at most.
    private static let maximumProblems = 100

    init(
        _ file: ImportFile,
        into queue: (any QueueClient)?,
        _ context: ImportContext,
        skipsDuplicates: Bool,
        alwaysSays: Bool,
        _ console: Console
    ) {
        self.file = file
        self.queue = queue
        self.console = console
        self.skipsDuplicates = skipsDuplicates
        self.alwaysSays = alwaysSays
        checker = RowChecker(context)
        bar = ProgressBar(console)
    }

    var unknownFields: [String] { checker.unknownFields.sorted() }

    /// - Throws: `CommandError` when lines are wrong, after each was reported.
    func check() throws -> Summary {
        var summary = Summary(credits: NewCredits(checker.context.budgets))
        do {
            try checkRows(&summary)
        } catch {
            bar.clear()
            throw error
        }
        bar.clear()
        sayWhatWasRead(summary, if: reading?.isGuessed ?? false || !checker.guesses.isEmpty || alwaysSays)
        guard summary.badLines == 0 else {
            if hidden > 0 { console.say("… and \(grouped(hidden)) more") }
            let verb = summary.badLines == 1 ? "is" : "are"
            console.say(
                "\(grouped(summary.badLines)) of \(count(summary.lines, "line")) \(verb) wrong; nothing was imported."
            )
            if duplicates > 0 { console.say("--skip-duplicates leaves out what is there already.") }
            throw CommandError(.badData, "")
        }
        guard summary.lines > 0 else {
            throw CommandError(.badData, "\(file.name): holds no jobs; nothing was imported")
        }
        return summary
    }

    private func checkRows(_ summary: inout Summary) throws {
        func check(_ row: CheckedRow, _ keys: some KeyChecker) throws {
            summary.lines += 1
            var problems = row.problems
            for job in row.jobs {
                for reference in job.references {
                    guard let problem = try keys.problem(with: reference) else { continue }
                    if !problems.contains(problem) { problems.append(problem) }
                }
                if let key = job.uniqueKey, let holder = try keys.claim(key, line: row.line) {
                    if skipsDuplicates {
                        summary.skipped += 1
                        continue
                    }
                    duplicates += 1
                    problems.append("unique_key: \"\(key)\" belongs to \(holder) already")
                }
                if problems.isEmpty { firstJob = firstJob ?? job }
                note(job, &summary)
            }
            if !problems.isEmpty {
                summary.badLines += 1
                report(problems, row.line)
            }
            progress("checking", summary.lines, 0)
        }
        func check(_ keys: some KeyChecker) throws {
            try forEachPortion { rows in
                try keys.prepare(rows.flatMap(\.jobs))
                for row in rows { try check(row, keys) }
            }
        }
        guard let queue else { return try check(KeysOfFile()) }
        try queue.checkingKeys { try check($0) }
    }

    /// Keys of a file that is checked without a database.
    private final class KeysOfFile: KeyChecker {
        private var lines: [String: Int] = [:]

        func claim(_ key: String, line: Int) -> String? {
            if let holder = lines[key] { return "line \(holder)" }
            lines[key] = line
            return nil
        }

        /// Whether there is a job in the queue is not known here.
        func problem(with reference: InputReference) -> String? { nil }
    }

    /// Says what was understood, and what was guessed.
    private func sayWhatWasRead(_ summary: Summary, if isWanted: Bool) {
        guard let reading else { return }
        for note in reading.notes + checker.guesses.sentences { console.say("\(file.name): \(note)") }
        guard isWanted else { return }
        var sentence = "\(file.name): read \(count(summary.lines, "line")) as \(reading.description(file.encoding))"
        if let template = checker.context.columns.template {
            sentence += "; the template takes \(template.names.joined(separator: ", "))"
        }
        if let job = firstJob {
            let prompt = job.prompt.map {
                JSONValue.string($0.unicodeScalars.count > 100 ? "\($0.prefix(99))…" : $0).json
            }
            let parts = [
                prompt, job.input == "{}" ? nil : BoundedText.word(job.input),
                job.labels.map { BoundedText.word("labels \($0)") },
            ]
            sentence += "; first job: " + parts.compactMap(\.self).joined(separator: " ")
        }
        console.say(sentence)
    }

    /// - Throws: `CommandError` when the file or the queue has changed since it was checked; nothing is inserted then.
    func insert() throws -> Summary {
        var summary = Summary(credits: NewCredits(checker.context.budgets))
        guard let queue else { return summary }
        try queue.insertAll(now: console.now(), skipsDuplicates: skipsDuplicates) { insertion in
            try forEachPortion { rows in
                let good = rows.prefix { $0.problems.isEmpty }
                try insert(good.flatMap { row in row.jobs.map { (row.line, $0) } }, by: insertion, &summary)
                if good.count < rows.count {
                    let row = rows[good.count]
                    throw CommandError(
                        .badData,
                        "\(file.name):\(row.line): \(row.problems[0]); the file has changed, nothing was imported"
                    )
                }
                for _ in rows {
                    summary.lines += 1
                    progress("importing", summary.lines, 0.5)
                }
            }
        }
        bar.clear()
        return summary
    }

    private func insert(
        _ jobs: [(line: Int, job: NewJob)],
        by insertion: any JobInserter,
        _ summary: inout Summary
    ) throws {
        let inserted: [Bool]
        do throws(InsertionFailure) {
            inserted = try insertion.insert(jobs.map(\.job))
        } catch {
            guard error.error.code == .constraint else { throw error.error }
            throw CommandError(
                .badData,
                "\(file.name):\(jobs[error.place].line): \(error.error.message); nothing was imported"
            )
        }
        for (isNew, (_, job)) in zip(inserted, jobs) {
            if isNew { note(job, &summary) } else { summary.skipped += 1 }
        }
    }

    private func note(_ job: NewJob, _ summary: inout Summary) {
        summary.jobs += 1
        if let estimate = job.estimate {
            summary.price.add(estimate)
            summary.credits.add(job)
        }
        if summary.queues.count < 2 { summary.queues.insert(job.queue) }
    }

    private func report(_ problems: [String], _ line: Int) {
        guard reported < Self.maximumProblems else {
            hidden += problems.count
            return
        }
        bar.clear()
        for problem in problems {
            console.say("\(file.name):\(line): \(oneLine(problem))")
            reported += 1
        }
    }

    private var reported = 0
    private var fraction = 0.0

    private func progress(_ verb: String, _ lines: Int, _ begin: Double) {
        guard lines % 1_000 == 0 else { return }
        bar.draw("\(verb) line \(grouped(lines))", begin + fraction / 2, "")
    }

    private struct CheckedRow {
        var line: Int
        var jobs: [NewJob]
        var problems: [String]
    }

    /// Where a portion ends.
    private static let portionJobs = 2_000
    private static let portionBytes = 2_000_000

    /// Some rows at a time, so that a store is not asked about each by itself.
    private func forEachPortion(_ body: ([CheckedRow]) throws -> Void) throws {
        var portion: [CheckedRow] = []
        var (jobCount, bytes) = (0, 0)
        func end() throws {
            guard !portion.isEmpty else { return }
            let rows = portion
            portion = []
            (jobCount, bytes) = (0, 0)
            try body(rows)
        }
        do {
            try forEachRow { row, jobs, problems in
                portion.append(CheckedRow(line: row.line, jobs: jobs, problems: problems))
                jobCount += jobs.count + 1
                bytes += jobs.reduce(0) { $0 + ($1.prompt?.utf8.count ?? 0) + $1.input.utf8.count }
                if jobCount >= Self.portionJobs || bytes >= Self.portionBytes { try end() }
            }
        } catch {
            // What was read before the file could not be read on.
            try end()
            throw error
        }
        try end()
    }

    private func forEachRow(_ body: (ImportRow, [NewJob], [String]) throws -> Void) throws {
        let source = try file.rewind()
        switch file.format {
        case .txt: try forEachRow(TextReader(source, suspecting: file.isFormatGiven ? nil : file.name), body)
        case .csv: try forEachRow(try CSVReader(source, name: file.name, checker.context.columns), body)
        case .jsonl: try forEachRow(JSONLineReader(source, checker.context.columns), body)
        }
    }

    private func forEachRow(
        _ reader: some ImportReader,
        _ body: (ImportRow, [NewJob], [String]) throws -> Void
    ) throws {
        var reader = reader
        var row = ImportRow()
        while try reader.next(into: &row) {
            fraction = file.size > 0 ? Double(reader.offset) / Double(file.size) : 1
            let (jobs, problems) = checker.jobs(of: row, reader)
            try body(row, jobs, problems)
        }
        reading = reader.reading
    }
}
