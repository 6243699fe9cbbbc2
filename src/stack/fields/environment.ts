/** environment, env_file, label_file. */
import { bool, choice, listOf, object, type Shape, text } from '../grammar.ts'
import { get, list, map, mapOf, type Node, scalar } from '../tree.ts'
import { keyValues, oneToList } from './forms.ts'
import { variable } from './values.ts'

export const environment: Shape = keyValues(
  'Variables of the container. A key without value takes the one of the shell or .env file.',
  {
    printNull: true,
    judgeEntry: variable,
    examples: [{ LOG_LEVEL: 'debug', TOKEN: null }, ['LOG_LEVEL=debug', 'TOKEN']],
  },
)

const file = object(
  {
    path: text('The file.', { path: 'always' }),
    format: text('`raw`: nothing in it is interpreted.'),
    required: bool('Whether a missing file is an error.', { keep: true }),
  },
  undefined,
  { required: ['path'], extensions: false },
)

export const envFile: Shape = choice(
  [text(), listOf(choice([text(), file]))],
  'Files with variables of the container, later ones winning.',
  {
    examples: ['./web.env', [{ path: './local.env', required: false }]],
    canonical: expand,
    long: listOf(file, 'Files with variables.', { key: writtenPath, hidden: true }),
  },
)

/** Two ways to write one path are two files, as in the reference. */
function writtenPath(item: Node): string | undefined {
  const path = get(item, 'path')
  return path?.kind === 'scalar' ? (path.written ?? String(path.value)) : undefined
}

function expand(node: Node): Node {
  const listed = oneToList(node)
  if (listed.kind !== 'list') return node
  const items = listed.items.map(item => {
    if (item.kind === 'scalar') return mapOf({ path: item, required: true }, item)
    if (item.kind !== 'map' || item.entries.has('required')) return item
    return map(new Map(item.entries).set('required', scalar(true)), item)
  })
  return list(items, node)
}

export const labelFile: Shape = choice([text(), listOf(text())], 'Files with labels of the container.', {
  canonical: oneToList,
  long: listOf(text(undefined, { path: 'always' }), 'Files with labels.', { hidden: true }),
})
