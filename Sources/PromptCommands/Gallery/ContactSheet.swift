import FoundationEssentials
import PromptQueue

/// All pictures on one, drawn by libvips from an SVG that holds their thumbnails.
struct ContactSheet: Sendable {
    /// Wider or higher pictures than cairo draws would be refused.
    static let mostItems = 1_000
    static let side = 320
    private static let (gap, caption, heading) = (16, 44, 72)

    let title: String
    let summary: String

    /// - Parameter thumbnails: JPEGs by place in `items`.
    func svg(_ items: [GalleryItem], _ thumbnails: [Int: [UInt8]]) -> String {
        let columns = min(items.count, max(4, Int(Int64(saturated: (Double(items.count) * 1.4).squareRoot()))))
        let rows = (items.count + columns - 1) / columns
        let (width, height) = (
            Self.gap + columns * (Self.side + Self.gap),
            Self.heading + rows * (Self.side + Self.caption + Self.gap) + Self.gap
        )
        var svg = """
            <svg xmlns="http://www.w3.org/2000/svg" width="\(width)" height="\(height)" font-family="sans-serif">
            <rect width="\(width)" height="\(height)" fill="#fff"/>
            <text x="\(Self.gap)" y="34" font-size="24" font-weight="bold">\(text(title, 80 * columns / 4))</text>
            <text x="\(Self.gap)" y="58" font-size="14" fill="#555">\(text(summary, 200))</text>

            """
        for (index, item) in items.enumerated() {
            let x = Self.gap + index % columns * (Self.side + Self.gap)
            let y = Self.heading + index / columns * (Self.side + Self.caption + Self.gap)
            svg += "<rect x=\"\(x)\" y=\"\(y)\" width=\"\(Self.side)\" height=\"\(Self.side)\" fill=\"#f0f0ee\"/>\n"
            if let bytes = thumbnails[index] {
                svg += "<image x=\"\(x)\" y=\"\(y)\" width=\"\(Self.side)\" height=\"\(Self.side)\" "
                svg += "href=\"data:image/jpeg;base64,\(Data(bytes).base64EncodedString())\"/>\n"
            } else {
                let middle = "x=\"\(x + Self.side / 2)\" y=\"\(y + Self.side / 2)\" text-anchor=\"middle\""
                svg += "<text \(middle) font-size=\"18\" fill=\"#555\">\(text(item.file.contentType, 40))</text>\n"
            }
            let name = "\(item.number)  \(item.labels.map(\.value).joined(separator: " "))"
            let caption = item.job.prompt ?? ""
            svg +=
                "<text x=\"\(x)\" y=\"\(y + Self.side + 18)\" font-size=\"15\" font-weight=\"bold\">\(text(name, 34))</text>\n"
            svg +=
                "<text x=\"\(x)\" y=\"\(y + Self.side + 36)\" font-size=\"13\" fill=\"#555\">\(text(caption, 44))</text>\n"
        }
        return svg + "</svg>\n"
    }

    /// At most so many characters of a text, in one line.
    private func text(_ text: String, _ most: Int) -> String {
        let line = oneLine(text)
        return GalleryPage.escaped(line.count > most ? line.prefix(most - 1) + "…" : line)
    }
}
