/** The terminal view as data: what is listed, what is chosen, and what a key does to it. Knows no terminal and no engine. */
import type { Condition, ReplicaRow, ServiceRow, StackRow } from '../view/stacks.ts'

/** What one container uses. */
export interface Usage {
  /** Of one processor, in percent. */
  readonly cpu: number
  /** Bytes. */
  readonly memory: number
}

/** A line of the log pane. */
export interface PaneLine {
  /** Whose; "" where there is one alone. */
  readonly who: string
  readonly text: string
  /** It was not printed: something is said of a container. */
  readonly isNote: boolean
}

export interface Row {
  /** "shop" or "shop/web": stays the same while what is listed changes. */
  readonly key: string
  readonly stack: StackRow
  /** Undefined: the stack itself. */
  readonly service: ServiceRow | undefined
  readonly condition: Condition
  readonly replicas: readonly ReplicaRow[]
}

export interface State {
  readonly stacks: readonly StackRow[]
  /** By container id. */
  readonly usage: ReadonlyMap<string, Usage>
  /** The key of the row that is chosen. */
  readonly chosen: string | undefined
  readonly filter: string
  readonly mode: 'list' | 'filter' | 'help' | 'ask'
  /** What was asked, and is done on "y". */
  readonly question: { readonly text: string; readonly effect: Effect } | undefined
  /** Said below the list until the next key. */
  readonly message: string
  /** The log pane is open. */
  readonly isPaneOpen: boolean
  /** Lines of it, of the row that is chosen. */
  readonly log: readonly PaneLine[]
  /** Lines below those that it shows: 0 follows what comes. */
  readonly logBack: number
}

export const empty: State = {
  stacks: [],
  usage: new Map(),
  chosen: undefined,
  filter: '',
  mode: 'list',
  question: undefined,
  message: '',
  isPaneOpen: true,
  log: [],
  logBack: 0,
}

/** What somebody who can is to do. */
export type Effect =
  | { readonly kind: 'quit' }
  /** A command of ours, without a terminal of its own. */
  | { readonly kind: 'turn'; readonly verb: 'start' | 'stop' | 'restart'; readonly row: Row }
  /** A command of ours, which has the terminal until it ends; `waits`: then a key is waited for. */
  | { readonly kind: 'show'; readonly words: readonly string[]; readonly row: Row; readonly waits: boolean }

/** Stacks, each with its services behind it; a filter keeps services that have it in their name, and all of a stack that has. */
export function rowsOf({ stacks, filter }: Pick<State, 'stacks' | 'filter'>): readonly Row[] {
  const wanted = filter.toLowerCase()
  const has = (name: string) => name.toLowerCase().includes(wanted)
  return stacks.flatMap(stack => {
    const services = has(stack.name) ? stack.services : stack.services.filter(({ name }) => has(name))
    if (services.length === 0 && !has(stack.name)) return []
    const replicas = stack.services.flatMap(service => service.replicas)
    return [
      { key: stack.name, stack, service: undefined, condition: stack.condition, replicas },
      ...services.map(service => ({
        key: `${stack.name}/${service.name}`,
        stack,
        service,
        condition: service.condition,
        replicas: service.replicas,
      })),
    ]
  })
}

/** The row that is chosen, or the first: what was chosen may be gone. */
export function chosenRow(state: State): Row | undefined {
  const rows = rowsOf(state)
  return rows.find(({ key }) => key === state.chosen) ?? rows[0]
}

export interface Key {
  /** "up", "return", "a": as node:readline names them. */
  readonly name: string | undefined
  /** What was typed, where it is a character. */
  readonly text: string
  readonly ctrl: boolean
}

export interface Step {
  readonly state: State
  readonly effect?: Effect
}

/** What follows from a key. */
export function press(before: State, key: Key): Step {
  const state = { ...before, message: '' }
  if (key.ctrl && key.name === 'c') return { state, effect: { kind: 'quit' } }
  switch (state.mode) {
    case 'filter':
      return { state: typed(state, key) }
    case 'help':
      return { state: { ...state, mode: 'list' } }
    case 'ask': {
      const { question } = state
      const answered: State = { ...state, mode: 'list', question: undefined }
      return key.text === 'y' && question ? { state: answered, effect: question.effect } : { state: answered }
    }
    default:
      return listed(state, key)
  }
}

function typed(state: State, { name, text, ctrl }: Key): State {
  if (name === 'return' || name === 'enter') return { ...state, mode: 'list' }
  if (name === 'escape') return { ...state, mode: 'list', filter: '' }
  if (name === 'backspace') return { ...state, filter: [...state.filter].slice(0, -1).join('') }
  if (ctrl && name === 'u') return { ...state, filter: '' }
  return ctrl || !/^[\x21-\x7e\u00a1-\uffff]$/.test(text) ? state : { ...state, filter: state.filter + text }
}

