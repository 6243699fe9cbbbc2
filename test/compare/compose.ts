/**
 * Every command and flag of Compose on a stack of five services, on Compose with a Docker Engine and on tscompose with ours:
 * exit codes, the containers there are afterwards, members of JSON. Prints what differs. By hand:
 *
 *   COMPOSE=/path/docker-compose COMPOSE_HOST=unix:///docker.sock OUR_HOST=unix:///our.sock node test/compare/compose.ts [PREFIX]
 *
 * Both engines need busybox:latest; host ports 38123 to 38125 must be free.
 */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

interface Side {
  readonly tool: string
  readonly host: string
  readonly folder: string
}

interface Seen {
  readonly code: number | string
  readonly members: string
  readonly stderr: string
}

const project = 'output-compare'
const here = fileURLToPath(new URL('.', import.meta.url))

function side(tool: string, host: string, port: string): Side {
  const folder = mkdtempSync(join(tmpdir(), 'compare-'))
  cpSync(join(here, 'stack'), folder, { recursive: true })
  const file = join(folder, 'compose.yaml')
  writeFileSync(file, readFileSync(file, 'utf8').replace('PORT', port))
  return { tool, host, folder }
}

function run({ tool, host, folder }: Side, line: string): Seen {
  const [stdin, words] = line.includes(' < ') ? line.split(' < ').reverse() : ['', line]
  const argv = words!.match(/'[^']*'|\S+/g)!.map(word => word.replace(/^'|'$/g, ''))
  const state = { TSCOMPOSE_STATE: join(folder, 'state') }
  const env = { PATH: process.env['PATH']!, HOME: folder, DOCKER_HOST: host, TERM: 'dumb', ...state }
  const { status, signal, stdout, stderr } = spawnSync(
    tool,
    ['-p', project, '-f', 'compose.yaml', '-f', 'more.yaml', ...argv],
    {
      cwd: folder,
      env,
      input: stdin === 'word' ? 'word\n' : '',
      encoding: 'utf8',
      timeout: 25_000,
      killSignal: 'SIGINT',
    },
  )
  return { code: status ?? `${signal}`, members: membersOf(stdout), stderr: stderr.trim().split('\n').at(-1) ?? '' }
}

/** Name, state and exit code of each container, without what is by chance. */
function stateOf(host: string): readonly string[] {
  const format = '{{.Names}} {{.State}} {{.Status}}'
  const filter = `label=com.docker.compose.project=${project}`
  const { stdout } = spawnSync('docker', ['-H', host, 'ps', '-a', '--filter', filter, '--format', format], {
    encoding: 'utf8',
  })
  return stdout
    .trim()
    .split('\n')
    .map(line =>
      line
        .replace(/-run-[0-9a-f]+/, '-run-X')
        .replace(/^(\S+ \S+) .*?(\(\d+\))?[^()]*$/, '$1 $2')
        .trim(),
    )
    .sort()
}

/** The members of the JSON a command has printed, "" for what is none. */
function membersOf(stdout: string): string {
  const parse = (text: string): unknown => {
    try {
      return JSON.parse(text)
    } catch {
      return undefined
    }
  }
  const whole = parse(stdout)
  const rows = whole === undefined ? stdout.trim().split('\n').map(parse) : [whole].flat()
  if (!rows.every(row => typeof row === 'object' && row !== null)) return ''
  const keys = new Set(rows.flatMap(row => Object.keys(row as object)))
  return `${rows.length} × ${[...keys].sort().join(' ')}`
}

const steps = readFileSync(join(here, 'steps.txt'), 'utf8')
  .split('\n')
  .filter(line => line !== '' && !line.startsWith('#'))
  .filter(line => process.argv[2] === undefined || line.startsWith(process.argv[2]) || line.startsWith('!'))

const { COMPOSE, COMPOSE_HOST, OUR_HOST } = process.env
if (!COMPOSE || !COMPOSE_HOST || !OUR_HOST) throw new Error('COMPOSE, COMPOSE_HOST and OUR_HOST must be set')
const theirs = side(COMPOSE, COMPOSE_HOST, '38123')
const ours = side(join(here, '../../src/cli/tscompose'), OUR_HOST, '38125')
let differences = 0
let shown = ''

/** The containers of both, given a while to become the same: what ends by itself does so in its own time. */
async function settled(): Promise<readonly [string, string]> {
  for (let left = 20; ; left--) {
    const [a, b] = [stateOf(theirs.host).join(', '), stateOf(ours.host).join(', ')]
    if (a === b || left === 0) return [a, b]
    await setTimeout(200)
  }
}

for (const line of steps) {
  const [their, our] = [run(theirs, line.replace(/^! /, '')), run(ours, line.replace(/^! /, ''))]
  const told: string[] = []
  if (their.code !== our.code) told.push(`exit code ${their.code}, ours ${our.code} (${their.stderr} / ${our.stderr})`)
  const states = await settled()
  if (states[0] !== states[1] && states.join() !== shown) told.push(`containers ${states.join('\n        ours ')}`)
  shown = states[0] === states[1] ? '' : states.join()
  if (their.members !== our.members) told.push(`members ${their.members}\n     ours ${our.members}`)
  if (told.length > 0) {
    differences++
    process.stdout.write(`${line}\n${told.map(each => `  ${each}`).join('\n')}\n`)
  }
}
for (const each of [theirs, ours]) {
  run(each, 'down -v --remove-orphans -t 0')
  rmSync(each.folder, { recursive: true, force: true })
}
process.stdout.write(`${steps.length} steps, ${differences} with differences\n`)
