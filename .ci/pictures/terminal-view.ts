/**
 * examples/pictures/terminal-view.svg: the terminal view of two stacks on an engine of its own, as it stood on a terminal of 100×24.
 *
 *     npm run pictures, or node .ci/pictures/terminal-view.ts
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { launcher, TestEngine } from '../../test/support/engine.ts'
import { eventually } from '../../test/support/eventually.ts'
import { terminalSvg } from './terminal-svg.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const [columns, rows] = [100, 24]

const stacks: Readonly<Record<string, string>> = {
  blog: `services:
  site: {image: busybox, command: sh -c 'echo "listening on 80"; exec sleep 1000', ports: ['127.0.0.1:8490:80'], stop_grace_period: 0s}
`,
  shop: `services:
  web:
    image: busybox
    scale: 2
    command: sh -c 'n=0; while true; do n=$$((n+1)); echo "GET /orders/$$n 200"; sleep 1; done'
    stop_grace_period: 0s
  db:
    image: busybox
    command: sh -c 'echo "ready to accept connections"; exec sleep 1000'
    healthcheck: {test: ['CMD', 'true'], interval: 1s}
    stop_grace_period: 0s
  mail: {image: busybox, command: sh -c 'echo "smtp:25 connection refused" >&2; sleep 2; exit 3', restart: on-failure, stop_grace_period: 0s}
`,
}

/** What stands on the screen, with its colours: of what the view writes, a line at a place. */
function take(screen: Map<number, string>, text: string): void {
  for (const [, row, body = ''] of text.matchAll(/\x1b\[(\d+);1H([^\x1b]*(?:\x1b\[\d*m[^\x1b]*)*)/g))
    screen.set(Number(row), body.trimEnd())
}

const engine = await TestEngine.start()
try {
  const folders = new Map<string, string>()
  for (const [name, yaml] of Object.entries(stacks)) {
    const stack = engine.stack(yaml, name)
    folders.set(stack.folder, `/srv/${name}`)
    await stack.run('up', '-d')
  }
  const screen = new Map<number, string>()
  const terminal = spawn(
    'script',
    ['-qec', `stty rows ${rows} cols ${columns}; exec ${launcher} ui`, '/dev/null'],
    {
      cwd: '/',
      env: { ...process.env, ...engine.env, NO_COLOR: '', FORCE_COLOR: '1', TERM: 'xterm-256color' },
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  )
  terminal.stdout.setEncoding('utf8').on('data', (text: string) => take(screen, text))
  const lines = () => Array.from({ length: rows }, (_, at) => screen.get(at + 1) ?? '')
  const shows = (what: RegExp) => eventually(`${what}`, () => what.test(lines().join('\n')), 30_000)
  await shows(/shop/)
  terminal.stdin.write('jj')
  await shows(/logs of shop[\s\S]*GET \/orders\/9/)
  // of no meaning elsewhere: where a test has its folders
  const places = [...folders, [engine.host, 'unix:///run/tscompose/engine.sock'] as const]
  const output = places.reduce((text, [from, to]) => text.replaceAll(from, to), lines().join('\n'))
  const ended = once(terminal, 'close')
  terminal.stdin.write('q')
  await ended
  mkdirSync(join(root, 'examples/pictures'), { recursive: true })
  const svg = terminalSvg([{ command: 'tscompose ui', output }], { columns })
  writeFileSync(join(root, 'examples/pictures/terminal-view.svg'), svg)
} finally {
  await engine.stop()
}
