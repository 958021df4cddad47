/// A value of a row, whichever store it is from. What is true or false is 1 or 0.
package enum SimulatedValue: Hashable, Sendable {
    case null
    case integer(Int64)
    case real(Double)
    case text(String)
    case bytes([UInt8])
}

/// What a value can be read as, and given to a statement as.
package protocol SimulatedColumn {
    init?(_ value: SimulatedValue)
    var simulated: SimulatedValue { get }
}

/// What a statement is given in the places of its question marks.
package typealias SimulatedArguments = [(any SimulatedColumn)?]

extension Int64: SimulatedColumn {
    package init?(_ value: SimulatedValue) {
        switch value {
        case .integer(let number): self = number
        case .real(let number): self.init(exactly: number)
        case .null, .text, .bytes: return nil
        }
    }

    package var simulated: SimulatedValue { .integer(self) }
}

extension Int: SimulatedColumn {
    package init?(_ value: SimulatedValue) {
        guard let number = Int64(value) else { return nil }
        self.init(exactly: number)
    }

    package var simulated: SimulatedValue { .integer(Int64(self)) }
}

extension String: SimulatedColumn {
    package init?(_ value: SimulatedValue) {
        switch value {
        case .text(let text): self = text
        case .bytes(let bytes): self.init(decoding: bytes, as: UTF8.self)
        case .null, .integer, .real: return nil
        }
    }

    package var simulated: SimulatedValue { .text(self) }
}

/// A row that somebody's shell has read.
package struct SimulatedRow: Hashable, Sendable {
    private let columns: [String]
    private let values: [SimulatedValue]

    init(_ columns: [String], _ values: [SimulatedValue]) {
        self.columns = columns
        self.values = values
    }

    /// nil for NULL.
    package subscript<Value: SimulatedColumn>(_ place: Int) -> Value? {
        guard values[place] != .null else { return nil }
        guard let value = Value(values[place]) else {
            preconditionFailure("\(columns[place]) is \(values[place]), and no \(Value.self)")
        }
        return value
    }

    package subscript<Value: SimulatedColumn>(_ place: Int) -> Value {
        guard let value = self[place] as Value? else { preconditionFailure("\(columns[place]) is NULL") }
        return value
    }

    /// nil for NULL.
    package subscript<Value: SimulatedColumn>(_ name: String) -> Value? { self[place(of: name)] }

    package subscript<Value: SimulatedColumn>(_ name: String) -> Value { self[place(of: name)] }

    private func place(of name: String) -> Int {
        guard let place = columns.firstIndex(of: name) else { preconditionFailure("there is no column \(name)") }
        return place
    }
}
