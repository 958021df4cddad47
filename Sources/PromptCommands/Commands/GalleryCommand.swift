import ArgumentParser
import ContactSheets
import FoundationEssentials
import Glibc
import PromptConfiguration
import PromptQueue
import SystemPackage

struct GalleryCommand: AsyncParsableCommand, SettingsCommand {
    static let configuration = CommandConfiguration(
        commandName: "gallery",
        abstract: "Put results side by side, on a page or on one picture.",
        discussion: """
            An HTML file with small pictures in it, and under each its prompt, labels, input and credits; it needs no network and \
            links to the files. With .png at the end of its name: one picture with all of them. Small pictures are made by \
            vipsthumbnail (Debian: libvips-tools); without it the page shows the files themselves.

            promptctl gallery -b spring-sale -o contact.html
            promptctl gallery -b spring-sale --label approved=yes -o contact.png
            promptctl gallery 41 42 43 -o - >page.html
            """
    )

    @OptionGroup var database: DatabaseOption
    @OptionGroup var filters: FilterOptions

    @Argument(help: ArgumentHelp("These jobs alone.", valueName: "id"))
    var jobs: [JobID] = []

    @Option(
        name: [.short, .long],
        help: ArgumentHelp("The file to write, .html or .png; - is a page on standard output.", valueName: "file"),
        completion: .file(extensions: ["html", "png"])
    )
    var output: String

    @Option(help: "What stands at the top. (default: the batch or the queue)")
    var title: String?

    @Flag(help: "Write over a file that is there.")
    var force = false

    private static let jobsAtOnce = 100
    private static let pageSide = 520

    private var isPicture: Bool { output.lowercased().hasSuffix(".png") }

    func validate() throws {
        let name = output.lowercased()
        guard output == "-" || [".html", ".htm", ".png"].contains(where: name.hasSuffix) else {
            throw ValidationError("--output: \"\(output)\" ends neither in .html nor in .png.")
        }
        guard jobs.isEmpty || filters.filter.isEmpty else {
            throw ValidationError("Give ids or filters, not both.")
        }
        guard !jobs.isEmpty || !filters.filter.isEmpty else {
            throw ValidationError("Say which: --batch NAME, other filters, or ids.")
        }
    }

