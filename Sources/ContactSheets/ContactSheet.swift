import FoundationEssentials
import PromptQueue

/// All pictures on one: an SVG that holds their thumbnails, for `VipsTools` to draw. It is written from front to back, so that not
/// all of them need be in memory.
package struct ContactSheet: Sendable {
    /// Wider or higher pictures than cairo draws would be refused.
    package static let mostItems = 1_000
    package static let side = 320
    package static let foot = "</svg>\n"
    private static let (gap, caption, heading) = (16, 44, 72)

    private let title: String
    private let summary: String
    private let columns: Int
    private let rows: Int

    /// - Parameter count: how many pictures there will be, at least one.
    package init(title: String, summary: String, count: Int) {
        self.title = title
        self.summary = summary
        columns = max(1, min(count, max(4, Int(Int64(saturated: (Double(count) * 1.4).squareRoot())))))
        rows = (count + columns - 1) / columns
    }

    package var head: String {
        let (width, height) = (
            Self.gap + columns * (Self.side + Self.gap),
            Self.heading + rows * (Self.side + Self.caption + Self.gap) + Self.gap
        )
        return """
            <svg xmlns="http://www.w3.org/2000/svg" width="\(width)" height="\(height)" font-family="sans-serif">
            <rect width="\(width)" height="\(height)" fill="#fff"/>
            <text x="\(Self.gap)" y="34" font-size="24" font-weight="bold">\(text(title, 20 * columns))</text>
            <text x="\(Self.gap)" y="58" font-size="14" fill="#555">\(text(summary, 200))</text>

            """
    }

    /// One picture and what stands under it.
    ///
    /// - Parameters:
    ///   - index: its place, from 0.
    ///   - thumbnail: a JPEG; nil: its type is written there.
    package func cell(_ item: GalleryItem, at index: Int, thumbnail: [UInt8]?) -> String {
        let x = Self.gap + index % columns * (Self.side + Self.gap)
        let y = Self.heading + index / columns * (Self.side + Self.caption + Self.gap)
        var svg = "<rect x=\"\(x)\" y=\"\(y)\" width=\"\(Self.side)\" height=\"\(Self.side)\" fill=\"#f0f0ee\"/>\n"
        if let thumbnail {
            svg += "<image x=\"\(x)\" y=\"\(y)\" width=\"\(Self.side)\" height=\"\(Self.side)\" "
            svg += "href=\"data:image/jpeg;base64,\(Data(thumbnail).base64EncodedString())\"/>\n"
        } else {
            let middle = "x=\"\(x + Self.side / 2)\" y=\"\(y + Self.side / 2)\" text-anchor=\"middle\""
            svg += "<text \(middle) font-size=\"18\" fill=\"#555\">\(text(item.contentType, 40))</text>\n"
        }
        let name = text("\(item.number)  \(item.labels.map(\.value).joined(separator: " "))", 34)
        let caption = text(item.job.prompt ?? "", 44)
        let below = y + Self.side
        svg += "<text x=\"\(x)\" y=\"\(below + 18)\" font-size=\"15\" font-weight=\"bold\">\(name)</text>\n"
        svg += "<text x=\"\(x)\" y=\"\(below + 36)\" font-size=\"13\" fill=\"#555\">\(caption)</text>\n"
        return svg
    }

    /// At most so many characters of a text, in one line.
    private func text(_ text: String, _ most: Int) -> String {
        let line = PlainText.oneLine(text)
        return GalleryPage.escaped(line.count > most ? line.prefix(most - 1) + "…" : line)
    }
}
