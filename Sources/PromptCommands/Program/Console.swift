import FoundationEssentials
import Glibc
package import PromptConfiguration
package import PromptQueue
import Synchronization

/// Where a command runs: its streams, its terminal, its environment and its time.
package struct Console: Sendable {
    @TaskLocal package static var current = Console.system

    package var environment: [String: String]
    /// The configuration file that is read without --config; nil: none is.
    package var configurationFile: String? = ConfigurationLoader.defaultFile
    /// Where systemd looks for the daemon's credentials (systemd.exec(5), LoadCredential=); root may read them there.
    package var credentialStore = "/etc/credstore"
    /// The settings, as the daemon reads them.
    package var settings = DaemonConfiguration()
    /// Where paths begin that are not whole.
    package var directory = FileManager.default.currentDirectoryPath
    package var isOutputTerminal = false
    package var isErrorTerminal = false
    package var columns = 80
    package var rows = 24
    /// How large the terminal is now; nil: as large as it was at the start.
    package var measure: @Sendable () -> (columns: Int, rows: Int)? = { nil }
    /// The terminal's keys; nil: there are none.
    package var keyboard: (any Keyboard)?
    /// Where `-` reads from.
    package var inputDescriptor: Int32 = 0
    /// Seconds that the local time is ahead of UTC.
    package var secondsFromUTC: @Sendable (Instant) -> Int64
    package var now: @Sendable () -> Instant
    package var sleep: @Sendable (Duration) async throws -> Void
    /// Whether anybody can still read what is written to standard output.
    package var isOutputOpen: @Sendable () -> Bool = { true }
    package var writeOutput: @Sendable (String) -> Void
    package var writeError: @Sendable (String) -> Void

    package init(
        environment: [String: String],
        now: @escaping @Sendable () -> Instant,
        secondsFromUTC: @escaping @Sendable (Instant) -> Int64 = { _ in 0 },
        sleep: @escaping @Sendable (Duration) async throws -> Void,
        writeOutput: @escaping @Sendable (String) -> Void,
        writeError: @escaping @Sendable (String) -> Void
    ) {
        self.environment = environment
        self.now = now
        self.secondsFromUTC = secondsFromUTC
        self.sleep = sleep
        self.writeOutput = writeOutput
        self.writeError = writeError
    }

    /// Data: a line on standard output. What is harmful in it becomes spaces, but for the colours of our own.
    package func print(_ line: String) { writeOutput(harmless(line) + "\n") }

    /// Talk: a line on standard error, with nothing harmful in it.
    package func say(_ line: String) { writeError(PlainText.lines(line) + "\n") }

    /// Names are made harmless where they are shown; this is for those that were forgotten.
    func harmless(_ line: String) -> String {
        guard hasColour, line.utf8.contains(0x1B) else { return PlainText.lines(line) }
        var result = ""
        for (index, part) in line.split(separator: "\u{1B}", omittingEmptySubsequences: false).enumerated() {
            guard index > 0 else {
                result = PlainText.lines(String(part))
                continue
            }
            let isOurs = Style.codes.contains { part.hasPrefix("[\($0)m") }
            result += (isOurs ? "\u{1B}" : " ") + PlainText.lines(String(part))
        }
        return result
    }

    /// ` (3.60 USD)`, if the settings say what a credit costs.
    func money(_ credits: Credits) -> String {
        settings.creditPrice.map { " (\($0.amount(of: credits)))" } ?? ""
    }

    package var isInputTerminal: Bool { isatty(inputDescriptor) == 1 }

    /// Colour for what goes to standard output; never the only sign of anything. https://no-color.org
    package var hasColour: Bool {
        isOutputTerminal && (environment["NO_COLOR"] ?? "").isEmpty && environment["TERM"] != "dumb"
    }
}

extension Console {
    private static let failure = Atomic<Int32>(0)

    /// Why something could not be written to standard output (errno(3)); nil if all of it was.
    static var outputError: Int32? {
        let code = failure.load(ordering: .relaxed)
        return code == 0 ? nil : code
    }

    /// - Returns: why it could not be written.
    private static func write(_ text: String, to descriptor: Int32) -> Int32? {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return count < 0 ? errno : EIO }
            rest = rest.dropFirst(count)
        }
        return nil
    }

    /// The process's own.
    package static var system: Console {
        var console = Console(
            environment: ProcessInfo.processInfo.environment,
            now: { Instant(milliseconds: Int64((Date().timeIntervalSince1970 * 1_000).rounded())) },
            secondsFromUTC: { instant in
                var seconds = time_t(instant.milliseconds / 1_000)
                var local = unsafe tm()
                unsafe localtime_r(&seconds, &local)
                return unsafe Int64(local.tm_gmtoff)
            },
            sleep: { try await ContinuousClock().sleep(for: $0) },
            writeOutput: { text in
                if let error = write(text, to: STDOUT_FILENO) { failure.store(error, ordering: .relaxed) }
            },
            writeError: { text in _ = write(text, to: STDERR_FILENO) }
        )
        console.isOutputTerminal = isatty(STDOUT_FILENO) == 1
        console.isErrorTerminal = isatty(STDERR_FILENO) == 1
        console.measure = { size }
        console.isOutputOpen = {
            var output = pollfd(fd: STDOUT_FILENO, events: 0, revents: 0)
            return unsafe poll(&output, 1, 0) <= 0 || output.revents & Int16(POLLERR | POLLNVAL) == 0
        }
        console.keyboard = SystemKeyboard()
        console = console.measured
        if let columns = console.environment["COLUMNS"].flatMap(Int.init), columns > 20 { console.columns = columns }
        return console
    }

    private static var size: (columns: Int, rows: Int)? {
        var size = winsize()
        let isKnown =
            unsafe ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0
            || ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0
        return isKnown ? (Int(size.ws_col), Int(size.ws_row)) : nil
    }

    /// The same, with the terminal as large as it is now.
    package var measured: Console {
        guard let size = measure() else { return self }
        var console = self
        if size.columns > 20 { console.columns = size.columns }
        if size.rows > 2 { console.rows = size.rows }
        return console
    }
}
