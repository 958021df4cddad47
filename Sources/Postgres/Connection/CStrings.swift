/// Names and values as libpq takes them: two arrays of C strings, each with a null pointer behind it.
enum CStrings {
    static func withPairs<Result>(
        _ pairs: [(String, String)],
        _ body: (UnsafePointer<UnsafePointer<CChar>?>?, UnsafePointer<UnsafePointer<CChar>?>?) -> Result
    ) -> Result {
        var bytes: [CChar] = []
        func place(_ text: String) -> Int {
            defer {
                bytes += text.utf8.map { CChar(bitPattern: $0) }
                bytes.append(0)
            }
            return bytes.count
        }
        let names = pairs.map { place($0.0) }
        let values = pairs.map { place($0.1) }
        return unsafe bytes.withUnsafeBufferPointer { buffer in
            func pointers(_ places: [Int]) -> [UnsafePointer<CChar>?] {
                unsafe places.map { place in unsafe buffer.baseAddress.map { unsafe $0 + place } } + [nil]
            }
            return unsafe pointers(names).withUnsafeBufferPointer { names in
                unsafe pointers(values).withUnsafeBufferPointer { values in
                    unsafe body(names.baseAddress, values.baseAddress)
                }
            }
        }
    }
}

extension String {
    /// Without spaces and ends of lines around it; lines inside become one.
    var trimmed: String {
        split(whereSeparator: \.isNewline).map { line in
            line.drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed()
        }
        .map { String($0) }.filter { !$0.isEmpty }.joined(separator: "; ")
    }
}
