import PromptQueue

extension ModelPrices {
    /// Without a database there is the catalogue alone; one that cannot be read is worth a warning.
    init(_ database: DatabaseOption, _ console: Console) {
        guard database.exists else {
            self.init()
            return
        }
        do {
            self = try database.open { try ModelPrices($0) }
        } catch {
            console.say("warning: the database is left out: \(error)")
            self.init()
        }
    }
}
