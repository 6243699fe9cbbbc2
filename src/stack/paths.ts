/** Relative paths to absolute ones, against the folder their file resolves in. */
import { isAbsolute, join } from 'node:path'
import { longShape, memberShape, optionFor, type Shape } from './grammar.ts'
import { get, type Node, type ScalarNode, textAt } from './tree.ts'

interface PathContext {
  /** Absolute. */
  readonly directory: string
  /** For `~`; undefined leaves it. */
  readonly home: string | undefined
}

/** Rewrites every path of a tree in long form, in place; absolute ones stay as they are. */
export function resolvePaths(node: Node, shape: Shape, context: PathContext): void {
  const long = shape.kind === 'choice' ? optionFor(shape, node) : shape
  if (!long) return
  if (node.kind === 'scalar') {
    if (!long.path || typeof node.value !== 'string') return
    node.written ??= node.value
    node.value = resolveText(node.value, long.path, context)
    return
  }
  if (node.kind === 'list') {
    if (long.kind === 'list' && mayHold(longShape(long.items)))
      for (const item of node.items) resolvePaths(item, longShape(long.items), context)
    return
  }
  if (textAt(node, 'type') === 'bind' && node.entries.has('target')) {
    const source = node.entries.get('source')
    // An empty one is the folder itself, as in the reference.
    if (source?.kind === 'scalar' && typeof source.value === 'string')
      source.value = source.value === '' ? context.directory : resolveText(source.value, 'bind', context)
    return
  }
  const device = localBind(node)
  // An empty one is the folder itself, as in the reference.
  if (device) device.value = device.value === '' ? context.directory : absolute(String(device.value), context)
  if (long.kind !== 'map' && long.kind !== 'object') return
  for (const [key, member] of node.entries) {
    const inner = memberShape(long, key)
    if (inner && mayHold(longShape(inner))) resolvePaths(member, longShape(inner), context)
  }
}

const holds = new WeakMap<Shape, boolean>()

/** Whether a path can stand anywhere in a shape: most of the grammar is passed over. */
function mayHold(shape: Shape): boolean {
  const known = holds.get(shape)
  if (known !== undefined) return known
  holds.set(shape, false)
  let found = shape.path !== undefined
  if (shape.kind === 'list') found ||= mayHold(longShape(shape.items))
  else if (shape.kind === 'map') found ||= mayHold(longShape(shape.values))
  else if (shape.kind === 'choice') found ||= shape.options.some(option => mayHold(longShape(option)))
  else if (shape.kind === 'object')
    found ||=
      ('source' in shape.fields && 'type' in shape.fields) || 'driver_opts' in shape.fields
        ? true
        : Object.values(shape.fields).some(field => mayHold(longShape(field)))
  holds.set(shape, found)
  return found
}

/** The device of a volume that is a bind mount by its driver options. */
function localBind(node: Node): ScalarNode | undefined {
  if (textAt(node, 'driver') !== 'local' || textAt(node, 'driver_opts', 'o') !== 'bind') return undefined
  const device = get(node, 'driver_opts', 'device')
  return device?.kind === 'scalar' && typeof device.value === 'string' ? device : undefined
}

function resolveText(text: string, kind: NonNullable<Shape['path']>, context: PathContext): string {
  if ((kind === 'context' || kind === 'additional-context') && isRemote(text)) return text
  // An empty name is the folder itself, as the reference has it.
  return kind === 'file' && text === '' ? context.directory : absolute(text, context)
}

/** `~` is the home folder; an absolute path is left as it was written, a relative one is cleaned. */
export function absolute(path: string, { directory, home }: PathContext): string {
  if (path === '') return path
  const expanded = path.startsWith('~') && home !== undefined ? join(home, path.slice(1)) : path
  return isAbsolute(expanded) || /^[A-Za-z]:[\\/]/.test(expanded) || expanded.startsWith('\\\\')
    ? expanded
    : trimmed(join(directory, expanded))
}

function trimmed(path: string): string {
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path
}

/** Git and other addresses, and the images and services that an additional context may name. */
function isRemote(context: string): boolean {
  return (
    context.includes('://') ||
    context.startsWith('service:') ||
    context.startsWith('github.com/') ||
    context.startsWith('git@')
  )
}
