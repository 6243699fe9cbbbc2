/** devices, and requests for devices such as GPUs. */
import { type Context, choice, int, listOf, object, oneOf, type Shape, text } from '../grammar.ts'
import { get, isNull, list, map, mapOf, type Node, scalar, textAt } from '../tree.ts'
import { keyValues, refuse, textOf } from './forms.ts'
import { deviceTarget, matching } from './values.ts'

const device = object(
  {
    source: text('Path on the host.'),
    target: text('Path in the container.', { judge: deviceTarget }),
    permissions: text('Of r, w, m.', { judge: matching(/^[rwm]{1,3}$/, 'of r, w and m') }),
  },
  undefined,
  { required: ['source'], finish: needsTarget },
)

export const devices: Shape = listOf(
  choice([text(), device], undefined, { canonical: expand, long: device }),
  'Host devices: "source[:target[:permissions]]", or by the name that a specification gives them, "vendor.com/class=device".',
  {
    key: item =>
      item.kind === 'map'
        ? textAt(item, 'target')
        : item.kind === 'scalar'
          ? (textOf(item).split(':')[1] ?? textOf(item))
          : undefined,
    examples: [['/dev/ttyUSB0:/dev/ttyUSB0:rwm'], ['nvidia.com/gpu=0']],
  },
)

function needsTarget(node: Node, context: Context): Node {
  if (!get(node, 'target'))
    refuse(context, node, { code: 'missing-key', message: 'Cannot leave out "target": it must be set here' })
  return node
}

function expand(node: Node, context: Context): Node {
  if (node.kind !== 'scalar') return node
  const spec = textOf(node)
  const parts = spec.split(':')
  if (parts.length > 3)
    refuse(context, node, {
      code: 'bad-device',
      message: `Cannot use device "${spec}": it has too many colons`,
      hint: 'Write a mapping with source, target and permissions',
    })
  const [source = '', target = '', permissions = 'rwm'] = parts
  return mapOf(
    { source, target: target || source, permissions },
    { source: node.source, offset: node.offset, keyOffset: -1 },
  )
}

const request = {
  capabilities: listOf(text(), 'What it must be able to do: gpu, for example.', { unique: true }),
  driver: text('Who provides it.'),
  count: int('How many; "all" for all.', { finish: countAll }),
  device_ids: listOf(text(), 'These ones.', { unique: true }),
  options: keyValues('Options of the driver.', { unique: true }),
}

function countAll(node: Node): Node {
  return node.kind === 'scalar' && node.value === 'all' ? { ...node, value: -1 } : node
}

function countDefault(node: Node, context: Context): Node {
  if (node.kind !== 'map') return node
  const ids = get(node, 'device_ids')
  if (ids && !isNull(ids) && node.entries.has('count'))
    refuse(context, ids, {
      code: 'conflicting-keys',
      message: 'Cannot ask for both "count" and "device_ids": only one of them can stand here',
    })
  if (ids || node.entries.has('count')) return node
  return map(new Map(node.entries).set('count', scalar(-1)), node)
}

export const deviceRequests: Shape = listOf(
  object(request, undefined, { required: ['capabilities'], finish: countDefault }),
  'Devices that must be there.',
)

export const gpus: Shape = choice(
  [oneOf(['all']), listOf(object(request, undefined, { open: true, finish: countDefault }))],
  'GPUs: "all", or which.',
  {
    canonical: node =>
      node.kind === 'scalar' && node.value === 'all' ? list([mapOf({ count: -1 }, node)], node) : node,
    long: listOf(object(request, undefined, { open: true, finish: countDefault }), 'GPUs.'),
  },
)
