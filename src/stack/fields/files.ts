/** configs and secrets, at the top and in services. */
import { list } from '../../lib/text.ts'
import { bool, type Context, choice, int, type ListShape, listOf, object, type Shape, text } from '../grammar.ts'
import { get, mapOf, type Node, placeOf, textAt } from '../tree.ts'
import { keyValues, refuse, textMap, textOf } from './forms.ts'
import { external, withExternal } from './resources.ts'
import { between, id } from './values.ts'

const reference = object({
  source: text('Its name at the top of the file.'),
  target: text('Path in the container.'),
  uid: text('Owner.', { judge: id }),
  gid: text('Group.', { judge: id }),
  mode: int('Permission bits, in octal.', {
    loose: true,
    whole: true,
    octal: true,
    quoted: true,
    keep: true,
    judge: between(0, 0o7777),
  }),
})

/** References of a service; `root` is where those without target go. */
export function fileReferences(doc: string, root: string): Shape {
  return { ...buildSecrets(doc), key: item => targetOf(item, root) }
}

/** References of a build: nothing makes two of them the same. */
export function buildSecrets(doc: string): ListShape {
  return listOf(choice([text(), reference], undefined, { canonical: expand, long: reference }), doc, {
    examples: [['server_key']],
  })
}

function targetOf(item: Node, root: string): string {
  return item.kind === 'scalar'
    ? `${root}/${textOf(item)}`
    : (textAt(item, 'target') ?? `${root}/${textAt(item, 'source')}`)
}

function expand(node: Node): Node {
  return node.kind === 'scalar'
    ? mapOf({ source: node }, { source: node.source, offset: node.offset, keyOffset: -1 })
    : node
}

const common = {
  name: text('The name the engine knows it by.'),
  file: text('The file that holds it.', { path: 'file' }),
  environment: text('The variable that holds it.'),
  external: bool('It exists already.'),
  labels: keyValues('Labels.', { unique: true }),
  template_driver: text('For swarm.'),
}

export const secret: Shape = withExternal(
  object(
    { ...common, driver: text('For swarm.'), driver_opts: textMap('Options of the driver.') },
    'A secret.',
    external({ finish: (node, context) => mustBeSet(oneSource(node, context, ['file', 'environment']), context) }),
  ),
  { open: true },
)

export const config: Shape = withExternal(
  object(
    { ...common, content: text('The text itself.') },
    'A config.',
    external({ finish: (node, context) => oneSource(node, context, ['file', 'environment', 'content']) }),
  ),
  { open: true },
)

/** Exactly one source, unless something is said of `external`, or there is a driver. */
function oneSource(node: Node, context: Context, sources: readonly string[]): Node {
  if (node.kind !== 'map') return node
  const given = sources.filter(source => node.entries.has(source))
  if (given.length > 1) {
    const message = `Cannot take it from ${list(given.map(key => `"${key}"`))} at once: only one of them can stand here`
    const second = given[1]!
    context.problems.add({
      severity: 'error',
      code: 'conflicting-keys',
      place: placeOf(get(node, second), 'key'),
      path: [...context.path, second],
      message,
    })
  } else if (given.length === 0 && !node.entries.has('driver') && !node.entries.has('external'))
    refuseSource(node, context, sources)
  return node
}

/** A secret by a driver alone is for swarm. */
function mustBeSet(node: Node, context: Context): Node {
  const isExternal = get(node, 'external')
  if (isExternal?.kind === 'scalar' && isExternal.value === true) return node
  const known = get(node, 'driver') ?? get(node, 'environment') ?? isExternal
  if (known && !textAt(node, 'file') && !textAt(node, 'environment'))
    refuseSource(node, context, ['file', 'environment'])
  return node
}

function refuseSource(node: Node, context: Context, sources: readonly string[]): void {
  const message = `Cannot tell where it comes from: one of ${sources.map(key => `"${key}"`).join(', ')} must be set`
  refuse(context, node, { code: 'missing-key', message })
}
