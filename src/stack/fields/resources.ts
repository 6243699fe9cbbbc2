/** networks and volumes at the top of the file, and what is common to all things that may be external. */
import {
  bool,
  type Context,
  choice,
  listOf,
  mapTo,
  nothing,
  type ObjectShape,
  object,
  type Shape,
  text,
} from '../grammar.ts'
import { mergeMaps } from '../merge.ts'
import { get, list, map, type Node, placeOf, scalar, textAt } from '../tree.ts'
import { keyOf, keyValues, namePattern, namesToMap, refuse, textMap, textOf } from './forms.ts'
import { address, address4, address6, engineName, interfaceName, macAddress, subnet } from './values.ts'

const externalForm = (open: boolean): Shape =>
  choice([bool(), object({ name: text('Its name.', { deprecated: true }) }, undefined, { open })])

/** `external: { name: x }` to `name: x` and `external: true`; and what may stand beside it. */
export function external(
  options: { alone?: boolean; finish?: (node: Node, context: Context) => Node } = {},
): Partial<ObjectShape> {
  return {
    canonical: (node, context) => unfold(node, context),
    finish: (node, context) => {
      if (options.alone) refuseBeside(node, context)
      return options.finish ? options.finish(node, context) : node
    },
  }
}

function unfold(node: Node, context: Context): Node {
  const value = get(node, 'external')
  if (node.kind !== 'map' || value?.kind !== 'map') return node
  const entries = new Map(node.entries)
  const name = get(value, 'name')
  entries.set('external', { ...scalar(true, value), keyOffset: value.keyOffset })
  if (name) {
    const own = textAt(node, 'name')
    if (own !== undefined && own !== textAt(value, 'name'))
      refuse(context, name, {
        code: 'conflicting-keys',
        message: 'Cannot set both "name" and "external.name": only "name" should be used',
      })
    entries.set('name', name)
  }
  return { ...map(entries, node), previous: node.previous, origin: node.origin }
}

function refuseBeside(node: Node, context: Context): void {
  if (node.kind !== 'map') return
  const is = get(node, 'external')
  if (is?.kind !== 'scalar' || is.value !== true) return
  for (const [key, member] of node.entries) {
    if (key === 'name' || key === 'external' || key.startsWith('x-')) continue
    context.problems.add({
      severity: 'error',
      code: 'conflicting-keys',
      place: placeOf(member, 'key'),
      path: [...context.path, key],
      message: `Cannot set "${key}" of something external: it is not made from this file`,
    })
  }
}

/** The surface of an object whose `external` may be a mapping; the long form has a boolean there. */
export function withExternal(shape: ObjectShape, { open = false } = {}): Shape {
  return { ...shape, fields: { ...shape.fields, external: externalForm(open) }, long: shape }
}

/** An empty value where all of a mapping may be left out. */
export function orNull(shape: Shape): Shape {
  return choice([nothing, shape], shape.doc)
}

const pool = object(
  {
    subnet: text('In CIDR form.', { judge: subnet }),
    gateway: text('Address of the gateway.', { judge: address }),
    ip_range: text('Part of it to take addresses from.', { judge: subnet }),
    aux_addresses: mapTo(text(undefined, { judge: address }), 'Addresses to leave alone.', { names: /./ }),
  },
  undefined,
  { extensions: 'unprinted' },
)

export const network: Shape = orNull(
  withExternal(
    object(
      {
        name: text('The name the engine knows it by.', { judge: engineName }),
        driver: text('bridge, host, …'),
        driver_opts: textMap('Options of the driver.'),
        ipam: object(
          {
            driver: text('default'),
            config: listOf(pool, 'Address pools.', { merge: mergePools }),
            options: mapTo(text(), 'Options.', { names: /./, hidden: true }),
          },
          'Addresses.',
        ),
        external: bool('It exists already.'),
        internal: bool('No way out of it.'),
        attachable: bool('For swarm.'),
        labels: keyValues('Labels.'),
        enable_ipv4: bool('IPv4 on it.', { keep: true }),
        enable_ipv6: bool('IPv6 on it.', { keep: true }),
      },
      'A network.',
      external(),
    ),
  ),
)

export const volume: Shape = orNull(
  withExternal(
    object(
      {
        name: text('The name the engine knows it by.', { judge: engineName }),
        driver: text('local, …'),
        driver_opts: textMap('Options of the driver.'),
        external: bool('It exists already.'),
        labels: keyValues('Labels.', { unique: true }),
      },
      'A volume.',
      external({ alone: true }),
    ),
  ),
)

/** Pools merge by subnet. */
function mergePools(base: Node, over: Node): Node {
  if (base.kind !== 'list' || over.kind !== 'list') return over
  const merged: Node[] = []
  const bySubnet = (node: Node) => merged.findIndex(other => textAt(other, 'subnet') === textAt(node, 'subnet'))
  for (const original of base.items)
    for (const changed of over.items) {
      if (textAt(original, 'subnet') !== textAt(changed, 'subnet')) {
        if (bySubnet(changed) < 0) {
          merged.push(changed)
          continue
        }
      }
      if (original.kind !== 'map' || changed.kind !== 'map') continue
      const both = mergeMaps(original, changed, pool)
      const index = bySubnet(both)
      if (index >= 0) merged[index] = both
      else merged.push(both)
    }
  return list(merged, over)
}

const attachment = object({
  aliases: listOf(text(), 'Further names on this network.', {
    key: node => (node.kind === 'scalar' ? textOf(node) : undefined),
  }),
  driver_opts: textMap('Options of the driver.'),
  gw_priority: { kind: 'int', strict: true, loose: true, doc: 'The highest has the default route.' },
  interface_name: text('Name of the interface in the container.', { judge: interfaceName }),
  ipv4_address: text('A fixed address.', { judge: address4 }),
  ipv6_address: text('A fixed address.', { judge: address6 }),
  link_local_ips: listOf(text(undefined, { judge: address }), 'Link-local addresses.', {
    key: keyOf,
  }),
  mac_address: text('MAC address.', { judge: macAddress }),
  priority: { kind: 'int', strict: true, loose: true, doc: 'Networks are connected from highest to lowest.' },
})

export const serviceNetworks: Shape = choice(
  [
    listOf(text(), undefined, { unique: true }),
    mapTo(choice([nothing, attachment]), undefined, { names: namePattern }),
  ],
  'Networks of the service: names, or each with aliases and addresses.',
  {
    examples: [['front', 'back'], { back: { aliases: ['database'] } }],
    canonical: namesToMap,
    long: mapTo(choice([nothing, attachment]), 'Networks.', { names: namePattern, printNull: true }),
  },
)
