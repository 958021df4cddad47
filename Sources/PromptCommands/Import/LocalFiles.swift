import MediaStore
import PromptQueue

/// Files of this machine that inputs name where a model takes a URL: `@photo.png`, `file:///…`, or a path. They are looked at first,
/// and copied into the spool when all is well.
final class LocalFiles {
    private struct Found {
        let reference: String
        let bytes: Int64
        /// Why a model does not take it, by what the model says of its field.
        let check: (FileLimits) -> String?
    }

    /// By path.
    private var found: [String: Found] = [:]
    /// The first of the files, still open, so that what was looked at is what is copied.
    private var open: [LocalFile] = []
    /// The others.
    private var later: [String] = []
    private static let mostOpen = 64

    /// How many different files were named, and how many bytes they have.
    var sum: (files: Int, bytes: Int64) {
        let sizes = found.values.reduce(into: [String: Int64]()) { $0[$1.reference] = $1.bytes }
        return (sizes.count, sizes.values.reduce(0, +))
    }

    /// An input with references in the place of files.
    ///
    /// - Parameter directory: where paths begin that are not whole.
    /// - Throws: `CommandError` when a file cannot be taken; the field is named.
    func replacing(
        _ input: JSONObject,
        _ model: CatalogueModel?,
        from directory: String
    ) throws(CommandError) -> JSONObject {
        var result = input
        for (name, value) in input {
            let field = model?.field(named: name)
            guard model?.fields == nil || field != nil else { continue }
            let place = Place(field: field, name: name, path: name, note: field?.note, directory: directory)
            result[name] = try replacing(value, place)
        }
        return result
    }

    /// Where a value stands.
    private struct Place {
        /// Nil if the catalogue does not know it.
        var field: Field?
        var name: String
        /// As messages name it: `input_urls[0]`.
        var path: String
        var note: String?
        var directory: String

        var takesURL: Bool {
            guard let field else { return Self.meansFile(name) }
            return [.string, .array].contains(field.type) && field.takesURL(as: name)
        }

        func absolute(_ path: String) -> String { path.hasPrefix("/") ? path : "\(directory)/\(path)" }

        /// Of a field that the catalogue does not know.
        private static func meansFile(_ name: String) -> Bool {
            let lower = name.lowercased()
            return ["url", "image", "video", "audio", "frame", "file"].contains { lower.contains($0) }
        }
    }

    private func replacing(_ value: JSONValue, _ place: Place) throws(CommandError) -> JSONValue {
        switch value {
        case .string(let text):
            guard place.takesURL, let path = try path(of: text, place) else { return value }
            return .string(try reference(to: path, place))
        case .array(let items):
            var inner = place
            inner.field = place.field?.element ?? place.field
            inner.note = place.field?.element?.note ?? place.note
            var result: [JSONValue] = []
            for (index, item) in items.enumerated() {
                inner.path = "\(place.path)[\(index)]"
                result.append(try replacing(item, inner))
            }
            return .array(result)
        case .object(let object):
            var result = object
            for property in place.field?.properties ?? [] {
                guard let value = object[property.name] else { continue }
                var inner = place
                (inner.field, inner.name, inner.note) = (property, property.name, property.note)
                inner.path = "\(place.path).\(property.name)"
                result[property.name] = try replacing(value, inner)
            }
            return .object(result)
        case .null, .bool, .integer, .unsigned, .number: return value
        }
    }

    /// The file that a text stands for; nil for another text.
    ///
    /// - Throws: `CommandError` for what is a file's name by its end, and no file is there.
    private func path(of text: String, _ place: Place) throws(CommandError) -> String? {
        if text.hasPrefix("@"), text.utf8.count > 1 { return place.absolute(String(text.dropFirst())) }
        switch LocalFileReference(text) {
        case .path(let path)?: return path
        case .spooled?, .result?: return nil
        case nil: break
        }
        guard !text.isEmpty, !text.contains("://"), !text.hasPrefix("data:"), InputReference(text) == nil else {
            return nil
        }
        let path = place.absolute(text)
        if WholeFile.exists(path) { return path }
        let end = text.split(separator: ".", omittingEmptySubsequences: false).last.map { $0.lowercased() } ?? ""
        guard FileLimits.kinds.contains(end), text.contains("."), !text.contains(",") else { return nil }
        throw CommandError(
            .badData,
            "\(place.path): \"\(oneLine(text))\" is no URL with https:// before it, and no file: there is none at "
                + oneLine(path)
        )
    }

    private func reference(to path: String, _ place: Place) throws(CommandError) -> String {
        let file: Found
        if let known = found[path] {
            file = known
        } else {
            do throws(LocalFile.Problem) { file = try look(path) } catch {
                throw CommandError(.badData, "\(place.path): \(oneLine(error.description))")
            }
            found[path] = file
        }
        if let problem = file.check(FileLimits(place.note)) {
            throw CommandError(.badData, "\(place.path): \(oneLine(path)): \(problem)")
        }
        return file.reference
    }

    private func look(_ path: String) throws(LocalFile.Problem) -> Found {
        let file = try LocalFile.open(own: path)
        if open.count < Self.mostOpen { open.append(file) } else { later.append(path) }
        let (type, bytes) = (file.type, file.bytes)
        return Found(reference: Spool.reference(to: file), bytes: bytes) { $0.problem(type, bytes: bytes) }
    }

    /// Puts all that were named into the spool.
    func copy(to spool: Spool) throws(CommandError) {
        do throws(LocalFile.Problem) {
            for file in open { try spool.add(file) }
            for path in later {
                let file = try LocalFile.open(own: path)
                guard Spool.reference(to: file) == found[path]?.reference else { throw .changed(path) }
                try spool.add(file)
            }
        } catch {
            throw CommandError(.cannotCreate, "\(oneLine(error.description)); nothing was added")
        }
    }

    // MARK: - What is said

    /// ` 2 files to upload (3.1 MB).`; empty if there are none.
    var sentence: String {
        let (files, bytes) = sum
        return files == 0 ? "" : " \(count(files, "file")) to upload (\(size(bytes)))."
    }

    var object: JSONObject {
        let (files, bytes) = sum
        return ["files_to_upload": .integer(Int64(files)), "bytes_to_upload": .integer(bytes)]
    }
}
