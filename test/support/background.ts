/** A command that goes on while a test does other things: what it says so far, and its end. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { eventually } from './eventually.ts'

export class Background implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #ended: Promise<unknown>
  #said = ''

  constructor(
    program: string,
    args: readonly string[],
    options: { readonly cwd: string; readonly env: Readonly<Record<string, string>> },
  ) {
    const env = { ...process.env, ...options.env }
    this.#child = spawn(program, args, { cwd: options.cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
    for (const stream of [this.#child.stdout!, this.#child.stderr!])
      stream.setEncoding('utf8').on('data', (text: string) => (this.#said += text))
    this.#ended = once(this.#child, 'close')
  }

  /** Both streams, in the order they were read. */
  get said(): string {
    return this.#said
  }

  /** Waits until the pattern is found in what it has said after `from` characters; returns where it ends. */
  async says(pattern: RegExp, { from = 0, ms = 20_000 }: { from?: number; ms?: number } = {}): Promise<number> {
    const found = await eventually(
      `${pattern} in what was said`,
      () => {
        assert.equal(this.#child.exitCode ?? this.#child.signalCode, null, `it has ended:\n${this.#said}`)
        return pattern.exec(this.#said.slice(from))
      },
      ms,
    ).catch((error: Error) => assert.fail(`${error.message}:\n${this.#said}`))
    return from + found.index + found[0].length
  }

  /** Sends a signal, and waits for the end; its exit code. */
  async end(signal: NodeJS.Signals = 'SIGINT'): Promise<number | null> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill(signal)
    await this.#ended
    return this.#child.exitCode
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end('SIGKILL')
  }
}
