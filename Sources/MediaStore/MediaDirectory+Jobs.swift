import FoundationEssentials
import Glibc
package import PromptQueue

extension MediaDirectory {
    /// As deep as folders of results are, and a little deeper: names were others before.
    private static let maximumDepth = 16

    /// The jobs of which there is a file, whole or not, or what lies beside it.
    ///
    /// A sidecar says whose the files are that it names. The name of any other begins with its job's number.
    ///
    /// - Throws: `MediaError` if a folder cannot be read: then nobody can tell.
    package func jobsWithFiles() throws(MediaError) -> Set<JobID> {
        var jobs: Set<JobID> = []
        for name in try names(in: path) where name != ThumbnailName.folder && isFolder("\(path)/\(name)") {
            try collect(name, depth: 1, into: &jobs)
        }
        return jobs
    }

    private func collect(_ folder: String, depth: Int, into jobs: inout Set<JobID>) throws(MediaError) {
        var named: [(path: String, job: JobID)] = []
        var claimed: Set<String> = []
        for name in try names(in: "\(path)/\(folder)") {
            let place = "\(folder)/\(name)"
            if isFolder("\(path)/\(place)") {
                if depth < Self.maximumDepth { try collect(place, depth: depth + 1, into: &jobs) }
                continue
            }
            // `12-0.png` and `12.json`; `12-0` while it is being fetched.
            let number = name.prefix { $0.isASCII && $0.isNumber }
            guard let next = name.dropFirst(number.count).first, next == "-" || next == ".", let id = Int64(number)
            else {
                continue
            }
            if name == "\(id).json", let sidecar = SidecarFiles(path: "\(path)/\(place)"), sidecar.job == JobID(id) {
                jobs.insert(sidecar.job)
                claimed.formUnion(sidecar.paths)
            } else {
                named.append((place, JobID(id)))
            }
        }
        for file in named where !claimed.contains(file.path) { jobs.insert(file.job) }
    }

    private func isFolder(_ path: String) -> Bool {
        var status = stat()
        return unsafe lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    private func names(in folder: String) throws(MediaError) -> [String] {
        do { return try FileManager.default.contentsOfDirectory(atPath: folder) } catch {
            throw MediaError("\(folder): cannot be read")
        }
    }
}
