import PromptQueue

/// A picture that stands in for a generated one: hills under a sky, of large square pixels.
///
/// Equal seeds give equal pictures; different ones differ in light, sun and hills.
package struct Landscape: Sendable {
    private static let skyShades = 16
    private static let layers = 4

    private let width: Int
    private let height: Int
    private let cell: Int
    private let columns: Int
    private let rows: Int
    private let palette: [PNG.Color]
    /// The row at which each layer of hills begins, by column; the farthest layer first.
    private let ridges: [[Int]]
    private let sun: (column: Int, row: Int, radius: Int)

    /// - Parameters:
    ///   - width: in pixels, at least 1.
    ///   - height: in pixels, at least 1.
    package init(width: Int, height: Int, seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        self.width = width
        self.height = height
        cell = max(1, max(width, height) / 128)
        let columns = (width + cell - 1) / cell
        let rows = (height + cell - 1) / cell
        self.columns = columns
        self.rows = rows
        palette = Self.palette(using: &generator)
        sun = (
            column: Int(Double(columns) * (0.2 + 0.6 * generator.fraction())),
            row: Int(Double(rows) * (0.12 + 0.22 * generator.fraction())),
            radius: max(2, Int(Double(min(columns, rows)) * (0.06 + 0.08 * generator.fraction())))
        )
        ridges = (0..<Self.layers).map { layer in
            let base = 0.56 + 0.13 * Double(layer)
            return Self.ridge(columns: columns, spacing: 34 - 7 * layer, using: &generator).map { hill in
                Int(Double(rows) * (base - 0.2 * hill))
            }
        }
    }

    /// The picture, ready to be encoded.
    package func png() -> PNG {
        let bands = (0..<rows).map { row in
            PNG.Band(runs: runs(in: row), rows: min(cell, height - row * cell))
        }
        return PNG(width: width, palette: palette, bands: bands)
    }

    private func runs(in row: Int) -> [PNG.Run] {
        var runs: [PNG.Run] = []
        for column in 0..<columns {
            let color = color(column: column, row: row)
            let length = min(cell, width - column * cell)
            if let last = runs.indices.last, runs[last].color == color {
                runs[last].length += length
            } else {
                runs.append(PNG.Run(color: color, length: length))
            }
        }
        return runs
    }

    private func color(column: Int, row: Int) -> UInt8 {
        for layer in (0..<Self.layers).reversed() where row >= ridges[layer][column] {
            return UInt8(Self.skyShades + 1 + layer)
        }
        let right = column - sun.column
        let down = row - sun.row
        if right * right + down * down < sun.radius * sun.radius { return UInt8(Self.skyShades) }
        return UInt8(min(Self.skyShades - 1, row * Self.skyShades * 4 / (3 * rows)))
    }

    /// Heights from 0 to 1: random points, a smooth line through them.
    private static func ridge(columns: Int, spacing: Int, using generator: inout SeededGenerator) -> [Double] {
        let points = (0...(columns / spacing + 2)).map { _ in generator.fraction() }
        let shift = Int(generator.fraction() * Double(spacing))
        return (0..<columns).map { column in
            let place = (column + shift) / spacing
            let between = Double((column + shift) % spacing) / Double(spacing)
            let eased = between * between * (3 - 2 * between)
            return points[place] + (points[place + 1] - points[place]) * eased
        }
    }

    /// The sky from top to horizon, the sun, the hills from far to near.
    private static func palette(using generator: inout SeededGenerator) -> [PNG.Color] {
        // From blue or violet above to red or gold at the horizon.
        let top = 0.52 + 0.28 * generator.fraction()
        let horizon = 0.92 + 0.22 * generator.fraction()
        let sky = (0..<skyShades).map { shade in
            let depth = Double(shade) / Double(skyShades - 1)
            return color(hue: top + (horizon - top) * depth, saturation: 0.6 - 0.2 * depth, value: 0.5 + 0.45 * depth)
        }
        let hills = (0..<layers).map { layer in
            let nearness = Double(layer) / Double(layers - 1)
            return color(hue: top + 0.06 * nearness, saturation: 0.35 + 0.2 * nearness, value: 0.55 - 0.38 * nearness)
        }
        return sky + [color(hue: horizon + 0.05, saturation: 0.16, value: 1)] + hills
    }

    private static func color(hue: Double, saturation: Double, value: Double) -> PNG.Color {
        func channel(_ offset: Double) -> UInt8 {
            let place = (offset + hue * 6).truncatingRemainder(dividingBy: 6)
            return UInt8(255 * value * (1 - saturation * max(0, min(place, 4 - place, 1))))
        }
        return PNG.Color(red: channel(5), green: channel(3), blue: channel(1))
    }
}
