import FoundationEssentials
package import PromptQueue

/// A gallery as one HTML file: no scripts, nothing from elsewhere, light and dark, and fit to be printed.
package struct GalleryPage: Sendable {
    /// A small picture in the page itself.
    package struct Thumbnail: Sendable {
        let source: String

        package init(_ bytes: [UInt8], _ format: ThumbnailName.Format) {
            source = "data:\(format.contentType);base64,\(Data(bytes).base64EncodedString())"
        }
    }

    private let title: String
    private let summary: String
    private let generator: String
    private let hasLinks: Bool

    /// - Parameters:
    ///   - summary: what is known of all together, in a line.
    ///   - generator: the program that makes it.
    ///   - hasLinks: whether it may show the files that it links to; without, it needs nothing but itself.
    package init(title: String, summary: String, generator: String, hasLinks: Bool) {
        self.title = title
        self.summary = summary
        self.generator = generator
        self.hasLinks = hasLinks
    }

    package var head: String {
        """
        <!doctype html>
        <html lang="en">
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <meta name="generator" content="\(generator) \(Version.current)">
        <meta http-equiv="Content-Security-Policy" content="\(policy)">
        <title>\(Self.escaped(title))</title>
        <style>
        \(Self.style)</style>
        <header>
        <h1>\(Self.escaped(title))</h1>
        <p>\(Self.escaped(summary))</p>
        </header>
        <main>

        """
    }

    /// What a browser may do with it: https://www.w3.org/TR/CSP3/
    package var policy: String {
        hasLinks
            ? "default-src 'none'; img-src * data: file:; media-src * file:; style-src 'unsafe-inline'"
            : "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    }

    package static let foot = "</main>\n</html>\n"

    /// One result.
    ///
    /// - Parameters:
    ///   - thumbnail: nil: the file itself is shown, or its name where there is no link to it.
    ///   - link: where the file is, as a URL; nil: the page is to be read without it.
    package static func figure(_ item: GalleryItem, thumbnail: Thumbnail?, link: String?) -> String {
        let name = escaped(FilePathParts.split(item.path).name)
        let prompt = escaped(item.job.prompt ?? "")
        let labels = item.labels.map { "<li><b>\(escaped($0.name))</b> \(escaped($0.value))</li>" }.joined()
        var facts = [("model", item.job.model)] + item.input
        if let charged = item.job.charged { facts.append(("credits", charged.grouped)) }
        let list = facts.map { "<dt>\(escaped($0.0))</dt><dd>\(escaped($0.1))</dd>" }.joined()
        let link = link.map(escaped)
        let title = link.map { "<a href=\"\($0)\">\(name)</a>" } ?? "<b>\(name)</b>"
        return """
            <figure id="job-\(item.job.id)-\(item.ordinal)">
            <div class="frame">\(shown(item, thumbnail, link, name: name, prompt: prompt))</div>
            <figcaption>
            <p class="name">\(title)<span>\(item.number)</span></p>
            \(labels.isEmpty ? "" : "<ul>\(labels)</ul>\n")\(prompt.isEmpty ? "" : "<p class=\"prompt\">\(prompt)</p>\n")<dl>\(list)</dl>
            </figcaption>
            </figure>

            """
    }

    /// - Parameters: texts that are escaped already.
    private static func shown(
        _ item: GalleryItem,
        _ thumbnail: Thumbnail?,
        _ link: String?,
        name: String,
        prompt: String
    ) -> String {
        guard let link else {
            let size = "\(escaped(item.contentType))<br>\(size(item.bytes))"
            return thumbnail.map { "<img src=\"\($0.source)\" alt=\"\(prompt)\" loading=\"lazy\">" }
                ?? "<p class=\"file\">\(name)<br>\(size)</p>"
        }
        switch item.kind {
        case .image:
            let source = thumbnail?.source ?? link
            return "<a href=\"\(link)\"><img src=\"\(source)\" alt=\"\(prompt)\" loading=\"lazy\"></a>"
        case .video: return "<video src=\"\(link)\" controls preload=\"metadata\" aria-label=\"\(prompt)\"></video>"
        case .sound: return "<audio src=\"\(link)\" controls preload=\"metadata\" aria-label=\"\(prompt)\"></audio>"
        case .other: return "<a class=\"file\" href=\"\(link)\">\(name)<br>\(size(item.bytes))</a>"
        }
    }

    /// A text that is only a text, in an element and in an attribute.
    package static func escaped(_ text: String) -> String {
        var escaped = ""
        for scalar in PlainText.lines(text).unicodeScalars {
            switch scalar {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            case "'": escaped += "&#39;"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }

    /// A path as a relative URL, or from the root as a `file:` URL.
    package static func url(_ path: String) -> String {
        var url = path.hasPrefix("/") ? "file://" : ""
        for byte in path.utf8 {
            let isPlain =
                byte < 0x80 && (Character(UnicodeScalar(byte)).isLetter || Character(UnicodeScalar(byte)).isNumber)
            if isPlain || "/-_.~".utf8.contains(byte) {
                url.unicodeScalars.append(UnicodeScalar(byte))
            } else {
                let digits = String(byte, radix: 16, uppercase: true)
                url += "%" + (digits.count == 1 ? "0" : "") + digits
            }
        }
        return url
    }

    private static let style = """
        :root { --ground: #f6f6f4; --card: #fff; --frame: #ececea; --ink: #1c1c1a; --soft: #5d5d58; --line: #d9d9d4; }
        @media (prefers-color-scheme: dark) {
          :root { --ground: #161615; --card: #222220; --frame: #111110; --ink: #ecece8; --soft: #a3a39c; --line: #3a3a37; }
        }
        * { box-sizing: border-box; margin: 0; padding: 0; }
        body { background: var(--ground); color: var(--ink); font: 14px/1.45 system-ui, sans-serif; padding: 24px; }
        header { max-width: 1800px; margin: 0 auto 20px; }
        h1 { font-size: 24px; line-height: 1.2; overflow-wrap: anywhere; }
        header p { color: var(--soft); margin-top: 4px; }
        main { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(260px, 100%), 1fr)); gap: 16px;
          max-width: 1800px; margin: 0 auto; }
        figure { background: var(--card); border: 1px solid var(--line); border-radius: 8px; overflow: hidden; display: flex;
          flex-direction: column; break-inside: avoid; }
        .frame { background: var(--frame); aspect-ratio: 1; position: relative; display: flex; align-items: center;
          justify-content: center; }
        .frame > a { display: contents; }
        .frame img, .frame video { position: absolute; inset: 0; width: 100%; height: 100%; object-fit: contain; }
        .frame audio { width: calc(100% - 24px); }
        .frame > .file { display: block; text-align: center; padding: 16px; overflow-wrap: anywhere; }
        figcaption { padding: 10px 12px 12px; display: grid; gap: 8px; }
        a { color: inherit; }
        .name { display: flex; gap: 8px; justify-content: space-between; font-weight: 600; }
        .name a, .name b { overflow-wrap: anywhere; text-decoration: none; }
        .name a:hover, .name a:focus-visible { text-decoration: underline; }
        .name span { color: var(--soft); font-weight: 400; font-variant-numeric: tabular-nums; }
        .prompt { overflow-wrap: anywhere; white-space: pre-line; }
        ul { list-style: none; display: flex; flex-wrap: wrap; gap: 4px; }
        li { border: 1px solid var(--line); border-radius: 10px; padding: 0 8px; font-size: 12px; overflow-wrap: anywhere; }
        li b { font-weight: 400; color: var(--soft); }
        dl { display: grid; grid-template-columns: auto 1fr; gap: 0 10px; font-size: 12px; color: var(--soft); align-self: end; }
        dd { overflow-wrap: anywhere; text-align: right; color: var(--ink); }
        @media print {
          :root { --ground: #fff; --card: #fff; --frame: #fff; --ink: #000; --soft: #444; --line: #bbb; color-scheme: light; }
          body { padding: 0; font-size: 10px; }
          main { grid-template-columns: repeat(3, 1fr); gap: 8px; }
          li, dl { font-size: 9px; }
          @page { margin: 12mm; }
        }

        """
}
