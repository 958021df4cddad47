extension String {
    /// Without spaces, tabs and line ends at both ends.
    package func trimmingSpaces() -> String {
        guard first?.isWhitespace == true || last?.isWhitespace == true else { return self }
        let start = drop(while: \.isWhitespace)
        return String(start.reversed().drop(while: \.isWhitespace).reversed())
    }
}
