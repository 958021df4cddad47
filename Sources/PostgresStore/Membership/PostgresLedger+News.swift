import Postgres
package import PromptQueue

extension PostgresLedger {
    /// Whether a request may be sent: as long as the server was told in time that this daemon is alive.
    package var maySend: Bool { lease.isHeld }

    package func news() -> AsyncStream<LedgerNews>? { newsStream }

    /// Whoever waits is told by `news`; that somebody else has committed since is as good as certain.
    package func hasForeignChanges() async throws(LedgerError) -> Bool { true }

    package func tell(_ keeper: Int64, of attempt: AttemptID) async throws(LedgerError) {
        try await carryOut("SELECT pg_notify('promptd_news', $1)", [.text("hint:\(keeper):\(attempt.rawValue)")])
    }

    /// Renews the lease until it is closed, and tells how many share the store.
    func keepLease() async {
        var members = 1
        while !Task.isCancelled, !lease.isFenced {
            do {
                let found = try await renewLease()
                if found != members, found > 0 { tellNews(.members(found)) }
                members = found
            } catch {
                options.onLeaseTrouble(error)
            }
            guard (try? await Task.sleep(for: options.renewal)) != nil else { return }
        }
    }

    /// - Returns: how many daemons share the store.
    @discardableResult
    func renewLease() async throws(LedgerError) -> Int {
        var members = 0
        try await lease.renew { () async throws(LedgerError) in
            let rows = try await LedgerError.wrapping {
                try await self.leases.connection().pipeline { pipeline in
                    pipeline.add(
                        "SELECT beat($1, $2)",
                        [.int(self.epoch.rawValue), .int(self.options.lease.milliseconds)]
                    )
                    pipeline.add("SELECT count(*) FROM daemons WHERE ended_at IS NULL AND lease_until > fact_time()")
                }
            }
            return try LedgerError.wrapping {
                members = try rows[1].only()[0]
                return try (rows[0].only()[0] as Int64?) != nil
            }
        }
        return members
    }

    /// Hears what others commit until it is closed.
    func listen() async {
        for await news in PostgresListener(settings, channels: ["promptd_news"]) {
            switch news {
            case .everything: tellNews(.changed)
            case .notification(let notification):
                guard let (keeper, attempt) = Self.hint(in: notification.payload) else {
                    tellNews(.changed)
                    continue
                }
                guard keeper == epoch.rawValue else { continue }
                // One that cannot be read now is found by the next poll.
                guard let target = try? await hintTarget(of: attempt), target.isOpen else { continue }
                tellNews(.hinted(target))
            case .lost: continue
            }
        }
    }

    /// `hint:EPOCH:ATTEMPT`
    private static func hint(in payload: String) -> (keeper: Int64, attempt: AttemptID)? {
        let words = payload.split(separator: ":")
        guard words.count == 3, words[0] == "hint", let keeper = Int64(words[1]), let attempt = Int64(words[2]) else {
            return nil
        }
        return (keeper, AttemptID(attempt))
    }
}
