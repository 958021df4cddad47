import Concurrency
import Glibc
package import NIOCore
import PromptQueue
import Subprocess
import SystemPackage

/// Makes small pictures with `vipsthumbnail`, of Debian's package `libvips-tools`.
///
/// The pictures are strangers', and a decoder is where they strike. So it is a process of its own that is given one open file, a
/// pipe, and bounds: for its time, its memory, and no file that it may write. Decoders that libvips itself does not trust are off.
package struct VipsThumbnailer: ThumbnailMaker {
    private static let programs = ["/usr/bin/vipsthumbnail", "/usr/local/bin/vipsthumbnail"]
    private static let limiter = "/usr/bin/prlimit"
    /// Of every Debian: whatever else this machine does comes first.
    private static let nice = "/usr/bin/nice"
    private static let memory = 512 << 20
    private static let mostBytes = 512 << 10

    private let timeout: Duration
    private let isOn: @Sendable () -> Bool

    /// - Parameter isOn: asked each time, because a reload may change it.
    package init(timeout: Duration = .seconds(20), isOn: @escaping @Sendable () -> Bool = { true }) {
        self.timeout = timeout
        self.isOn = isOn
    }

    package var isReady: Bool { isOn() && Self.program != nil }

    private static var program: String? {
        isExecutable(limiter) && isExecutable(nice) ? programs.first(where: isExecutable) : nil
    }

    private static func isExecutable(_ path: String) -> Bool { unsafe access(path, X_OK) == 0 }

    package func thumbnail(of descriptor: CInt, width: Int) async throws -> ByteBuffer {
        guard let program = Self.program else { throw ThumbnailFailure("vipsthumbnail is not installed") }
        guard lseek(descriptor, 0, SEEK_SET) == 0 else { throw ThumbnailFailure("\(Errno(rawValue: errno))") }
        let seconds = max(1, timeout.components.seconds)
        let arguments = [
            "-n", "19", Self.limiter, "--data=\(Self.memory)", "--cpu=\(seconds)", "--fsize=0", "--core=0",
            "--nofile=64", "--", program, "stdin",
            "--vips-concurrency=1", "--vips-novector", "--size", "\(width)x\(width)>", "--export-profile", "srgb",
            "--output", ".webp[Q=75,strip]",
        ]
        // A group of its own, so that whatever it starts ends with it.
        var options = PlatformOptions()
        options.processGroupID = 0
        options.teardownSequence = [
            .send(signal: .kill, toProcessGroup: true, allowedDurationToNextStep: .seconds(1))
        ]
        do {
            let result = try await withDeadline(timeout, clock: .continuous) { [options] in
                try await Subprocess.run(
                    .path(FilePath(Self.nice)),
                    arguments: Arguments(arguments),
                    environment: .custom([
                        "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "VIPS_BLOCK_UNTRUSTED": "1",
                        "VIPS_WARNING": "1", "MALLOC_ARENA_MAX": "1",
                    ]),
                    workingDirectory: "/",
                    platformOptions: options,
                    input: .fileDescriptor(FileDescriptor(rawValue: descriptor), closeAfterSpawningProcess: false),
                    output: .bytes(limit: Self.mostBytes),
                    error: .discarded
                )
            }
            guard result.terminationStatus.isSuccess else {
                throw ThumbnailFailure("vipsthumbnail \(result.terminationStatus)")
            }
            guard let picture = WebPFile.bare(ByteBuffer(bytes: result.standardOutput)) else {
                throw ThumbnailFailure("vipsthumbnail made no picture")
            }
            return picture
        } catch is DeadlineExceeded {
            throw ThumbnailFailure("vipsthumbnail took longer than \(timeout.text) and was ended")
        } catch let error as SubprocessError {
            try Task.checkCancellation()
            throw ThumbnailFailure("vipsthumbnail cannot be run: \(error)")
        }
    }
}
