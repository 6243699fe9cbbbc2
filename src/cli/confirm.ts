/** Asks before data is destroyed; a program that calls us is asked only where docker compose asks it. */
import { Failure } from '../lib/failure.ts'
import { printable } from '../lib/text.ts'
import type { Plan } from '../plan/plan.ts'
import type { Call } from './command.ts'

export interface ConfirmOptions {
  /** -y. */
  readonly yes?: boolean
  /** Names of what was asked about before. */
  readonly agreed?: ReadonlySet<string>
  /** Further things that go away, each as "container shop-web-1". */
  readonly more?: readonly string[] | undefined
}

/** Whether to go on: true without a question when nothing is lost, with -y, or when nobody is there to ask. */
export async function confirm(call: Call, plan: Plan, { yes, agreed, more = [] }: ConfirmOptions): Promise<boolean> {
  const lost = [
    ...more,
    ...plan
      .destructive()
      .filter(({ operation }) => !agreed?.has(operation.name))
      .map(({ operation }) => `${plan.words.resource(operation)} ${operation.name}`),
  ]
  const { screen } = call
  if (lost.length === 0 || yes || call.globals['dry-run'] || !screen.stdinIsTTY || !screen.isLive) return true
  screen.say(
    `${screen.paintStatus('bold', 'This removes, for good:')}\n${lost.map(each => `  ${printable(each)}`).join('\n')}`,
  )
  return await asks(call, 'Go on?')
}

/** As `asks`; without a terminal the question goes to standard output and is answered by a line of standard input, as with Compose. */
export async function answers(call: Call, question: string): Promise<boolean> {
  const { screen } = call
  if (screen.stdinIsTTY && screen.isLive) return await asks(call, question)
  screen.stdout.write(question)
  const { createInterface } = await import('node:readline')
  const lines = createInterface({ input: call.stdin as unknown as NodeJS.ReadableStream })
  try {
    for await (const line of lines) return /^(y|yes|t|true|1)$/i.test(line.trim())
    return false
  } finally {
    lines.close()
  }
}

/** Whether the next line of standard input says yes; the end of it says no. */
export async function asks(call: Call, question: string): Promise<boolean> {
  const { screen, signal } = call
  const { createInterface } = await import('node:readline/promises')
  const lines = createInterface({
    input: call.stdin as unknown as NodeJS.ReadableStream,
    output: screen.status as NodeJS.WritableStream,
  })
  const ended = new AbortController()
  lines.once('close', () => ended.abort())
  try {
    const answer = await lines.question(`${question} [y/N] `, { signal: AbortSignal.any([signal, ended.signal]) })
    return /^y(es)?$/i.test(answer.trim())
  } catch (cause) {
    if (signal.aborted) throw new Failure('cancelled', 'Nothing was changed', { cause })
    if (ended.signal.aborted) return false
    throw cause
  } finally {
    lines.close()
  }
}
