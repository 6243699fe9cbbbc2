/** The script by which a shell completes our words; made of the same tables as the help. */
import { command } from '../command.ts'
import { usage } from '../options.ts'

export const completion = command({
  usage: 'bash|zsh|fish',
  words: [1, 2],
  about:
    'Services and profiles are completed from the stack of the folder, containers, projects and images by what the engine has, when one runs.',
  options: {},
  examples: [
    ['source <(tscompose completion bash)', 'in ~/.bashrc'],
    ['source <(tscompose completion zsh)', 'in ~/.zshrc, behind compinit'],
    ['tscompose completion fish | source', 'in config.fish'],
  ],
  async run(call) {
    const { args, screen, commands } = call
    if (args[0] === 'words') {
      const { kinds, wordsOf } = await import('../completion-words.ts')
      const kind = kinds.find(each => each === args[1])
      if (!kind) throw usage(`Cannot list "${args[1] ?? ''}": it is ${kinds.join(', ')}`)
      return screen.printAll(await wordsOf(kind, call))
    }
    if (args.length > 1) throw usage(`accepts 1 arg(s), received ${args.length}`)
    const { completedOf, completionScript, shells } = await import('../completion.ts')
    const shell = shells.find(each => each === args[0])
    if (!shell) throw usage(`Cannot complete for "${args[0]}": shells are ${shells.join(', ')}`)
    screen.stdout.write(completionScript(shell, await completedOf(commands)))
  },
})
