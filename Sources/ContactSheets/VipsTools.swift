import Concurrency
import Glibc
package import PromptQueue
import Subprocess
import SystemPackage

/// The programs of libvips, which make small pictures and draw contact sheets.
///
/// The pictures are strangers', and a decoder is where they strike. So each is a process of its own that is given open files, and
/// bounds: for its time, its memory, and what it may write. Decoders that libvips itself does not trust are off.
package struct VipsTools: Sendable {
    /// What has to be installed for it.
    package static let package = "libvips-tools"
    /// The most that a drawn picture may have; a thousand photographs need about half of it.
    package static let mostBytes = 256 << 20
    private static let mostThumbnailBytes = 512 << 10
    private static let memory = 512 << 20
    private static let keptBytes = 16_384

    private let thumbnailer: String
    private let vips: String
    private let limiter: String
    private let nice: String

    /// Nil where they are not installed.
    ///
    /// - Parameter path: the folders in which they are looked for, as in `PATH`.
    package init?(path: String = "/usr/bin:/usr/local/bin") {
        let folders = path.split(separator: ":")
        func find(_ name: String) -> String? {
            folders.map { folder -> String in "\(folder)/\(name)" }.first { unsafe access($0, X_OK) == 0 }
        }
        // prlimit and nice are of every Debian.
        guard let thumbnailer = find("vipsthumbnail"), let vips = find("vips"), let limiter = find("prlimit"),
            let nice = find("nice")
        else { return nil }
        (self.thumbnailer, self.vips, self.limiter, self.nice) = (thumbnailer, vips, limiter, nice)
    }

    /// Makes a small picture.
    ///
    /// - Parameters:
    ///   - descriptor: an open file.
    ///   - side: the most in width and height, in pixels; a picture that is smaller stays as it is.
    /// - Throws: `PictureFailure`; or `CancellationError`.
    package func thumbnail(
        of descriptor: CInt,
        side: Int,
        as format: ThumbnailName.Format,
        within limit: Duration
    ) async throws -> [UInt8] {
        let form =
            switch format {
            case .webp: ".webp[Q=75,strip]"
            case .jpeg: ".jpg[Q=82,strip,background=255]"
            }
        let arguments = [
            "--fsize=0", "--", thumbnailer, "stdin", "--vips-concurrency=1", "--vips-novector",
            "--size", "\(side)x\(side)>", "--export-profile", "srgb", "--output", form,
        ]
        try Self.rewind(descriptor)
        let bytes = try await Self.named("vipsthumbnail", within: limit) {
            let result = try await Subprocess.run(
                .path(FilePath(nice)),
                arguments: Arguments(bounds(limit) + arguments),
                environment: Self.environment(["VIPS_BLOCK_UNTRUSTED": "1"]),
                workingDirectory: "/",
                platformOptions: Self.options,
                input: .fileDescriptor(FileDescriptor(rawValue: descriptor), closeAfterSpawningProcess: false),
                output: .bytes(limit: Self.mostThumbnailBytes),
                error: .discarded
            )
            guard result.terminationStatus.isSuccess else {
                throw PictureFailure("vipsthumbnail \(result.terminationStatus)")
            }
            return result.standardOutput
        }
        guard !bytes.isEmpty else { throw PictureFailure("vipsthumbnail made no picture") }
        return bytes
    }

    /// Draws an SVG of promptd's own, as a PNG of at most `mostBytes`.
    ///
    /// - Parameters:
    ///   - drawing: an open file, of a contact sheet.
    ///   - picture: an open file, to be written.
    /// - Throws: `PictureFailure`; or `CancellationError`.
    package func draw(_ drawing: CInt, into picture: CInt, within limit: Duration) async throws {
        let arguments = [
            "--fsize=\(Self.mostBytes)", "--", vips, "--vips-concurrency=1", "--vips-novector", "flatten",
            "stdin[unlimited]", ".png",
        ]
        try Self.rewind(drawing)
        try await Self.named("vips", within: limit) {
            let result = try await Subprocess.run(
                .path(FilePath(nice)),
                arguments: Arguments(bounds(limit) + arguments),
                environment: Self.environment([:]),
                workingDirectory: "/",
                platformOptions: Self.options,
                input: .fileDescriptor(FileDescriptor(rawValue: drawing), closeAfterSpawningProcess: false),
                output: .fileDescriptor(FileDescriptor(rawValue: picture), closeAfterSpawningProcess: false),
                error: .string(limit: Self.keptBytes)
            )
            guard !result.terminationStatus.isSuccess else { return }
            let said = result.standardError.split(separator: "\n").last.map { ": \(PlainText.oneLine(String($0)))" }
            throw PictureFailure("vips \(result.terminationStatus)\(said ?? "")")
        }
    }

    private func bounds(_ limit: Duration) -> [String] {
        // Whatever else this machine does comes first.
        [
            "-n", "19", limiter, "--data=\(Self.memory)", "--cpu=\(max(1, limit.components.seconds))", "--core=0",
            "--nofile=64",
        ]
    }

    private static func rewind(_ descriptor: CInt) throws {
        guard lseek(descriptor, 0, SEEK_SET) == 0 else { throw PictureFailure("\(Errno(rawValue: errno))") }
    }

    private static func environment(_ more: [Environment.Key: String]) -> Environment {
        let variables: [Environment.Key: String] = [
            "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "VIPS_WARNING": "1", "MALLOC_ARENA_MAX": "1",
        ]
        return .custom(variables.merging(more) { _, new in new })
    }

    /// A group of its own, so that whatever it starts ends with it.
    private static var options: PlatformOptions {
        var options = PlatformOptions()
        options.processGroupID = 0
        options.teardownSequence = [
            .send(signal: .kill, toProcessGroup: true, allowedDurationToNextStep: .seconds(1))
        ]
        return options
    }

    private static func named<Value: Sendable>(
        _ name: String,
        within limit: Duration,
        _ body: @escaping @concurrent @Sendable () async throws -> Value
    ) async throws -> Value {
        do {
            return try await withDeadline(limit, clock: .continuous, body)
        } catch is DeadlineExceeded {
            throw PictureFailure("\(name) took longer than \(limit.inWords) and was ended")
        } catch let error as SubprocessError {
            try Task.checkCancellation()
            throw PictureFailure("\(name) cannot be run: \(error)")
        }
    }
}

/// Why there is no picture.
package struct PictureFailure: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}