const page = 10
/** Lines of the log pane that a key goes back or forward. */
const logStep = 5

function listed(state: State, { name, text, ctrl }: Key): Step {
  if (ctrl) return { state }
  switch (name) {
    case 'up':
      return { state: moved(state, -1) }
    case 'down':
      return { state: moved(state, 1) }
    case 'pageup':
      return { state: moved(state, -page) }
    case 'pagedown':
      return { state: moved(state, page) }
    case 'home':
      return { state: moved(state, -Infinity) }
    case 'end':
      return { state: moved(state, Infinity) }
    case 'escape':
      return { state: { ...state, filter: '' } }
    case 'return':
    case 'enter':
      return { state: { ...state, isPaneOpen: !state.isPaneOpen, logBack: 0 } }
    default:
  }
  switch (text) {
    case 'q':
      return { state, effect: { kind: 'quit' } }
    case 'k':
      return { state: moved(state, -1) }
    case 'j':
      return { state: moved(state, 1) }
    case '/':
      return { state: { ...state, mode: 'filter' } }
    case '?':
      return { state: { ...state, mode: 'help' } }
    case '[':
      return { state: scrolled(state, logStep) }
    case ']':
      return { state: scrolled(state, -logStep) }
    default:
      return acted(state, text)
  }
}

function scrolled(state: State, by: number): State {
  return { ...state, logBack: Math.max(0, Math.min(state.log.length - 1, state.logBack + by)) }
}

function moved(state: State, by: number): State {
  const rows = rowsOf(state)
  if (rows.length === 0) return state
  const at = rows.findIndex(({ key }) => key === state.chosen)
  const next = Math.min(rows.length - 1, Math.max(0, Math.max(at, 0) + by))
  return { ...state, chosen: rows[next]!.key, logBack: 0 }
}

/** Keys that do something to the row that is chosen, and the words for them. */
export const actions = {
  s: 'start',
  S: 'stop',
  r: 'restart',
  l: 'logs',
  e: 'a shell in it',
  p: 'plan: what up would do',
  u: 'up',
  D: 'down',
  t: 'stats',
  x: 'explain',
} as const

function acted(state: State, text: string): Step {
  if (!Object.hasOwn(actions, text)) return { state }
  const row = chosenRow(state)
  if (!row) return { state: { ...state, message: 'There is no stack here' } }
  const { service } = row
  const named = service ? [service.name] : []
  const show = (words: readonly string[], waits: boolean): Step => ({
    state,
    effect: { kind: 'show', words, row, waits },
  })
  const say = (message: string): Step => ({ state: { ...state, message } })
  switch (text as keyof typeof actions) {
    case 's':
      return { state, effect: { kind: 'turn', verb: 'start', row } }
    case 'S':
      return asked(state, `Stop ${named[0] ?? `all of ${row.stack.name}`}?`, { kind: 'turn', verb: 'stop', row })
    case 'r':
      return { state, effect: { kind: 'turn', verb: 'restart', row } }
    case 'l':
      return show(['logs', '--follow', '--tail', '200', ...named], false)
    case 't':
      return show(['stats', ...named], false)
    case 'e':
      if (!service) return say('A shell needs a service: choose one below the stack')
      if (!row.replicas.some(({ condition }) => alive.has(condition))) return say(`${service.name} does not run`)
      return show(['exec', service.name, 'sh'], false)
    case 'x':
      return service
        ? show(['explain', service.name], true)
        : say('Explain needs a service: choose one below the stack')
    case 'p':
      return show(['plan', ...named], true)
    case 'u':
      return show(['up', '--detach', ...named], true)
    case 'D':
      return asked(state, `Take ${row.stack.name} down? Its volumes stay`, {
        kind: 'show',
        words: ['down'],
        row,
        waits: true,
      })
    default:
      return { state }
  }
}

const alive: ReadonlySet<Condition> = new Set(['running', 'starting', 'unhealthy'])

function asked(state: State, text: string, effect: Effect): Step {
  return { state: { ...state, mode: 'ask', question: { text, effect } } }
}

/** The words by which a command finds the stack of a row: its name and, where its containers tell them, its files. */
export function stackWords({ stack: { name, directory, files } }: Row): readonly string[] {
  const place = directory === undefined ? [] : ['--project-directory', directory]
  return ['--project-name', name, ...place, ...files.flatMap(file => ['--file', file])]
}
