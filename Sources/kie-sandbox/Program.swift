import ArgumentParser
import KieSandbox

@main
enum Program {
    static func main() async {
        await SandboxCommand.main()
    }
}
