import ArgumentParser
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
        let summary = summary(items, console)
        try await ScratchFolder.with(console.environment) { folder in
            if isPicture {
                try await writePicture(items, ContactSheet(title: title, summary: summary), folder, console)
            } else {
                try await writePage(items, GalleryPage(title: title, summary: summary), folder, console)
            }
        }
        if output != "-" { console.say("wrote \(count(items.count, "result")) to \(output)") }
    }

    private func collect(_ file: any QueueClient, _ media: String) throws -> [GalleryItem] {
        func items(_ job: ExportedJob) -> [GalleryItem] {
            ResultFile.all(of: job, in: media).map { GalleryItem(job: job.job, file: $0) }
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

    private func summary(_ items: [GalleryItem], _ console: Console) -> String {
        let jobs = Dictionary(items.map { ($0.job.id, $0.job.charged ?? .zero) }) { first, _ in first }
        let credits = jobs.values.reduce(Credits.zero, +)
        let day = items.map(\.job.createdAt).max().map { ", the last of \(console.date($0))" } ?? ""
        return "\(count(items.count, "result")) of \(count(jobs.count, "job"))\(day); \(credits.inWords)"
    }

    // MARK: - A page

    private func writePage(
        _ items: [GalleryItem],
        _ page: GalleryPage,
        _ folder: String,
        _ console: Console
    ) async throws {
        let thumbnails = Thumbnails(side: Self.pageSide, directory: folder, environment: console.environment)
        if thumbnails == nil, items.contains(where: { $0.kind == .image }) {
            console.say(
                "vipsthumbnail is not installed (Debian: apt install \(Thumbnails.package)): the page shows the files themselves"
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
                let way = place.map { AbsolutePath.relative(item.file.path, from: $0) } ?? item.file.path
                try write(GalleryPage.figure(item, thumbnail: made[index], link: GalleryPage.url(way)))
            }
        }
        try write(GalleryPage.foot)
    }

    // MARK: - One picture

    private func writePicture(
        _ items: [GalleryItem],
        _ sheet: ContactSheet,
        _ folder: String,
        _ console: Console
    ) async throws {
        guard let vips = ExternalProgram("vips", environment: console.environment),
            let thumbnails = Thumbnails(side: ContactSheet.side, directory: folder, environment: console.environment)
        else {
            throw CommandError(
                .unavailable,
                "\(output): one picture is made by vips and vipsthumbnail, which are not installed (Debian: apt install "
                    + "\(Thumbnails.package)); with .html at its end it is a page, which does without"
            )
        }
        guard items.count <= ContactSheet.mostItems else {
            throw CommandError(
                .usage,
                "\(count(items.count, "result")): \(grouped(ContactSheet.mostItems)) fit on one picture; narrow the filters, or "
                    + "make a page (.html)"
            )
        }
        try await WholeFile.write(output, replaces: force) { partial in
            let (drawing, picture) = ("\(folder)/sheet.svg", "\(folder)/sheet.png")
            let sink = try FileSink(drawing)
            try sink.write(sheet.svg(items, await thumbnails.make(items)))
            try sink.close()
            do { try await vips.run(["copy", "\(drawing)[unlimited]", picture], within: .seconds(600)) } catch {
                throw CommandError(.unavailable, "\(output): \(error)")
            }
            guard let data = FileManager.default.contents(atPath: picture) else {
                throw CommandError(.inputOutput, "\(picture): cannot be read")
            }
            let whole = try FileSink(partial)
            try whole.write(data)
            try whole.close()
        }
    }
}
