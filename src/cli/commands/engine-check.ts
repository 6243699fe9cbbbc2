/** Whether an engine could start with its settings: what is wrong with them is told with its line, and none is started. */
import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { ownProgram } from '../../installation/own-program.ts'
import { Failure, type FailureKind } from '../../lib/failure.ts'
import { type Problem, ProblemsFailure } from '../../lib/problems.ts'
import { command } from '../command.ts'

/** As the engine tells it with --check-settings, in one line. */
interface Checked {
  /** Undefined: there is no file, and none is needed. */
  readonly file?: string
  /** Names of what is set there. */
  readonly settings: readonly string[]
  readonly problems?: readonly Problem[]
  readonly failure?: { readonly kind: FailureKind; readonly message: string; readonly hint?: string }
}

export const engineCheck = command({
  usage: '[FILE]',
  about:
    'Without a file: /etc/tscompose/engine.yaml, where there is one. The words it takes are those of schemas/engine-settings.schema.json.',
  words: [0, 1],
  options: {},
  examples: [
    ['tscompose engine check', 'before the engine is started anew'],
    ['tscompose engine check ./engine.yaml', 'a file that is still being written'],
  ],
  async run({ args, env, screen }) {
    const { file, settings, problems, failure } = await check(args[0], env)
    if (problems) throw new ProblemsFailure(problems)
    if (failure) throw new Failure(failure.kind, failure.message, failure.hint ? { hint: failure.hint } : {})
    if (file === undefined) screen.print('There are no settings: all of them are the usual ones')
    else screen.print(`${file} is fine${settings.length > 0 ? `: ${settings.join(', ')}` : ', and sets nothing'}`)
  },
})

async function check(file: string | undefined, env: Readonly<Record<string, string | undefined>>): Promise<Checked> {
  const [path, ...first] = ownProgram('engine')
  const args = [...first, '--check-settings', ...(file === undefined ? [] : [`--config=${file}`])]
  const child = spawn(path, args, { env, stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = new Promise<void>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', () => resolve())
  })
  const [line] = await Promise.all([text(child.stdout), ended])
  if (line === '') throw new Failure('internal', 'Cannot check the settings: the engine ended without a word')
  return JSON.parse(line) as Checked
}