    func run() async throws {
        let console = Console.current
        let items = try database.open { file in
            try filters.check(file)
            return try collect(file, console.settings.media)
        }
        guard !items.isEmpty else { throw CommandError(.badData, "no job that matches has a file") }
        let title = title ?? filters.batch ?? filters.queue ?? "promptd"
        let summary = GalleryItem.summary(items) { console.date($0) }
        let tools = VipsTools(path: console.environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin")
        if isPicture {
            try await writePicture(items, title: title, summary: summary, tools, console)
        } else {
            let page = GalleryPage(title: title, summary: summary, generator: "promptctl", hasLinks: true)
            try await writePage(items, page, tools, console)
        }
        if output != "-" { console.say("wrote \(count(items.count, "result")) to \(output)") }
    }

    private func collect(_ file: any QueueClient, _ media: String) throws -> [GalleryItem] {
        func items(_ job: ExportedJob) -> [GalleryItem] {
            ResultFile.all(of: job, in: media).map { file in
                GalleryItem(
                    job: job.job,
                    ordinal: file.ordinal,
                    path: file.path,
                    contentType: file.contentType,
                    bytes: file.bytes
                )
            }
        }
        guard jobs.isEmpty else {
            return try jobs.flatMap { id in
                guard let details = try file.details(of: id) else {
                    throw CommandError(.badData, "job \(id): there is none")
                }
                return items(ExportedJob(job: details.job, results: details.results))
            }
        }
        var all: [GalleryItem] = []
        var after: JobID?
        while true {
            let page = try file.jobs(matching: filters.filter, after: after, limit: Self.jobsAtOnce)
            all += page.flatMap(items)
            guard page.count == Self.jobsAtOnce, let last = page.last else { return all }
            after = last.job.id
        }
    }

    // MARK: - A page

    private func writePage(
        _ items: [GalleryItem],
        _ page: GalleryPage,
        _ tools: VipsTools?,
        _ console: Console
    ) async throws {
        let thumbnails = tools.map { Thumbnails($0, side: Self.pageSide) }
        if thumbnails == nil, items.contains(where: { $0.kind == .image }) {
            console.say(
                "vipsthumbnail is not installed (Debian: apt install \(VipsTools.package)): the page shows the files themselves"
            )
        }
        guard output != "-" else {
            try await write(items, page, thumbnails, from: nil) { console.writeOutput($0) }
            return
        }
        let place = FilePathParts.split(AbsolutePath.of(output)).directory
        try await WholeFile.write(output, isDirect: FileSink.isSpecial(output) && !isLinkOrFolder, replaces: force) {
            partial in
            let sink = try FileSink(partial)
            try await write(items, page, thumbnails, from: place) { try sink.write($0) }
            try sink.close()
        }
    }

    /// Something that is no file, such as a pipe, is written to; a link to a file is not written through.
    private var isLinkOrFolder: Bool {
        var status = stat()
        return unsafe lstat(output, &status) == 0 && [S_IFLNK, S_IFDIR].contains(status.st_mode & S_IFMT)
    }

    /// - Parameter place: the folder from which links lead to the files; nil: they begin at the root.
    private func write(
        _ items: [GalleryItem],
        _ page: GalleryPage,
        _ thumbnails: Thumbnails?,
        from place: String?,
        _ write: (String) throws -> Void
    ) async throws {
        try write(page.head)
        var rest = items[...]
        while !rest.isEmpty {
            let chunk = Array(rest.prefix(Self.jobsAtOnce))
            rest = rest.dropFirst(Self.jobsAtOnce)
            let made = await thumbnails?.make(chunk) ?? [:]
            for (index, item) in chunk.enumerated() {
                let way = place.map { AbsolutePath.relative(item.path, from: $0) } ?? item.path
                let thumbnail = made[index].map { GalleryPage.Thumbnail($0, .jpeg) }
                try write(GalleryPage.figure(item, thumbnail: thumbnail, link: GalleryPage.url(way)))
            }
        }
        try write(GalleryPage.foot)
    }

    // MARK: - One picture

    private func writePicture(
        _ items: [GalleryItem],
        title: String,
        summary: String,
        _ tools: VipsTools?,
        _ console: Console
    ) async throws {
        guard let tools else {
            throw CommandError(
                .unavailable,
                "\(output): one picture is made by vips and vipsthumbnail, which are not installed (Debian: apt install "
                    + "\(VipsTools.package)); with .html at its end it is a page, which does without"
            )
        }
        guard items.count <= ContactSheet.mostItems else {
            throw CommandError(
                .usage,
                "\(count(items.count, "result")): \(grouped(ContactSheet.mostItems)) fit on one picture; narrow the filters, or "
                    + "make a page (.html)"
            )
        }
        let sheet = ContactSheet(title: title, summary: summary, count: items.count)
        try await WholeFile.write(output, replaces: force) { partial in
            try await ScratchFolder.with(console.environment) { folder in
                let drawing = "\(folder)/sheet.svg"
                try await write(items, sheet, Thumbnails(tools, side: ContactSheet.side), to: drawing)
                let (source, sink) = (try SourceFile(drawing), try FileSink(partial))
                defer { withExtendedLifetime(source) {} }
                do {
                    try await tools.draw(source.descriptor, into: sink.rawValue, within: .seconds(600))
                } catch let failure as PictureFailure {
                    throw CommandError(.unavailable, "\(output): \(failure)")
                }
                try sink.close()
            }
        }
    }

    private func write(
        _ items: [GalleryItem],
        _ sheet: ContactSheet,
        _ thumbnails: Thumbnails,
        to drawing: String
    ) async throws {
        let sink = try FileSink(drawing)
        try sink.write(sheet.head)
        for start in stride(from: 0, to: items.count, by: Self.jobsAtOnce) {
            let chunk = Array(items[start..<min(start + Self.jobsAtOnce, items.count)])
            let made = await thumbnails.make(chunk)
            for (index, item) in chunk.enumerated() {
                try sink.write(sheet.cell(item, at: start + index, thumbnail: made[index]))
            }
        }
        try sink.write(ContactSheet.foot)
        try sink.close()
    }
}
