/** The steps that make a mount, of which there are several, as one sentence: what it is, where it stands, with which flags. */
import { formatBytes } from '../../lib/units.ts'
import { alone, type Part, type ProgramStep, textOf } from './steps.ts'

interface Mount {
  readonly steps: number[]
  /** A type of the kernel, or "bind". */
  readonly type: string
  /** Of a bind. */
  readonly source: string
  readonly options: string[]
  attributes: string
  layers: number
  /** Something is written above the layers. */
  changes: boolean
  mapped: boolean
}

export interface Told {
  readonly part: Part
  readonly steps: readonly number[]
}

/** The steps that this is about. */
export const mountSteps: ReadonlySet<string> = new Set([
  'tree',
  'tree-of',
  'tree-beneath',
  'fs-open',
  'fs-set',
  'fs-flag',
  'fs-mount',
  'fs-mount-as',
  'mount-overlay',
  'attributes',
  'map-ids',
  'attach-root',
  'place',
])

/** Remembers what lies in which slot, until it is placed. */
export class Mounts {
  /** Being made: it has no slot yet. */
  #current: Mount = mount('', '')
  readonly #slots = new Map<string, Mount>()

  /** What is told once the step is done; undefined while it is one on the way. */
  take(step: ProgramStep, number: number): Told | undefined {
    const slot = textOf(step, 'slot')
    const path = textOf(step, 'path')
    switch (step.name) {
      case 'fs-open':
        this.#current = mount(textOf(step, 'type'), '')
        break
      case 'fs-set':
      case 'fs-flag':
        // beneath the image lies what is mounted over
        if (textOf(step, 'key') !== 'lowerdir+' || step.cause !== 'default')
          setOption(this.#current, textOf(step, 'key'), textOf(step, 'value'))
        break
      case 'fs-mount':
      case 'fs-mount-as':
        this.#current.attributes = textOf(step, 'attributes')
        this.#slots.set(slot, this.#current)
        break
      case 'tree':
      case 'tree-of':
      case 'tree-beneath':
        this.#slots.set(slot, mount('bind', path))
        break
      case 'mount-overlay': {
        const made = mount('overlay', '')
        setOption(made, 'lowerdir', textOf(step, 'data'))
        this.#slots.set(slot, made)
        break
      }
      default:
    }
    const of = step.name.startsWith('fs-') ? this.#current : (this.#slots.get(slot) ?? mount('bind', ''))
    of.steps.push(number)
    if (step.name === 'map-ids') of.mapped = true
    if (step.name === 'attributes') {
      // of the root when all stands in it
      if (slot === '0' && this.#current.type !== 'overlay') return told(attributeOfRoot(textOf(step, 'set')), [number])
      of.attributes = joined(of.attributes, textOf(step, 'set'))
    }
    if (step.name === 'attach-root') return told(rootPart(of), of.steps.splice(0))
    if (step.name === 'mount-overlay' && slot === '0') return told(rootPart(of), of.steps.splice(0))
    if (step.name === 'place') return told(placePart(of, path), of.steps.splice(0))
    return undefined
  }
}

function told(part: Part, steps: readonly number[]): Told {
  return { part, steps }
}

function mount(type: string, source: string): Mount {
  return { steps: [], type, source, options: [], attributes: '0', layers: 0, changes: false, mapped: false }
}

function setOption(of: Mount, key: string, value: string): void {
  if (key === 'lowerdir+') of.layers++
  else if (key === 'lowerdir') of.layers = value.split(':').length
  else if (key === 'upperdir') of.changes = true
  else if (key !== 'source' && key !== 'workdir') of.options.push(optionText(key, value))
}

function optionText(key: string, value: string): string {
  if (value === '') return key
  return key === 'size' && /^\d+$/.test(value) ? `at most ${formatBytes(Number(value))}` : `${key} ${value}`
}

function joined(a: string, b: string): string {
  const names = new Set([...a.split('|'), ...b.split('|')].filter(name => name !== '0' && name !== ''))
  return [...names].join('|') || '0'
}

function attributeOfRoot(set: string): Part {
  return alone('root', set.includes('MOUNT_ATTR_RDONLY') ? 'The root is read-only' : `The root has ${set}`)
}

function rootPart({ type, source, layers, mapped }: Mount): Part {
  return {
    about: 'root',
    key: 'root',
    item: type === 'overlay' ? `${layers}` : source,
    words: items => {
      const counts = items.map(Number)
      const ids = mapped ? ', with mapped ids' : ''
      if (counts.some(Number.isNaN)) return `The root is a whole copy of the image${ids}`
      const count = Math.max(...counts)
      return `The root is the image, ${count === 1 ? 'one layer' : `${count} layers`}, and what is changed in it is written above it${ids}`
    },
  }
}

/** `read-only`, `nosuid`: as mount(8) writes them. */
function flagsText(attributes: string): string {
  if (attributes === '0') return ''
  const names = attributes
    .split('|')
    .map(name => name.replace('MOUNT_ATTR_', '').toLowerCase())
    .map(name => (name === 'rdonly' ? 'read-only' : name))
  return `, ${names.join(', ')}`
}

const ownTypes = new Set(['proc', 'sysfs', 'devpts', 'mqueue', 'cgroup2'])
const ownFiles = /\/containers\/[0-9a-f]{64}\/(hosts|hostname|resolv\.conf)$/

function placePart(of: Mount, path: string): Part {
  const { type, source, options, attributes } = of
  if (ownTypes.has(type) || (type === 'tmpfs' && path === '/dev'))
    return {
      about: 'mounts',
      key: 'own',
      item: `${path} (${type}${flagsText(attributes)})`,
      words: items => `File systems of the kernel: ${items.join('; ')}`,
    }
  if (path.startsWith('/sys/fs/cgroup'))
    return {
      about: 'mounts',
      key: 'cgroups',
      item: path,
      words: () => `Its own control groups are to be seen in /sys/fs/cgroup${flagsText(attributes)}`,
    }
  if (type === 'tmpfs') {
    const more = options.length === 0 ? '' : ` (${options.join(', ')})`
    return alone('mounts', `${path} is in memory${more}${flagsText(attributes)}`)
  }
  const own = ownFiles.exec(source)
  if (own)
    return {
      about: 'network',
      key: 'names',
      item: path,
      words: items => `Names are looked up by files of its own: ${items.join(', ')}`,
    }
  const volume = /\/volumes\/([^/]+)\/_data(\/.*)?$/.exec(source)
  const ids = of.mapped ? ', with mapped ids' : ''
  const what = volume
    ? `the volume ${volume[1]}${volume[2] ? `, ${volume[2]} in it` : ''}`
    : type === 'overlay'
      ? 'an image'
      : `${source} of the host`
  return alone('mounts', `${path} is ${what}${flagsText(attributes)}${ids}`)
}
