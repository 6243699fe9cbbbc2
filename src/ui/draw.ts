/** The terminal view as lines: as many as the screen has, none wider than it. */
import cliTruncate from 'cli-truncate'
import stringWidth from 'string-width'
import { printable } from '../lib/text.ts'
import { binarySize } from '../lib/units.ts'
import type { Condition } from '../view/stacks.ts'
import type { Canvas, Tint, Tone } from './canvas.ts'
import { paneLines } from './draw-pane.ts'
import { actions, chosenRow, type Row, rowsOf, type State } from './model.ts'

const tones: Readonly<Record<Condition, Tone>> = {
  failed: 'bad',
  unhealthy: 'bad',
  restarting: 'bad',
  starting: 'doubtful',
  paused: 'doubtful',
  created: 'weak',
  stopped: 'weak',
  running: 'good',
  done: 'weak',
}

/** Rows of a screen below which the log pane would leave no room for the list. */
const leastForPane = 16

export function draw(state: State, canvas: Canvas): readonly string[] {
  const { width, height, tint, host } = canvas
  const body = Math.max(1, height - 4)
  const count = state.stacks.length
  const head = fitted(` tscompose  ${count === 1 ? '1 stack' : `${count} stacks`} at ${host}`, width)
  const hasPane = state.isPaneOpen && state.mode !== 'help' && height >= leastForPane && chosenRow(state) !== undefined
  // a short list leaves the pane what it does not need
  const listed = hasPane ? Math.max(5, Math.min(rowsOf(state).length + 1, Math.floor(body / 2))) : body
  const lines = state.mode === 'help' ? helpLines() : listLines(state, { ...canvas, height: listed })
  const pane = hasPane ? paneLines(state, { ...canvas, height: body - listed }) : []
  return [
    tint('strong', head),
    tint('weak', fitted(heading, width)),
    ...filled(lines, listed).map(line => cliTruncate(line, width)),
    ...pane,
    tint('weak', fitted(detail(state), width)),
    footer(state, canvas),
  ].slice(0, height)
}

function filled(lines: readonly string[], height: number): readonly string[] {
  return [...lines.slice(0, height), ...Array.from({ length: Math.max(0, height - lines.length) }, () => '')]
}

const columns = { name: 30, state: 12, replicas: 5, cpu: 8, memory: 11 } as const
const heading = ` ${'NAME'.padEnd(columns.name + 1)} ${'STATE'.padEnd(columns.state)} ${'UP'.padEnd(columns.replicas)} ${'CPU'.padStart(columns.cpu)} ${'MEMORY'.padStart(columns.memory)}  PORTS`

/** So much of the list that the chosen row is among it. */
function listLines(state: State, { width, height, tint }: Canvas): readonly string[] {
  const rows = rowsOf(state)
  if (rows.length === 0)
    return [
      '',
      state.filter === ''
        ? ' No stacks yet: "tscompose up" in a folder brings one up'
        : ' Nothing has that name: Esc shows all',
    ]
  const chosen = rows.findIndex(({ key }) => key === chosenRow(state)?.key)
  const first = Math.max(0, Math.min(chosen - Math.floor(height / 2), rows.length - height))
  return rows
    .slice(first, first + height)
    .map((row, index) => rowLine(row, { state, width, tint, isChosen: first + index === chosen }))
}

interface Drawn {
  readonly state: State
  readonly width: number
  readonly tint: Tint
  readonly isChosen: boolean
}

function rowLine(row: Row, { state, width, tint, isChosen }: Drawn): string {
  const { service, stack, replicas, condition } = row
  const own = replicas.filter(({ oneOff }) => !oneOff)
  const up = own.filter(each => ['running', 'starting', 'unhealthy'].includes(each.condition)).length
  const used = replicas.flatMap(({ id }) => state.usage.get(id) ?? [])
  const cpu = used.reduce((sum, each) => sum + each.cpu, 0)
  const memory = used.reduce((sum, each) => sum + each.memory, 0)
  const name = printable(service ? `  ${service.name}` : stack.name)
  const ports = [...new Set(replicas.flatMap(each => each.ports))]
    .filter(({ PublishedPort }) => PublishedPort > 0)
    .map(({ PublishedPort, TargetPort }) => `${PublishedPort}→${TargetPort}`)
  const before = `${isChosen ? '>' : ' '}${padded(name, columns.name + 1)} `
  const after = [
    ` ${`${up}/${own.length}`.padEnd(columns.replicas)}`,
    (used.length === 0 ? '-' : `${cpu.toFixed(1)}%`).padStart(columns.cpu),
    (used.length === 0 ? '-' : binarySize(memory)).padStart(columns.memory),
    ` ${service ? [...new Set(ports)].join(' ') : ''}`,
  ].join(' ')
  const state_ = padded(condition, columns.state)
  if (isChosen) return tint('chosen', fitted(`${before}${state_}${after}`, width))
  return `${service ? before : tint('strong', before)}${tint(tones[condition], state_)}${after}`
}

function padded(text: string, width: number): string {
  const cut = cliTruncate(text, width)
  return cut + ' '.repeat(Math.max(0, width - stringWidth(cut)))
}

/** The whole width, so that what stood there before is gone. */
function fitted(text: string, width: number): string {
  return padded(text, width)
}

/** What the engine says of the row that is chosen. */
function detail(state: State): string {
  const row = chosenRow(state)
  if (!row) return ''
  if (!row.service) return ` ${printable(row.stack.directory ?? row.stack.name)}`
  return ` ${row.replicas.map(({ name, status }) => printable(`${name}: ${status}`)).join('; ')}`
}

function footer(state: State, { width, tint }: Canvas): string {
  if (state.mode === 'ask') return tint('doubtful', fitted(` ${printable(state.question?.text ?? '')} y/N`, width))
  if (state.mode === 'filter') return fitted(` /${state.filter}█`, width)
  if (state.message !== '') return tint('doubtful', fitted(` ${printable(state.message)}`, width))
  const filter = state.filter === '' ? '' : `/${state.filter}  `
  return tint(
    'weak',
    fitted(` ${filter}↑↓ choose  s start  S stop  r restart  u up  e shell  / filter  ? help  q quit`, width),
  )
}

function helpLines(): readonly string[] {
  const keys: readonly (readonly [string, string])[] = [
    ['↑ ↓, j k', 'choose a stack or a service; PgUp, PgDn, Home, End'],
    ['/', 'filter by name; Esc shows all'],
    ['↵', 'the logs of what is chosen, below the list: open or closed'],
    ['[ ]', 'back and forward in them'],
    ...Object.entries(actions),
    ['q, ^C', 'quit; what runs goes on'],
  ]
  return ['', ...keys.map(([key, text]) => `  ${key.padEnd(10)} ${text}`), '', '  Any key goes back']
}
