import ArgumentParser
import PromptDaemon

@main
enum Program {
    static func main() async {
        await DaemonCommand.main()
    }
}
