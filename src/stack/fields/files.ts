/** configs and secrets, at the top and in services. */
import { bool, type Context, choice, int, listOf, object, type Shape, text } from '../grammar.ts'
import { get, mapOf, type Node, placeOf, textAt } from '../tree.ts'
import { keyValues, refuse, textMap, textOf } from './forms.ts'
import { external, withExternal } from './resources.ts'

const reference = object({
  source: text('Its name at the top of the file.'),
  target: text('Path in the container.'),
  uid: text('Owner.'),
  gid: text('Group.'),
  mode: int('Permission bits, in octal.', { loose: true, octal: true, quoted: true, keep: true }),
})

/** References of a service; `root` is where those without target go. */
export function fileReferences(doc: string, root: string): Shape {
  return listOf(choice([text(), reference], undefined, { canonical: expand, long: reference }), doc, {
    key: item =>
      item.kind === 'scalar'
        ? `${root}/${textOf(item)}`
        : (textAt(item, 'target') ?? `${root}/${textAt(item, 'source')}`),
    examples: [['server_key']],
  })
}

function expand(node: Node): Node {
  return node.kind === 'scalar'
    ? mapOf({ source: node }, { source: node.source, offset: node.offset, keyOffset: -1 })
    : node
}

const common = {
  name: text('The name the engine knows it by.'),
  environment: text('The variable that holds it.'),
  file: text('The file that holds it.', { path: 'always' }),
  external: bool('It exists already.'),
  labels: keyValues('Labels.'),
  template_driver: text('For swarm.'),
}

export const secret: Shape = withExternal(
  object(
    { ...common, driver: text('For swarm.'), driver_opts: textMap('Options of the driver.') },
    'A secret.',
    external({ open: true, finish: one(['file', 'environment']) }),
  ),
)

export const config: Shape = withExternal(
  object(
    { ...common, content: text('The text itself.') },
    'A config.',
    external({ open: true, finish: one(['file', 'environment', 'content']) }),
  ),
)

/** Exactly one source, unless it is external or has a driver. */
function one(sources: readonly string[]) {
  return (node: Node, context: Context): Node => {
    if (node.kind !== 'map') return node
    const given = sources.filter(source => node.entries.has(source))
    const isExternal = get(node, 'external')
    if (given.length > 1) {
      const message = `Cannot take it from ${given.map(key => `"${key}"`).join(' and ')} at once: only one of them can stand here`
      context.problems.add({
        severity: 'error',
        code: 'conflicting-keys',
        place: placeOf(get(node, given[1]!), 'key'),
        path: [...context.path, given[1]!],
        message,
      })
    } else if (
      given.length === 0 &&
      !node.entries.has('driver') &&
      !(isExternal?.kind === 'scalar' && isExternal.value === true)
    )
      refuse(context, node, {
        code: 'missing-key',
        message: `Cannot tell where it comes from: one of ${sources.map(key => `"${key}"`).join(', ')} must be set`,
      })
    return node
  }
}
