/// A PNG image of runs of palette colours, in pure Swift.
///
/// Made for pictures of few colours and large flat areas: identical rows are described once, so that encoding costs
/// next to nothing. PNG, third edition (W3C 2025); zlib, RFC 1950.
package struct PNG: Sendable {
    /// Red, green and blue.
    package struct Color: Sendable, Hashable {
        package var red: UInt8
        package var green: UInt8
        package var blue: UInt8

        package init(red: UInt8, green: UInt8, blue: UInt8) {
            self.red = red
            self.green = green
            self.blue = blue
        }
    }

    /// Some pixels of one colour, side by side.
    package struct Run: Sendable, Hashable {
        /// The colour's place in the palette.
        package var color: UInt8
        package var length: Int

        package init(color: UInt8, length: Int) {
            self.color = color
            self.length = length
        }
    }

    /// Some identical rows of pixels, one below the other.
    package struct Band: Sendable, Hashable {
        /// One row, from the left; the lengths add up to the image's width.
        package var runs: [Run]
        package var rows: Int

        package init(runs: [Run], rows: Int) {
            self.runs = runs
            self.rows = rows
        }
    }

    private let width: Int
    private let palette: [Color]
    private let bands: [Band]

    /// - Parameters:
    ///   - palette: 1 to 256 colours.
    ///   - bands: the image from the top.
    package init(width: Int, palette: [Color], bands: [Band]) {
        self.width = width
        self.palette = palette
        self.bands = bands
    }

    /// The file's bytes.
    package func encoded() -> [UInt8] {
        var file: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
        let height = bands.reduce(0) { $0 + $1.rows }
        // 8 bits a pixel, colours from a palette, the only compression and filter methods there are, not interlaced.
        append("IHDR", UInt32(width).bigEndianBytes + UInt32(height).bigEndianBytes + [8, 3, 0, 0, 0], to: &file)
        append("PLTE", palette.flatMap { [$0.red, $0.green, $0.blue] }, to: &file)
        append("IDAT", pixels(), to: &file)
        append("IEND", [], to: &file)
        return file
    }

    private func pixels() -> [UInt8] {
        var stream = DeflateStream()
        for band in bands {
            stream.append(0, count: 1)
            for run in band.runs { stream.append(run.color, count: run.length) }
            for _ in 1..<max(band.rows, 1) {
                // Filter 2: the difference to the row above, which is nothing.
                stream.append(2, count: 1)
                stream.append(0, count: width)
            }
        }
        return stream.finished()
    }

    private func append(_ name: StaticString, _ content: [UInt8], to file: inout [UInt8]) {
        let chunk = Array(name.description.utf8) + content
        file += UInt32(content.count).bigEndianBytes + chunk + CRC32.checksum(of: chunk).bigEndianBytes
    }
}

extension FixedWidthInteger {
    /// The most significant byte first.
    var bigEndianBytes: [UInt8] {
        stride(from: Self.bitWidth - 8, through: 0, by: -8).map { UInt8(truncatingIfNeeded: self >> $0) }
    }

    /// The least significant byte first.
    var littleEndianBytes: [UInt8] { bigEndianBytes.reversed() }
}
