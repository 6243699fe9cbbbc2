/**
 * examples/pictures/terminal.svg: a real run of examples/health-chain on an engine of its own, as it was printed.
 *
 *     npm run pictures, or node .ci/pictures/terminal-run.ts
 */
import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { command } from '../../test/support/command.ts'
import { launcher, TestEngine } from '../../test/support/engine.ts'
import { type Said, terminalSvg } from './terminal-svg.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const columns = 110

/** What is typed; a part of what is said where that is long. */
const typed: readonly (readonly [command: string, lines?: number])[] = [
  ['plan'],
  ['up -d --wait'],
  ['ps --all'],
  ['explain web', 14],
  ['down'],
]

const engine = await TestEngine.start()
try {
  const folder = join(engine.folder, 'health-chain')
  cpSync(join(root, 'examples/health-chain'), folder, { recursive: true })
  const said: Said[] = []
  for (const [words, most] of typed) {
    const env = { ...engine.env, NO_COLOR: '', FORCE_COLOR: '1', COLUMNS: String(columns) }
    const { code, stdout, stderr } = await command(launcher, words.split(' '), { cwd: folder, env })
    if (code !== 0) throw new Error(`tscompose ${words} ended with ${code}:\n${stdout}${stderr}`)
    const lines = `${stderr}${stdout}`.trimEnd().split('\n')
    const shown = most === undefined || lines.length <= most ? lines : [...lines.slice(0, most), '…']
    said.push({ command: `tscompose ${words}`, output: shown.join('\n') })
  }
  mkdirSync(join(root, 'examples/pictures'), { recursive: true })
  writeFileSync(join(root, 'examples/pictures/terminal.svg'), terminalSvg(said, { columns }))
} finally {
  await engine.stop()
}
