import PromptQueue

/// A second of sound that stands in for a generated one: five notes, 8 bits, 8 kHz, mono.
package struct WAVE: Sendable {
    private static let sampleRate = 8_000
    /// A pentatonic scale in hertz: any order of its notes sounds well.
    private static let scale = [262, 294, 330, 392, 440, 523, 587, 659]

    private let seed: UInt64

    package init(seed: UInt64) {
        self.seed = seed
    }

    /// The file's bytes.
    package func encoded() -> [UInt8] {
        let samples = samples()
        var format: [UInt8] = Array("fmt ".utf8) + UInt32(16).littleEndianBytes
        format += UInt16(1).littleEndianBytes + UInt16(1).littleEndianBytes
        format += UInt32(Self.sampleRate).littleEndianBytes + UInt32(Self.sampleRate).littleEndianBytes
        format += UInt16(1).littleEndianBytes + UInt16(8).littleEndianBytes
        let data = Array("data".utf8) + UInt32(samples.count).littleEndianBytes + samples
        let content = Array("WAVE".utf8) + format + data
        return Array("RIFF".utf8) + UInt32(content.count).littleEndianBytes + content
    }

    private func samples() -> [UInt8] {
        var generator = SeededGenerator(seed: seed)
        let length = Self.sampleRate / 5
        return (0..<5).flatMap { _ in
            let period = Self.sampleRate / Self.scale[Int(generator.next() % UInt64(Self.scale.count))]
            return (0..<length).map { place in
                // A triangle that fades away.
                let rise = abs(place % period * 2 - period) * 2 - period
                return UInt8(128 + rise * 100 * (length - place) / (period * length))
            }
        }
    }
}
