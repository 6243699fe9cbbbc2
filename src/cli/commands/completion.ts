/** The script by which a shell completes our words; made of the same tables as the help. */
import { command } from '../command.ts'
import { usage } from '../options.ts'

export const completion = command({
  usage: 'bash|zsh|fish',
  words: [1, 1],
  about: 'Services are completed from the stack of the folder.',
  options: {},
  examples: [
    ['source <(tscompose completion bash)', 'in ~/.bashrc'],
    ['source <(tscompose completion zsh)', 'in ~/.zshrc, behind compinit'],
    ['tscompose completion fish | source', 'in config.fish'],
  ],
  async run({ args, screen, commands }) {
    const { completedOf, completionScript, shells } = await import('../completion.ts')
    const shell = shells.find(each => each === args[0])
    if (!shell) throw usage(`Cannot complete for "${args[0]}": shells are ${shells.join(', ')}`)
    screen.stdout.write(completionScript(shell, await completedOf(commands)))
  },
})
