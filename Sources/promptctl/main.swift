import PromptCommands

await PromptctlCommand.main()
