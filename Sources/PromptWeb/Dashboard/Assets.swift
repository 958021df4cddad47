import Crypto
import HTTPTypes
import Hummingbird
import NIOCore

/// What pages are drawn with: compiled in, so that nothing comes from anywhere else.
enum Assets {
    private static let all: [String: (type: String, bytes: [UInt8])] = [
        "app.css": ("text/css; charset=utf-8", PackageResources.app_css),
        "app.js": ("text/javascript; charset=utf-8", PackageResources.app_js),
        "icon.svg": ("image/svg+xml", PackageResources.icon_svg),
    ]

    /// Differs where the assets do.
    static let mark: String = {
        var hash = SHA256()
        for (_, asset) in all.sorted(by: { $0.key < $1.key }) { hash.update(data: asset.bytes) }
        return hash.finalize().prefix(6).map { byte in
            let digits = String(byte, radix: 16)
            return digits.utf8.count == 1 ? "0" + digits : digits
        }
        .joined()
    }()

    /// - Parameter version: the mark that the address bears.
    static func response(_ name: String, version: String?) -> Response? {
        guard let asset = all[name] else { return nil }
        return Response(
            status: .ok,
            headers: [
                .contentType: asset.type,
                .cacheControl: version == mark ? "public, max-age=31536000, immutable" : "no-cache",
            ],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: asset.bytes))
        )
    }
}
