import Foundation
import Synchronization
import Testing

/// A provider that is honest with some jobs, and to the others answers whatever may hurt: a prompt `evil 7` asks for its
/// seventh kind. It speaks HTTP by hand, a thread for each connection, so that it may speak it wrongly.
final class EvilProvider: Sendable {
    private struct Deed {
        /// Before this it is `waiting`.
        var doneAt: ContinuousClock.Instant
        var evil: Int?
        var isCounted = false
        var polls = 0
    }

    private struct State {
        var tasks: [String: Deed] = [:]
        var billed = 0
    }

    /// How many kinds of evil there are.
    static let kinds = 24
    /// A task's price.
    static let price = 14

    private let listener: Int32
    let port: UInt16
    private let state = Mutex(State())

    var url: String { "http://127.0.0.1:\(port)" }
    /// What the tasks of foxes with a number have cost, in credits.
    var billed: Int { state.withLock { $0.billed } }

    init() throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = unsafe inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe bind(listener, $0, length) == 0 && listen(listener, 512) == 0
                    && getsockname(listener, $0, &length) == 0
            }
        }
        try #require(result)
        self.listener = listener
        port = UInt16(bigEndian: address.sin_port)
        Thread.detachNewThread { [self, listener] in
            while true {
                let connection = accept(listener, nil, nil)
                guard connection >= 0 else { return }
                Thread.detachNewThread {
                    self.serve(connection)
                    close(connection)
                }
            }
        }
    }

    func stop() {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }

    // MARK: - HTTP

    private func serve(_ connection: Int32) {
        var one: Int32 = 1
        _ = unsafe setsockopt(connection, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
        guard let request = Self.read(connection) else { return }
        let head = request.head
        let line = head.split(separator: " ", maxSplits: 2).map(String.init)
        guard line.count == 3 else { return }
        switch (line[0], line[1]) {
        case ("POST", "/api/v1/jobs/createTask"): create(request.body, connection)
        case ("GET", let path) where path.hasPrefix("/api/v1/jobs/recordInfo"):
            record(path.split(separator: "=").last.map(String.init) ?? "", connection)
        case ("GET", "/api/v1/chat/credit"): Self.answer(#"{"code":200,"msg":"success","data":1000000}"#, connection)
        case ("GET", let path) where path.hasPrefix("/honest/"): Self.send(Self.file(Self.picture), connection)
        case ("GET", let path) where path.hasPrefix("/evil/"):
            media(Int(path.dropFirst(6).prefix { $0.isNumber }) ?? 0, isRest: head.contains("Range: "), connection)
        default: Self.answer(#"{"code":404,"msg":"Not Found","data":null}"#, connection)
        }
    }

    private static func read(_ connection: Int32) -> (head: String, body: String)? {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            if let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) {
                let head = String(decoding: bytes[..<end.lowerBound], as: UTF8.self)
                let length = head.lowercased().firstMatch(of: /content-length: *(\d+)/).flatMap { Int($0.1) } ?? 0
                if bytes.count - end.upperBound >= length {
                    return (head, String(decoding: bytes[end.upperBound...], as: UTF8.self))
                }
            }
            let count = unsafe buffer.withUnsafeMutableBytes { unsafe recv(connection, $0.baseAddress, $0.count, 0) }
            guard count > 0 else { return nil }
            bytes += buffer[..<count]
        }
    }

    private static func send(_ bytes: [UInt8], _ connection: Int32) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes {
                unsafe Glibc.send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }

    private static func raw(_ text: String, _ connection: Int32) { send(Array(text.utf8), connection) }

    private static func answer(_ body: String, _ connection: Int32) {
        raw(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)",
            connection
        )
    }

    private static func file(_ bytes: [UInt8], _ headers: String = "") -> [UInt8] {
        Array("HTTP/1.1 200 OK\r\nConnection: close\r\n\(headers)Content-Length: \(bytes.count)\r\n\r\n".utf8) + bytes
    }

    /// A whole PNG of one pixel.
    private static let picture: [UInt8] =
        [
            0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52, 0, 0, 0, 1, 0, 0, 0, 1,
            8, 6, 0,
            0, 0, 0x1F, 0x15, 0xC4, 0x89, 0, 0, 0, 13, 0x49, 0x44, 0x41, 0x54, 0x78, 0x9C, 0x63, 0, 1, 0, 0, 5, 0, 1,
            0x0D, 0x0A,
            0x2D, 0xB4, 0, 0, 0, 0, 0x49, 0x45, 0x4E, 0x44, 0xAE, 0x42, 0x60, 0x82,
        ]

    // MARK: - The API

    private func create(_ body: String, _ connection: Int32) {
        let evil = body.firstMatch(of: /evil (\d+)/).flatMap { Int($0.1) }
        let task = (evil.map { "evil\($0)-" } ?? "honest-") + UUID().uuidString.prefix(12).lowercased()
        state.withLock { state in
            let isCounted = body.contains("a fox, number")
            state.tasks[task] = Deed(doneAt: .now + .milliseconds(200), evil: evil, isCounted: isCounted)
        }
        Self.answer(#"{"code":200,"msg":"success","data":{"taskId":"\#(task)"}}"#, connection)
    }

    private func record(_ task: String, _ connection: Int32) {
        let deed = state.withLock { state -> Deed? in
            state.tasks[task]?.polls += 1
            return state.tasks[task]
        }
        guard let deed else { return Self.answer(#"{"code":422,"msg":"recordInfo is null","data":null}"#, connection) }
        guard .now >= deed.doneAt else { return success(task, "waiting", "null", connection) }
        guard let evil = deed.evil else {
            state.withLock { state in
                if state.tasks[task]?.isCounted == true { state.billed += Self.price }
                state.tasks[task]?.isCounted = false
            }
            return success(task, "success", #""{\"resultUrls\":[\"\#(url)/honest/\#(task).png\"]}""#, connection)
        }
        misbehave(evil, task, deed.polls, connection)
    }

    private func success(_ task: String, _ state: String, _ result: String, _ connection: Int32) {
        let data =
            #"{"taskId":"\#(task)","state":"\#(state)","resultJson":\#(result),"failCode":null,"failMsg":null,"creditsConsumed":\#(Self.price)}"#
        Self.answer(#"{"code":200,"msg":"success","data":\#(data)}"#, connection)
    }

    private func result(_ urls: [String]) -> String {
        #""{\"resultUrls\":["# + urls.map { #"\"\#($0)\""# }.joined(separator: ",") + #"]}""#
    }

    /// What it answers when it is asked about a task: at last a success whose file is another evil, or a failure.
    private func misbehave(_ evil: Int, _ task: String, _ polls: Int, _ connection: Int32) {
        let marks = String(repeating: "\u{301}", count: 400_000)
        let file = result(["\(url)/evil/\(evil)"])
        switch (evil, polls) {
        case (0, 1...2): Self.raw("HTTP/1.1 001 X\r\nContent-Length: 1\r\n\r\nx", connection)
        case (1, 1...2): Self.raw("HTTP/1.1 099 X\r\n\r\n", connection)
        case (2, _): success(task, "success", result(["http://127.0.0.1:99999/x"]), connection)
        case (3, _): success(task, "success", result((0..<40_000).map { "\(url)/evil/3?\($0)" }), connection)
        case (4, 1...3): success(task, String(repeating: "s", count: 1_000_000), "null", connection)
        case (5, _):
            let text = "\\u001b[2Je\(marks)\\u202e\\r\\nfake line"
            Self.answer(
                #"{"code":200,"msg":"ok","data":{"state":"fail","failCode":"400","failMsg":"\#(text)","creditsConsumed":0}}"#,
                connection
            )
        case (6, 1...2): Self.raw(String(repeating: "[", count: 500_000), connection)
        case (7, 1...2):
            Self.answer(#"{"code":200,"data":{"state":"success","creditsConsumed":1e308,"resultJson":7}}"#, connection)
        case (8, 1...2):
            let numbers = #""createTime":-9223372036854775808,"completeTime":9223372036854775807,"costTime":1e999"#
            Self.answer(#"{"code":200,"data":{"state":"success","resultJson":"{}",\#(numbers)}}"#, connection)
        case (9, 1...3): Self.answer("{\"code\":" + String(repeating: "9", count: 5_000) + "}", connection)
        case (10, 1...2): Self.raw("HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n{}", connection)
        case (11, 1...2):
            Self.raw("HTTP/1.1 200 OK\r\n" + String(repeating: "X: y\r\n", count: 5_000) + "\r\n", connection)
        case (12, 1): sleep(3)
        default: success(task, "success", file, connection)
        }
    }

    private func media(_ evil: Int, isRest: Bool, _ connection: Int32) {
        let half = Array(Self.picture.prefix(40))
        switch evil {
        case 13:
            guard isRest else {
                return Self.raw(
                    "HTTP/1.1 200 OK\r\nETag: \"a\"\r\nContent-Length: 1000000\r\n\r\n"
                        + String(repeating: "x", count: 500),
                    connection
                )
            }
            Self.raw(
                "HTTP/1.1 206 P\r\nETag: \"a\"\r\nContent-Range: bytes 500-9223372036854775807/*\r\nContent-Length: 5\r\n\r\nxxxxx",
                connection
            )
        case 14: Self.raw("HTTP/1.1 001 X\r\n\r\n", connection)
        case 15:
            Self.raw("HTTP/1.1 302 F\r\nLocation: http://127.0.0.1:70000/\r\nContent-Length: 0\r\n\r\n", connection)
        case 16: Self.raw("HTTP/1.1 302 F\r\nLocation: \(url)/evil/16\r\nContent-Length: 0\r\n\r\n", connection)
        case 17: Self.send(Self.file(Array("<html>sorry</html>".utf8)), connection)
        case 18: Self.send(Self.file(half, "Content-Encoding: gzip\r\n"), connection)
        case 19:
            Self.raw("HTTP/1.1 200 OK\r\nContent-Length: 5000000\r\n\r\n", connection)
            for _ in 0..<40 {
                Self.send([UInt8](repeating: 0x78, count: 200), connection)
                usleep(250_000)
            }
        case 20: Self.raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n", connection)
        case 21: Self.raw("HTTP/9.9 200 OK\r\n\r\n", connection)
        case 22: Self.send((0..<4_000).map { UInt8(truncatingIfNeeded: $0 &* 137) }, connection)
        case 23: return
        default: Self.send(Self.file(Self.picture), connection)
        }
    }
}
