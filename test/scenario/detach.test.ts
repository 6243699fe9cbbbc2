/** The keyboard of an attached `up`, at a terminal of its own under a shell with job control. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { after, before, describe, test } from 'node:test'
import { launcher, type Stack, TestEngine } from '../support/engine.ts'
import { eventually } from '../support/eventually.ts'
import { lacking, program, root } from '../support/needs.ts'

const yaml = `services:
  web: {image: busybox, command: sh -c 'echo ready; exec sleep infinity', stop_signal: SIGKILL}
`

/** A shell at a terminal, as script(1) makes one. */
class Terminal implements AsyncDisposable {
  readonly #child
  readonly #ended
  said = ''

  constructor(folder: string, env: Readonly<Record<string, string>>) {
    const own = { ...process.env, ...env, PS1: '> ', TERM: 'xterm' }
    this.#child = spawn('script', ['-qc', 'sh -i', '/dev/null'], {
      cwd: folder,
      env: own,
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    this.#child.stdout.setEncoding('utf8').on('data', (text: string) => (this.said += text))
    this.#ended = once(this.#child, 'close')
  }

  type(text: string): void {
    this.#child.stdin.write(text)
  }

  /** Keys whose listener may not be there yet: again, when nothing is said for a while. */
  async press(keys: string, pattern: RegExp, from: number): Promise<number> {
    for (let tries = 0; tries < 10; tries++) {
      this.type(keys)
      const at = await this.says(pattern, from, 1000).catch(() => undefined)
      if (at !== undefined) return at
    }
    return await this.says(pattern, from, 0)
  }

  /**
   * Waits until the shell has what comes next for itself. Keys that were pressed again and that nobody has read are its by now, as a line of
   * their own that no ^U takes away: what was in the terminal's queue when it left raw mode (termios(3), ICANON).
   */
  async atPrompt(from: number): Promise<number> {
    this.type('\necho "at $((1 + 1))"\n')
    return await this.says(/at 2/, from)
  }

  async says(pattern: RegExp, from = 0, ms = 10_000): Promise<number> {
    const found = await eventually(`${pattern}`, () => pattern.exec(this.said.slice(from)), ms).catch((error: Error) =>
      assert.fail(`${error.message}:\n${this.said}`),
    )
    return from + found.index + found[0].length
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.stdin.end()
    this.#child.kill('SIGKILL')
    await this.#ended
  }
}

describe('an attached up', { skip: lacking(root(), program('busybox'), program('nft'), program('script')) }, () => {
  let engine: TestEngine
  before(async () => {
    engine = await TestEngine.start()
  })
  after(() => engine.stop())

  const state = async (stack: Stack) => (await stack.ps())[0]?.State

  test('with --menu watches by w until w is pressed again, edits before that included', async () => {
    const stack = engine.stack(yaml)
    await using terminal = new Terminal(stack.folder, engine.env)
    terminal.type(`${launcher} up --menu; echo "code $?"\n`)
    let at = await terminal.says(/w watches, d detaches, \^C stops/)
    at = await terminal.says(/web-1 +\| ready/)
    stack.write(yaml.replace('ready', 'second'))
    at = await terminal.press('w', /⦿ Watch enabled/, at)
    at = await terminal.says(/~ web: recreate +command/, at)
    at = await terminal.says(/web-1 +\| second/, at)
    // what is added is shown too, and what is killed comes again
    stack.write(
      `${yaml.replace('ready', 'second')}  more: {image: busybox, command: sh -c 'echo came; exec sleep infinity', stop_signal: SIGKILL}\n`,
    )
    at = await terminal.says(/more-1 +\| came/, at)
    await engine.runDocker('kill', `${stack.name}-more-1`)
    at = await terminal.says(/more-1 was killed/, at)
    at = await terminal.says(/more-1 +\| came/, at)
    at = await terminal.press('w', /⦿ Watch disabled/, at)
    // nobody watches it now
    const other = stack.begin('watch')
    await other.says(/^Watch enabled$/m)
    at = await terminal.press('w', /Cannot watch .* watches it already/, at)
    await other.end()
    // of what it was begun for all ends
    await engine.runDocker('rm', '-f', `${stack.name}-more-1`)
    await engine.runDocker('kill', `${stack.name}-web-1`)
    await terminal.says(/code 0/, at)
    await stack.run('down')
  })

  test('that ends by itself is not watched', async () => {
    const stack = engine.stack(yaml)
    await using terminal = new Terminal(stack.folder, engine.env)
    terminal.type(`${launcher} up --menu --abort-on-container-exit; echo "code $?"\n`)
    let at = await terminal.says(/ d detaches, \^C stops/)
    at = await terminal.press('w', /Watching excludes what this ends by/, at)
    at = await terminal.press('d', /Detached/, at)
    await terminal.says(/code 0/, at)
    await stack.run('down')
  })

  test('with --menu says which keys there are, and why the others do nothing', async () => {
    const stack = engine.stack(yaml)
    await using terminal = new Terminal(stack.folder, engine.env)
    terminal.type(`${launcher} up --menu; echo "code $?"\n`)
    let at = await terminal.says(/d detaches, \^C stops/)
    at = await terminal.press('v', /"v" shows the stack in Docker Desktop, which is not here: see "tscompose ps"/, at)
    at = await terminal.press('o', /"o" shows the files in Docker Desktop/, at)
    at = await terminal.press('d', /Detached/, at)
    await terminal.says(/code 0/, at)
    await stack.run('down')
  })

  for (const [name, keys] of [
    ['d', 'd'],
    ['^P^Q', '\x10\x11'],
  ] as const)
    test(`is left by ${name}, and the stack goes on`, async () => {
      const stack = engine.stack(yaml)
      await using terminal = new Terminal(stack.folder, engine.env)
      terminal.type(`${launcher} up; echo "code $?"\n`)
      let at = await terminal.says(/web-1 +\| ready/)
      at = await terminal.press(keys, /Detached: the stack goes on/, at)
      at = await terminal.says(/code 0/, at)
      // the terminal is as it was: it shows what is typed
      at = await terminal.atPrompt(at)
      terminal.type('echo typed\n')
      await terminal.says(/echo typed\r\ntyped/, at)
      assert.equal(await state(stack), 'running')
      await stack.run('down')
    })

  test('is suspended by ^Z, goes on with fg, and is stopped by ^C with its stack', async () => {
    const stack = engine.stack(yaml)
    await using terminal = new Terminal(stack.folder, engine.env)
    terminal.type(`${launcher} up\n`)
    let at = await terminal.says(/web-1 +\| ready/)
    at = await terminal.press('\x1a', /Stopped/, at)
    at = await terminal.atPrompt(at)
    terminal.type('echo typed\n')
    at = await terminal.says(/echo typed\r\ntyped/, at)
    assert.equal(await state(stack), 'running')
    // in one line: what is typed while it ends is its own
    terminal.type('fg; echo "code $?"\n')
    at = await terminal.says(/tscompose up/, at)
    at = await terminal.press('\x03', /Gracefully stopping/, at)
    await eventually('it to be stopped', async () => (await state(stack)) === 'exited')
    await terminal.says(/^code 130/m, at)
    await stack.run('down')
  })
})
