/**
 * Runs commands of a bundled command line and keeps the code that was compiled for them: `code-cache.ts BUNDLE CACHE`. To be run by the Node
 * that will read it. Whoever installs a package need not compile it again, and nothing is kept in anybody's home folder.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Script } from 'node:vm'
import type { World } from '../../src/cli/main.ts'

const stack = `services:
  web: {image: web, ports: ["8080:80"], environment: {A: "\${A:-b}"}, volumes: [data:/data], depends_on: {db: {condition: service_healthy}}}
  db: {image: db, healthcheck: {test: [CMD, "true"]}, deploy: {resources: {limits: {memory: 1g}}}}
volumes: {data: {}}
`

/** With no engine to be reached: what reads, checks and fails is what all commands share. */
const commands: readonly (readonly string[])[] = [
  ['version'],
  ['--help'],
  ['config'],
  ['graph'],
  ...['up', 'down', 'ps', 'logs', 'plan', 'build', 'exec'].map(name => [
    '--host',
    'unix:///nonexistent/engine.sock',
    name,
    ...(name === 'exec' ? ['web', 'true'] : []),
  ]),
]

const [bundle, cache] = process.argv.slice(2)
if (bundle === undefined || cache === undefined) throw new TypeError('a bundle and a file for its code are needed')
const script = new Script(readFileSync(bundle, 'latin1'), { filename: bundle })
const exports = {} as { main(argv: readonly string[], world: World): Promise<number> }
script.runInThisContext()(createRequire(import.meta.url), exports, 'file:///', bundle)
const cwd = mkdtempSync(join(tmpdir(), 'tscompose-package-'))
const sink = { isTTY: false, write: () => true } as unknown as World['stdout']
try {
  writeFileSync(join(cwd, 'compose.yaml'), stack)
  for (const argv of commands)
    await exports.main(argv, {
      stdout: sink,
      stderr: sink,
      stdin: process.stdin,
      stdinIsTTY: false,
      env: { HOME: cwd, PATH: '/usr/bin:/bin' },
      cwd,
      interrupts: interrupts(),
    })
  writeFileSync(cache, script.createCachedData())
} finally {
  rmSync(cwd, { recursive: true })
}
process.exit(0)

/** Of a terminal on which nobody types. */
function interrupts(): World['interrupts'] {
  const { signal } = new AbortController()
  return { signal, take: () => ({ [Symbol.dispose]() {} }) } as unknown as World['interrupts']
}
