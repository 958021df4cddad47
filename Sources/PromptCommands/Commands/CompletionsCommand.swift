import ArgumentParser

struct CompletionsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "completions",
        abstract: "Print the completion script for a shell.",
        discussion: """
            bash  promptctl completions bash > ~/.local/share/bash-completion/completions/promptctl
            zsh   promptctl completions zsh > _promptctl, in a directory of $fpath
            fish  promptctl completions fish > ~/.config/fish/completions/promptctl.fish
            """
    )

    enum Shell: String, CaseIterable, ExpressibleByArgument {
        case bash, zsh, fish
    }

    @Argument(help: "bash, zsh or fish.")
    var shell: Shell

    func run() {
        let shell: CompletionShell =
            switch shell {
            case .bash: .bash
            case .zsh: .zsh
            case .fish: .fish
            }
        Console.current.print(PromptctlCommand.completionScript(for: shell))
    }
}
