/** The terminal view, at a terminal of 80×24 as script(1) makes one. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { after, before, describe, test } from 'node:test'
import { launcher, type Stack, TestEngine } from '../support/engine.ts'
import { eventually } from '../support/eventually.ts'
import { lacking, program, root } from '../support/needs.ts'

const yaml = `services:
  web: {image: busybox, command: sh -c 'echo ready; exec sleep infinity', stop_grace_period: 0s}
  other: {image: busybox, command: sleep infinity, stop_grace_period: 0s}
`

/** What a screen of the terminal shows, from what was written to it: the sequences that the view uses, and no others. */
class Screen {
  #lines: string[] = []
  isOther = false

  take(text: string): void {
    for (const [, row, body = '', mode] of text.matchAll(
      /\x1b\[(\d+);1H([^\x1b]*(?:\x1b\[\d*m[^\x1b]*)*)|\x1b\[\?1049([hl])/g,
    )) {
      if (mode !== undefined) {
        this.isOther = mode === 'h'
        this.#lines = []
      } else this.#lines[Number(row) - 1] = body.replace(/\x1b\[\d*m/g, '').trimEnd()
    }
  }

  get text(): string {
    return Array.from(this.#lines, line => line ?? '').join('\n')
  }
}

class Terminal implements AsyncDisposable {
  readonly #child
  readonly ended
  readonly screen = new Screen()
  said = ''

  constructor(env: Readonly<Record<string, string>>) {
    this.#child = spawn('script', ['-qec', `stty rows 24 cols 80; exec ${launcher} ui`, '/dev/null'], {
      cwd: '/',
      env: { ...process.env, ...env, TERM: 'xterm' },
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    this.#child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.said += text
      this.screen.take(text)
    })
    this.ended = once(this.#child, 'close') as Promise<[number]>
  }

  type(text: string): void {
    this.#child.stdin.write(text)
  }

  async shows(pattern: RegExp): Promise<void> {
    await eventually(`${pattern}`, () => pattern.test(this.screen.text), 20_000).catch((error: Error) =>
      assert.fail(`${error.message}:\n${this.screen.text}\n${JSON.stringify(this.said.slice(-2000))}`),
    )
  }

  async says(pattern: RegExp, from: number): Promise<void> {
    await eventually(`${pattern}`, () => pattern.test(this.said.slice(from)), 20_000).catch((error: Error) =>
      assert.fail(`${error.message}:\n${JSON.stringify(this.said.slice(from))}`),
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.stdin.end()
    this.#child.kill('SIGKILL')
    await this.ended
  }
}

describe('ui', { skip: lacking(root(), program('busybox'), program('nft'), program('script')) }, () => {
  let engine: TestEngine
  let stack: Stack
  before(async () => {
    engine = await TestEngine.start()
    stack = engine.stack(yaml)
    await stack.run('up', '-d')
  })
  after(() => engine.stop())

  test('shows stacks as they change, acts by keys, and gives the terminal back', async () => {
    await using terminal = new Terminal(engine.env)
    await terminal.shows(/^>\S+ +running +2\/2/m)
    assert.match(terminal.screen.text, /^ {3}web +running +1\/1/m)
    assert.ok(terminal.screen.text.split('\n').length <= 24)
    assert.ok(terminal.screen.text.split('\n').every(line => line.length <= 80))
    // what is used comes by itself
    await terminal.shows(/^ {3}web +running +1\/1 +\d+\.\d% +\S+iB/m)
    // NO_COLOR: none of its sequences is one of colours
    assert.doesNotMatch(terminal.said, /\x1b\[[1-9]\d*m/)

    terminal.type('/we')
    await terminal.shows(/^ \/we/m)
    await terminal.shows(/^(?![\s\S]*other)/)
    terminal.type('\rj')
    await terminal.shows(/^> {2}web/m)
    // its log stands below the list, follows what happens to it, and closes
    await terminal.shows(/^── logs of \S+\/web [\s\S]*^ {1}ready/m)
    terminal.type('\r')
    await terminal.shows(/^(?![\s\S]*── logs)/)
    terminal.type('\r')
    await terminal.shows(/^── logs of \S+\/web [\s\S]*^ {1}ready/m)
    terminal.type('S')
    await terminal.shows(/Stop web\? y\/N/)
    terminal.type('y')
    await terminal.shows(/^> {2}web +stopped +0\/1/m)
    await terminal.shows(/web-1 +│ ended with \d+/)
    terminal.type('s')
    await terminal.shows(/^> {2}web +running +1\/1/m)
    // somebody else does something
    await stack.run('pause', 'web')
    await terminal.shows(/^> {2}web +paused/m)
    await stack.run('unpause', 'web')
    await terminal.shows(/^> {2}web +running/m)

    terminal.type('?')
    await terminal.shows(/a shell in it/)
    terminal.type(' ')
    await terminal.shows(/^> {2}web/m)

    let from = terminal.said.length
    terminal.type('l')
    await terminal.says(/web-1 +\| ready/, from)
    assert.equal(terminal.screen.isOther, false)
    terminal.type('\x03')
    await terminal.shows(/^> {2}web +running/m)

    from = terminal.said.length
    terminal.type('e')
    await terminal.says(/\/ # /, from)
    terminal.type('echo in$((1+1))side; exit\r')
    await terminal.says(/in2side/, from)
    await terminal.shows(/^> {2}web +running/m)

    from = terminal.said.length
    terminal.type('p')
    await terminal.says(/no changes[\s\S]*Any key goes back/, from)
    terminal.type(' ')
    await terminal.shows(/^> {2}web +running/m)

    terminal.type('q')
    const [code] = await terminal.ended
    assert.equal(code, 0)
    assert.equal(terminal.screen.isOther, false)
    assert.match(terminal.said, /\x1b\[\?25h\x1b\[\?1049l$/)
  })

  test('is for terminals alone', async () => {
    const { code, stderr } = await engine.tscompose(['ui'])
    assert.equal(code, 1)
    assert.match(stderr, /this is no terminal/)
  })
})
