import ArgumentParser
import KieSandbox
import PromptCommands
import PromptDaemon

/// All three programs in one file, which goes by the name that it is called by: the Swift runtime and Foundation, which are nine
/// tenths of each, are there once.
@main
enum Program {
    static func main() async {
        let name = CommandLine.arguments.first?.split(separator: "/").last ?? "promptd"
        switch name {
        case "promptctl": await PromptctlCommand.main()
        case "kie-sandbox": await SandboxCommand.main()
        default: await DaemonCommand.main()
        }
    }
}
