import FoundationEssentials
import Glibc
import PromptQueue

extension MediaDirectory {
    /// Removes the small pictures of a job's results: they show what the files showed.
    func removeThumbnails(of job: JobID) throws(MediaError) {
        let top = "\(path)/\(ThumbnailName.folder)"
        let folder = "\(top)/\(ThumbnailName.shard(of: job))"
        for place in [top, folder] {
            var status = stat()
            // A link leads to what is not ours.
            guard unsafe lstat(place, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else { return }
        }
        let names: [String]
        do { names = try FileManager.default.contentsOfDirectory(atPath: folder) } catch {
            throw MediaError("\(folder): cannot be read")
        }
        for name in names where ThumbnailName.isFile(name, of: job) { try Self.remove("\(folder)/\(name)") }
    }
}
