/** volumes of a service: "data:/var/lib/data", "./src:/app:ro", "/cache" or a mapping. */
import { posix } from 'node:path'
import { bool, bytes, type Context, choice, int, listOf, object, oneOf, type Shape, text } from '../grammar.ts'
import { get, map, mapOf, type Node, textAt } from '../tree.ts'
import { keyValues, refuse, textOf, warn } from './forms.ts'
import { mountTarget, propagations, word } from './values.ts'

const long = object(
  {
    type: oneOf(['bind', 'volume', 'tmpfs', 'cluster', 'npipe', 'image'], 'What is mounted.'),
    source: text('A host path, the name of a volume, or an image.'),
    target: text('Where in the container.', { judge: mountTarget }),
    read_only: bool('Writing to it is refused.'),
    consistency: text('For other platforms; has no effect here.'),
    bind: object({
      selinux: oneOf(['z', 'Z'], 'Relabel: z shared, Z private.'),
      propagation: text('rprivate, private, rshared, shared, rslave or slave.', { judge: word(propagations) }),
      create_host_path: bool('Make a missing host path as a folder.'),
      recursive: oneOf(['enabled', 'disabled', 'writable', 'readonly'], 'What becomes of mounts below it.'),
    }),
    volume: object({
      labels: keyValues('Labels of an anonymous volume.', { unique: true }),
      nocopy: bool('Do not fill an empty volume from the image.'),
      subpath: text('Mount only this folder of the volume.'),
    }),
    tmpfs: object({
      size: bytes('At most so many bytes.', { min: 0, quoted: true, whole: true }),
      mode: int('Permission bits, in octal.', { min: 0, loose: true, numeric: true }),
    }),
    image: object({ subpath: text('Mount only this folder of the image.') }),
  },
  'One mount.',
  { required: ['type'], finish: needsTarget },
)

export const serviceVolumes: Shape = listOf(
  choice([text(undefined), long], undefined, { canonical: expand, long }),
  'Mounts: "source:target[:options]", a target alone for an anonymous volume, or mappings.',
  { key: targetOf, examples: [['data:/var/lib/data', './config:/etc/app:ro']] },
)

function targetOf(item: Node): string | undefined {
  if (item.kind === 'map') return textAt(item, 'target')
  return item.kind === 'scalar' ? parseVolume(textOf(item)).target : undefined
}

interface ParsedVolume {
  readonly source?: string
  readonly target?: string
  readonly options?: readonly string[]
  readonly error?: string
  readonly drive?: boolean
}

/** The parts between colons; a single letter before a colon is a drive, as Compose has it. */
function parseVolume(spec: string): ParsedVolume {
  if (spec === '') return { error: 'it is empty' }
  if (spec.length <= 2) return { target: spec }
  const sections: string[] = []
  let section = ''
  let drive = false
  for (const char of spec) {
    if (char === ':' && /^\p{L}$/u.test(section)) {
      drive = true
      section += char
    } else if (char === ':') {
      sections.push(section)
      section = ''
    } else section += char
  }
  sections.push(section)
  if (sections.includes('')) return { error: 'a section between colons is empty' }
  if (sections.length > 3) return { error: 'it has too many colons' }
  if (sections.length === 1) return { target: sections[0], drive }
  return { source: sections[0], target: sections[1], options: sections[2]?.split(','), drive }
}

function expand(node: Node, context: Context): Node {
  if (node.kind === 'map') return cleanTarget(node)
  if (node.kind !== 'scalar') return node
  const spec = textOf(node)
  const volume = parseVolume(spec)
  if (volume.error !== undefined) {
    refuse(context, node, {
      code: 'bad-volume',
      message: `Cannot use volume "${spec}": ${volume.error}`,
      hint: 'Write "source:target", for example "data:/var/lib/data"',
    })
    return mapOf({ type: 'volume', target: spec }, node)
  }
  if (volume.drive)
    warn(context, node, {
      code: 'drive-letter',
      message: `"${spec}" is read as a path on a drive, so the mount is ${volume.source === undefined ? 'an anonymous volume' : 'a host path'}`,
      hint: 'Give the volume a name of two letters or more',
      blocks: context.path.slice(1, 2),
    })
  const at = { source: node.source, offset: node.offset, keyOffset: -1 }
  if (spec.length <= 2) return mapOf({ type: 'volume', target: volume.target && cleaned(volume.target) }, at)
  const options = volume.options ?? []
  const readOnly =
    options.reduce((is, option) => (option === 'ro' ? true : option === 'rw' ? false : is), false) || undefined
  const propagation = options.findLast(option => propagations.includes(option))
  const selinux = options.findLast(option => option === 'z' || option === 'Z')
  const bind = isPath(volume.source) || propagation !== undefined || selinux !== undefined
  const common = { source: volume.source, target: cleaned(volume.target!), read_only: readOnly }
  if (isPath(volume.source))
    return mapOf(
      {
        type: 'bind',
        ...common,
        bind: mapOf({ propagation, selinux, create_host_path: true }, at),
        volume: options.includes('nocopy') ? mapOf({ nocopy: true }, at) : undefined,
      },
      at,
    )
  return mapOf(
    {
      type: 'volume',
      ...common,
      bind: bind ? mapOf({ propagation, selinux }, at) : undefined,
      volume: mapOf({ nocopy: options.includes('nocopy') || undefined }, at),
    },
    at,
  )
}

function needsTarget(node: Node, context: Context): Node {
  if (!textAt(node, 'target'))
    refuse(context, node, { code: 'missing-key', message: 'Cannot leave out "target": it must be set here' })
  if (textAt(node, 'type') === 'bind' && !get(node, 'source'))
    refuse(context, node, { code: 'missing-key', message: 'Cannot leave out "source" of a bind mount' })
  return node
}

function cleanTarget(node: Node & { kind: 'map' }): Node {
  const target = get(node, 'target')
  if (target?.kind !== 'scalar' || typeof target.value !== 'string' || target.value === '') return node
  const entries = new Map(node.entries)
  entries.set('target', { ...target, value: cleaned(target.value) })
  return { ...map(entries, node), previous: node.previous, origin: node.origin }
}

function cleaned(path: string): string {
  const normal = posix.normalize(path)
  return normal.length > 1 && normal.endsWith('/') ? normal.slice(0, -1) : normal
}

/** Whether a source is a host path rather than the name of a volume. */
function isPath(source: string | undefined): boolean {
  return source !== undefined && (/^[./~]/.test(source) || source.startsWith('\\\\') || /^\p{L}:/u.test(source))
}
