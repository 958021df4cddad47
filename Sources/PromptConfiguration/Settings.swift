import FoundationEssentials
import KieAPI
import PromptQueue

extension Setting {
    /// Every setting, in the order in which the documentation lists them. A new one has its line here, a property in
    /// `DaemonConfiguration`, and what it does.
    package static let all: [Setting] = [
        .value(
            "database",
            \.database,
            "a path, or a PostgreSQL address like postgresql://HOST/NAME or service=NAME",
            write: { DatabasePlace($0).description },
            read: { $0.isEmpty ? nil : $0 },
            "The queue: a file of SQLite's, which makes others beside it, so the directory must be writable; or the address of a "
                + "PostgreSQL database that several machines share, as libpq takes it. Passwords belong into libpq's own files."
        ),
        .path(
            "stateDirectory",
            \.stateDirectory,
            "With PostgreSQL: where this promptd keeps what is its own, such as answers that the database could not take. Each "
                + "promptd needs one of its own, which outlives it. Under systemd the unit's StateDirectory= is the default."
        ),
        .path(
            "media",
            \.media,
            "Where results go, as downloads.names says."
        ),
        Setting(
            "provider.baseURL",
            \.providerBaseURL,
            "a URL like https://api.kie.ai, without ? and #",
            write: { $0 },
            read: { text, _ in text },
            check: { text, configuration throws(Problem) in
                guard KieSettings.isAllowed(baseURL: text, allowsHTTP: configuration.providerAllowHTTP) else {
                    throw .isNot(KieSettings.allowedBaseURL)
                }
            },
            "The provider's API, or what stands in for it."
        ),
        Setting(
            "provider.uploadBaseURL",
            \.providerUploadBaseURL,
            "a URL like https://kieai.redpandaai.co, without ? and #",
            write: { $0 },
            read: { text, _ in text },
            check: { text, configuration throws(Problem) in
                guard KieSettings.isAllowed(baseURL: text, allowsHTTP: configuration.providerAllowHTTP) else {
                    throw .isNot(KieSettings.allowedBaseURL)
                }
            },
            example: "https://kieai.redpandaai.co",
            "Where files that jobs take are uploaded to, with the same key. Without it: the provider's own host, or "
                + "provider.baseURL where that is another than the provider's."
        ),
        .keyFile(
            "provider.apiKeyFile",
            \.apiKeyFile,
            example: "/etc/promptd/api-key",
            "A file with the API key and nothing else. Without this: systemd's credential api-key, else the variable "
                + "KIE_API_KEY."
        ),
        .flag(
            "provider.allowHTTP",
            \.providerAllowHTTP,
            "Lets the key travel over plain http to other machines than this one."
        ),
        .number(
            "limits.submissions",
            \.rate.count,
            1...1_000_000,
            reloaded: true,
            "New tasks within any window, as the account allows."
        ),
        .duration(
            "limits.window",
            \.rate.window,
            .milliseconds(1)...(.seconds(86_400)),
            reloaded: true,
            "How long such a window is."
        ),
        .number(
            "limits.running",
            \.running,
            1...1_000_000,
            reloaded: true,
            "Tasks at the provider at once."
        ),
        .number(
            "limits.pollsPerSecond",
            \.pollsPerSecond,
            1...1_000_000,
            reloaded: true,
            "Status queries, all tasks together."
        ),
        .value(
            "credits.reserve",
            \.creditsReserve,
            "credits, a number from 0 with at most three decimals",
            write: { "\($0)" },
            read: Credits.init(text:),
            reloaded: true,
            "Stop submitting when the account's balance would fall below this."
        ),
        .value(
            "credits.price",
            \.creditPrice,
            CreditPrice.allowed,
            write: { $0?.description },
            read: { CreditPrice(text: $0).map { .some($0) } },
            example: "0.005 USD",
            reloaded: true,
            "What a credit costs you, to show money beside credits."
        ),
        .value(
            "callbacks.publicURL",
            \.callbacksPublicURL,
            PublicURL.allowed,
            write: { $0 },
            read: { PublicURL.read($0).map { .some($0) } },
            example: "https://example.org/promptd",
            "Where the provider reaches us, over a proxy; without it promptd only asks. docs/callbacks.md says how."
        ),
        .value(
            "callbacks.listen",
            \.callbacksListen,
            "an address like 127.0.0.1:8788",
            write: \.description,
            read: ListenAddress.init(text:),
            "Where promptd listens for them."
        ),
        .keyFile(
            "callbacks.hmacKeyFile",
            \.callbacksHMACKeyFile,
            example: "/etc/promptd/webhook-key",
            "The key that signs them. Without this: systemd's credential webhook-key, else the variable "
                + "KIE_WEBHOOK_HMAC_KEY."
        ),
        .value(
            "web.listen",
            \.webListen,
            "an address like 127.0.0.1:8787, or off",
            write: { $0?.description ?? "off" },
            read: { ["off", "false"].contains($0) ? .some(nil) : ListenAddress(text: $0).map { .some($0) } },
            "The dashboard, /healthz, /readyz and /metrics; off disables them."
        ),
        .choice(
            "web.thumbnails",
            \.webThumbnails,
            reloaded: true,
            "Small pictures for the dashboard: auto makes them where Debian's libvips-tools is installed; off shows the files."
        ),
        .keyFile(
            "web.tokenFile",
            \.webTokenFile,
            example: "/etc/promptd/web-token",
            "A file with a token and nothing else: whoever logs in to the dashboard with it may change what it shows. Without "
                + "this: systemd's credential web-token, else nothing can be changed there."
        ),
        .flag(
            "web.readWithToken",
            \.webReadWithToken,
            reloaded: true,
            "true: the dashboard and /api/v1 are shown to those alone who know the token; health and metrics to all."
        ),
        .flag(
            "downloads.enabled",
            \.downloadsEnabled,
            reloaded: true,
            "false: a job has succeeded when its task has; the results table holds the URLs."
        ),
        .flag(
            "downloads.sidecars",
            \.downloadsSidecars,
            reloaded: true,
            "Beside the results of each job a file JOB.json: prompt, model, input, credits, times, sums."
        ),
        Setting(
            "downloads.names",
            \.downloadsNames,
            "a path with fields, like {batch}/{label.sku}-{ordinal}.{ext}",
            write: \.text,
            read: { text, _ throws(Problem) in
                do throws(NameTemplate.Problem) { return try NameTemplate(text) } catch {
                    throw Problem(error.description)
                }
            },
            check: { _, configuration throws(Problem) in
                guard configuration.downloadsNames.namesJob || configuration.downloadsSidecars else {
                    throw Problem(
                        "has no {id} in the file's name, and downloads.sidecars is false: nothing would say which job a file "
                            + "is of; add {id}, or turn sidecars on"
                    )
                }
            },
            reloaded: true,
            "How results are named below the media directory; what is there keeps its name. docs/results.md lists the fields."
        ),
        .choice(
            "downloads.allowPrivateAddresses",
            \.downloadsAllowPrivateAddresses,
            "Media over plain http or from this machine: auto allows it when provider.baseURL is this machine itself."
        ),
        .choice(
            "unconfirmed.policy",
            \.unconfirmedPolicy,
            reloaded: true,
            "A job whose answer was lost: hold it for you to settle; evidence sends it again when the balance shows no "
                + "charge; resubmit after the window. With the last two it may be paid for twice."
        ),
        .duration(
            "unconfirmed.window",
            \.unconfirmedWindow,
            .seconds(1)...(.seconds(30 * 86_400)),
            reloaded: true,
            "How long resubmit waits for news."
        ),
        .value(
            "retention.finishedJobs",
            \.retention,
            "a duration from \(Retention.shortest.text) to \(Retention.longest.text), like 90d, or forever",
            write: \.text,
            read: Retention.init(text:),
            reloaded: true,
            "How long finished jobs stay in the database; what was paid for them stays in the ledger for ever."
        ),
        .choice(
            "retention.files",
            \.retainedFiles,
            reloaded: true,
            "What becomes of their files then: keep leaves them where they are, remove deletes them, with their sidecars."
        ),
        .choice(
            "catalogue.unknownModels",
            \.unknownModels,
            reloaded: true,
            "A job whose model the catalogue does not know: refuse it, or allow it."
        ),
        .value(
            "catalogue.refresh",
            \.catalogueRefresh,
            "a duration from \(RefreshInterval.shortest.text) to \(RefreshInterval.longest.text), like 7d, or never",
            write: \.text,
            read: RefreshInterval.init(text:),
            reloaded: true,
            "How often the provider is asked what models it has, what they take and cost; \(Advice.refreshModels)."
        ),
        .value(
            "catalogue.defaultPrice",
            \.defaultPrice,
            "credits, a number from 0 to 1000000 with at most three decimals",
            write: { "\($0)" },
            read: PriceSetting.credits,
            reloaded: true,
            "Credits reserved for a job of whose price nothing is known."
        ),
        Setting(
            "catalogue.prices",
            \.prices,
            "MODEL=CREDITS, like flux-2/pro-text-to-image=5",
            write: { _ in nil },
            read: { text, before throws(Problem) in
                guard let price = PriceSetting.price(text) else {
                    throw .isNot("MODEL=CREDITS, like flux-2/pro-text-to-image=5")
                }
                guard !before.contains(where: { $0.model == price.model }) else {
                    throw Problem("names a model that has a price already; one for each is allowed")
                }
                return before + [price]
            },
            check: { text, configuration throws(Problem) in
                guard configuration.unknownModels == .refuse, let price = PriceSetting.price(text) else { return }
                if let reason = PriceSetting.unknown(price.model) { throw Problem(reason) }
            },
            example: "[flux-2/pro-text-to-image=5.5, z-image=1]",
            isList: true,
            reloaded: true,
            "Credits for a task, where the catalogue is wrong or knows nothing; docs/catalogue.md says how to find out."
        ),
        Setting(
            "uploads.roots",
            \.uploadRoots,
            "a whole path of a directory, like /srv/photos",
            write: { _ in nil },
            read: { text, before throws(Problem) in
                guard text.hasPrefix("/"), text.utf8.count > 1, !text.split(separator: "/").contains("..") else {
                    throw .isNot("a whole path of a directory, like /srv/photos")
                }
                return before + [text]
            },
            example: "[/srv/photos, /srv/shared/frames]",
            isList: true,
            reloaded: true,
            "Directories whose files jobs may name as file:///PATH, to be uploaded to the provider; without any, none. What "
                + "promptctl is given needs none."
        ),
        .duration(
            "shutdown.grace",
            \.shutdownGrace,
            .zero...(.seconds(3_600)),
            "How long requests under way may take to end. Keep systemd's TimeoutStopSec above it."
        ),
        .choice(
            "log.level",
            \.logLevel,
            reloaded: true,
            "From which severity on a line is written."
        ),
        .choice(
            "log.format",
            \.logFormat,
            "auto is journal under systemd and text elsewhere."
        ),
    ]

    static func named(_ key: String) -> Setting? { all.first { $0.key == key } }
}
