/** `RUN --mount=type=cache,target=/root/.cache`: its fields, as they are written and once variables are filled in. */
import { parseBytes } from '../../lib/units.ts'
import { invalid } from './source-failure.ts'
import { didYouMean } from './suggest.ts'
import { goQuote } from './text.ts'

export const mountTypes = ['bind', 'cache', 'tmpfs', 'secret', 'ssh'] as const
export const sharingModes = ['shared', 'private', 'locked'] as const

export interface Mount {
  readonly type: (typeof mountTypes)[number]
  readonly from: string
  readonly source: string
  readonly target: string
  readonly readonly: boolean
  /** Bytes; 0 for none. */
  readonly size: number
  readonly id: string
  readonly sharing: (typeof sharingModes)[number] | undefined
  readonly required: boolean
  readonly env: string | undefined
  readonly mode: number | undefined
  readonly uid: number | undefined
  readonly gid: number | undefined
}

type Draft = { -readonly [K in keyof Mount]: Mount[K] }

/**
 * Without `expand` only what no variable can change is looked at; the rest is said when it runs.
 * @throws Failure `invalid` in BuildKit's words.
 */
export function parseMount(text: string, expand: ((word: string) => string) | undefined): Mount {
  const mount: Draft = {
    type: 'bind',
    from: '',
    source: '',
    target: '',
    readonly: false,
    size: 0,
    id: '',
    sharing: undefined,
    required: false,
    env: undefined,
    mode: undefined,
    uid: undefined,
    gid: undefined,
  }
  let asked = false
  for (const field of csvFields(text)) {
    const equals = field.indexOf('=')
    const key = (equals < 0 ? field : field.slice(0, equals)).toLowerCase()
    const written = equals < 0 ? undefined : field.slice(equals + 1)
    if (!expand) {
      if (key === 'from' && written !== undefined && /\$./su.test(written)) {
        throw invalid(`'from' doesn't support variable expansion, define alias stage instead`)
      }
      continue
    }
    if (/^(?:readonly|ro|readwrite|rw)$/.test(key)) asked = true
    if (written === undefined) setFlag(mount, key)
    else setField(mount, key, expand(written), field)
  }
  if (!expand) return mount
  if (!asked) mount.readonly = mount.type !== 'cache' && mount.type !== 'tmpfs'
  check(mount)
  return mount
}

/** Its `from=` alone, "" without one; whatever else may be wrong with it is said when it is used. */
export function mountSource(text: string): string {
  const froms = csvFields(text).filter(field => /^from=/i.test(field))
  return froms.at(-1)?.slice('from='.length) ?? ''
}

function setFlag(mount: Draft, key: string): void {
  if (key === 'readonly' || key === 'ro') mount.readonly = true
  else if (key === 'readwrite' || key === 'rw') mount.readonly = false
  else if (key === 'required') mount.required = onlyFor(mount, key, ['secret', 'ssh'], () => true)
  else throw invalid(`invalid field '${key}' must be a key=value pair`)
}

function setField(mount: Draft, key: string, value: string, field: string): void {
  const set = Object.hasOwn(fields, key) ? fields[key] : undefined
  if (!set) {
    throw invalid(`unexpected key '${key}' in '${field}'${didYouMean(key, Object.keys(fields))}`)
  }
  set(mount, value, key)
}

