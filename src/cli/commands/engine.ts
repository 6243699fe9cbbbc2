/** The engine in the foreground: for service managers, and for watching it. */
import { spawn } from 'node:child_process'
import { command } from '../command.ts'
import { engineMain } from '../engine-start.ts'

export const engine = command({
  usage: '[OPTIONS]',
  about:
    'Its options are those of tscompose-engine: "tscompose engine --help" shows this page, "tscompose engine -- --help" shows them.',
  raw: true,
  options: {},
  async run({ args, interrupts }) {
    const words = args[0] === '--' ? args.slice(1) : args
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', engineMain(), ...words], {
      stdio: 'inherit',
    })
    // ^C reaches it by the terminal; what reaches only us is passed on. Either way its end is ours.
    using _taken = interrupts.take(() => child.kill('SIGTERM'))
    return await new Promise<number>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (code, signal) => resolve(code ?? (signal ? 1 : 0)))
    })
  },
})
