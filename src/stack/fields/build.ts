/** build: a folder, or everything a Dockerfile build can be told. */
import { bool, bytes, type Context, choice, listOf, object, type Shape, text } from '../grammar.ts'
import { isNull, list, mapOf, type Node, type ScalarNode } from '../tree.ts'
import { extraHosts } from './extra-hosts.ts'
import { buildSecrets } from './files.ts'
import { keyOf, keyValues, pairsToMap, refuse, textOf, textOrList, toText } from './forms.ts'
import { ulimits } from './ulimits.ts'

const textOrBool = (doc: string) => text(doc, { also: ['boolean'], canonical: toText })

const long = object(
  {
    context: text('Folder or address of what is built.', { path: 'context' }),
    dockerfile: text('Below the context.'),
    dockerfile_inline: text('The text of the Dockerfile itself.'),
    entitlements: listOf(text(), 'Extra rights of the build.'),
    args: keyValues('Build arguments. A key without value takes the one of the shell or .env file.', {
      printNull: true,
    }),
    provenance: textOrBool('Provenance attestation.'),
    sbom: textOrBool('Bill-of-materials attestation.'),
    ssh: sshKeys(),
    labels: keyValues('Labels of the image.'),
    cache_from: listOf(text(), 'Where to look for cached layers.'),
    cache_to: listOf(text(), 'Where to put cached layers.'),
    no_cache: bool('Build every step anew.'),
    no_cache_filter: textOrList('Stages to build anew.'),
    additional_contexts: keyValues('Further contexts, by name.', {
      finish: needValues,
      values: text(undefined, {
        also: ['number', 'boolean', 'null'],
        canonical: toText,
        nullable: true,
        path: 'additional-context',
      }),
    }),
    pull: bool('Always look for newer base images.'),
    extra_hosts: extraHosts,
    isolation: text('For Windows.'),
    network: text('Network of the build.'),
    target: text('Stage to stop at.'),
    secrets: buildSecrets('Secrets the build may read.'),
    shm_size: bytes('Size of /dev/shm in the build.', { quoted: true, whole: true }),
    tags: listOf(text(), 'Further names of the image.', { key: keyOf }),
    ulimits,
    platforms: listOf(text(), 'Platforms to build for.'),
    privileged: bool('Run the build privileged.'),
  },
  'How the image of the service is built.',
)

export const build: Shape = choice([text(), long], 'How the image of the service is built: a folder, or a mapping.', {
  examples: ['./web', { context: './web', target: 'production' }],
  canonical: node => (node.kind === 'scalar' && node.value !== null ? mapOf({ context: node }, node) : node),
  long,
})

/** A context without an address is none. */
function needValues(node: Node, context: Context): Node {
  if (node.kind === 'map')
    for (const [name, value] of node.entries)
      if (isNull(value))
        refuse(context, value, {
          code: 'missing-value',
          message: `Cannot use context "${name}" without an address: it should be "${name}=path"`,
        })
  return node
}

function sshKeys(): Shape {
  return {
    ...keyValues('SSH agents or keys the build may use: "default", or id and path.', { unique: true }),
    canonical: idsToList,
    long: listOf(text(), 'SSH agents or keys.', { key: keyOf }),
  }
}

/** { default: null, key: path } to ["default", "key=path"]. */
function idsToList(node: Node, context: Context): Node {
  if (node.kind === 'list')
    for (const item of node.items)
      if (item.kind === 'scalar' && textOf(item) !== 'default' && !textOf(item).includes('='))
        refuse(context, item, {
          code: 'bad-value',
          message: `Cannot use SSH key "${textOf(item)}": it should be "default" or "id=path"`,
        })
  const pairs = pairsToMap(node)
  if (pairs.kind !== 'map') return node
  const items: ScalarNode[] = []
  for (const [id, path] of pairs.entries)
    if (path.kind === 'scalar')
      items.push({
        ...path,
        value: path.value === null || path.value === '' ? id : `${id}=${textOf(path)}`,
        text: undefined,
        keyOffset: -1,
      })
  return list(items, node)
}
