/**
 * Tries tscompose, Docker Compose and podman-compose by the rows of trials.ts, and writes what was seen as a table into the README. By hand:
 *
 *   TSCOMPOSE_HOST=unix:///our.sock COMPOSE="docker compose" COMPOSE_HOST=unix:///docker.sock \
 *   PODMAN_COMPOSE="… podman-compose" PODMAN="… podman" node test/compare/table.ts
 *
 * Each engine needs busybox:latest; port 38131 of the host must be free.
 */
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type Tool, Trial } from './tools.ts'
import { rows } from './trials.ts'

const readme = fileURLToPath(new URL('../../README.md', import.meta.url))
const [begin, end] = ['<!-- compared: by test/compare/table.ts -->', '<!-- /compared -->']

const need = (name: string): string => {
  const value = process.env[name]
  if (!value) throw new Error(`${name} is needed: see the head of test/compare/table.ts`)
  return value
}
const words = (text: string) => text.split(' ').filter(Boolean)

const own = fileURLToPath(new URL('../../src/cli/tscompose', import.meta.url))
const docker = process.env['DOCKER'] ?? 'docker'
const tools: readonly Tool[] = [
  {
    name: 'tscompose',
    composer: [own],
    engine: [docker],
    env: { DOCKER_HOST: need('TSCOMPOSE_HOST'), TSCOMPOSE_WARM: '0' },
  },
  {
    name: 'Docker Compose',
    composer: words(need('COMPOSE')),
    engine: [docker],
    env: { DOCKER_HOST: need('COMPOSE_HOST') },
  },
  { name: 'podman-compose', composer: words(need('PODMAN_COMPOSE')), engine: words(need('PODMAN')), env: {} },
]

/** The last version it tells: ours tells before it which Compose it is in the place of. */
function versionOf({ composer: [program, ...more], env }: Tool): string {
  const options = { cwd: '/', env: { ...process.env, ...env, PWD: '/' }, encoding: 'utf8' as const }
  const { stdout } = spawnSync(program!, [...more, 'version'], options)
  const [line] = stdout.split('\n')
  return line?.match(/\d+\.\d+\.\d+/g)?.at(-1) ?? ''
}

const lines: string[] = []
for (const [i, row] of rows.entries()) {
  const seen: string[] = []
  for (const tool of tools) {
    const trial = new Trial(tool, `${process.pid}-${i}`)
    try {
      seen.push(await row.try(trial))
    } finally {
      trial.end()
    }
  }
  lines.push(`| ${[row.says, ...seen].join(' | ')} |`)
  console.log(lines.at(-1))
}

const heads = tools.map(tool => `${tool.name} ${versionOf(tool)}`)
const table = [`| | ${heads.join(' | ')} |`, `|---|${'---|'.repeat(tools.length)}`, ...lines].join('\n')
const text = readFileSync(readme, 'utf8')
const [from, to] = [text.indexOf(begin), text.indexOf(end)]
if (from < 0 || to < from) throw new Error(`README.md has no place for the table: ${begin} … ${end}`)
writeFileSync(readme, `${text.slice(0, from)}${begin}\n\n${table}\n\n${text.slice(to)}`)