const fields: Readonly<Record<string, (mount: Draft, value: string, key: string) => void>> = {
  type: (mount, value) => {
    mount.type = word(value, mountTypes, 'unsupported mount type')
  },
  from: (mount, value) => {
    mount.from = value
  },
  source: setSource,
  target: setTarget,
  readonly: setReadonly,
  id: (mount, value) => {
    mount.id = value
  },
  sharing: (mount, value) => {
    mount.sharing = word(value, sharingModes, 'unsupported sharing value')
  },
  required: (mount, value, key) => {
    mount.required = onlyFor(mount, key, ['secret', 'ssh'], () => truth(value, key))
  },
  size: (mount, value, key) => {
    mount.size = onlyFor(mount, key, ['tmpfs'], () => {
      const size = parseBytes(value)
      if (size === undefined) throw invalid(`invalid value for ${key}: ${value}`)
      return size
    })
  },
  mode: (mount, value) => {
    if (!/^[0-7]+$/.test(value) || Number.parseInt(value, 8) >= 2 ** 32)
      throw invalid(`invalid value ${value} for mode`)
    mount.mode = Number.parseInt(value, 8)
  },
  uid: (mount, value, key) => {
    mount.uid = number(value, key)
  },
  gid: (mount, value, key) => {
    mount.gid = number(value, key)
  },
  src: setSource,
  dst: setTarget,
  destination: setTarget,
  ro: setReadonly,
  rw: setReadwrite,
  readwrite: setReadwrite,
  env: (mount, value) => {
    mount.env = value
  },
}

function setSource(mount: Draft, value: string): void {
  mount.source = value
}

function setTarget(mount: Draft, value: string): void {
  mount.target = value
}

function setReadonly(mount: Draft, value: string, key: string): void {
  mount.readonly = truth(value, key)
}

function setReadwrite(mount: Draft, value: string, key: string): void {
  mount.readonly = !truth(value, key)
}

/** strconv.ParseBool. */
function truth(value: string, key: string): boolean {
  if (/^(?:1|t|T|TRUE|true|True)$/.test(value)) return true
  if (/^(?:0|f|F|FALSE|false|False)$/.test(value)) return false
  throw invalid(`invalid value for ${key}: ${value}`)
}

function number(value: string, key: string): number {
  if (!/^\d+$/.test(value) || Number(value) >= 2 ** 32) throw invalid(`invalid value ${value} for ${key}`)
  return Number(value)
}

function word<T extends string>(value: string, known: readonly T[], message: string): T {
  const found = known.find(each => each === value.toLowerCase())
  if (found === undefined) throw invalid(`${message} ${goQuote(value)}${didYouMean(value, known)}`)
  return found
}

function onlyFor<T>({ type }: Mount, key: string, types: readonly Mount['type'][], value: () => T): T {
  if (!types.includes(type)) throw invalid(`unexpected key '${key}' for mount type '${type}'`)
  return value()
}

function check(mount: Mount): void {
  if (mount.type === 'bind' || mount.type === 'tmpfs') {
    for (const key of ['mode', 'uid', 'gid'] as const) {
      if (mount[key] !== undefined) throw invalid(`${key} not allowed for ${goQuote(mount.type)} type mounts`)
    }
  }
  if (mount.type === 'secret') {
    if (mount.from !== '') throw invalid('secret mount should not have a from')
    if (mount.sharing !== undefined) throw invalid('secret mount should not define sharing')
    if (mount.source === '' && mount.target === '' && mount.id === '') {
      throw invalid('invalid secret mount. one of source, target required')
    }
    if (mount.source !== '' && mount.id !== '') throw invalid("both source and id can't be set")
  }
  if (mount.sharing !== undefined && mount.type !== 'cache') {
    throw invalid(`invalid cache sharing set for ${mount.type} mount`)
  }
}

/** One record of CSV: a field in double quotes may hold commas, and quotes when they are doubled. */
function csvFields(text: string): readonly string[] {
  const fail = (what: string) => invalid(`failed to parse csv mounts: ${what}`)
  if (text === '') throw fail('EOF')
  const found: string[] = []
  for (let rest = text; ; ) {
    const [all, quoted, plain] = /^(?:"((?:[^"]|"")*)"|([^",]*))(?=,|$)/.exec(rest) ?? []
    if (all === undefined) {
      const column = text.length - rest.length + 1
      throw fail(
        rest.startsWith('"')
          ? `parse error on line 1, column ${column}: extraneous or missing " in quoted-field`
          : `parse error on line 1, column ${column + rest.indexOf('"')}: bare " in non-quoted-field`,
      )
    }
    found.push(quoted === undefined ? plain! : quoted.replaceAll('""', '"'))
    if (all.length === rest.length) return found
    rest = rest.slice(all.length + 1)
  }
}
