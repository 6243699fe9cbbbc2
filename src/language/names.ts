/** Names that a stack gives, where they stand in its text, and which places of a stack refer to them. */

export const sections = ['services', 'networks', 'volumes', 'configs', 'secrets'] as const
export type Section = (typeof sections)[number]

export interface Spot {
  /** From 0. */
  readonly line: number
  readonly column: number
}

/** Of every section, name → where it is given. By columns alone: the text need not be whole. */
export function namesIn(lines: readonly string[]): ReadonlyMap<Section, ReadonlyMap<string, Spot>> {
  const found = new Map<Section, Map<string, Spot>>(sections.map(section => [section, new Map()]))
  let section: Section | undefined
  let column: number | undefined
  for (const [line, text] of lines.entries()) {
    const match = /^(\s*)(?:"([^"]+)"|'([^']+)'|([\w.$-]+))\s*:(?:\s|$)/.exec(text)
    if (!match) {
      if (/^[^\s#]/.test(text)) section = undefined
      continue
    }
    const name = match[2] ?? match[3] ?? match[4]!
    const indent = match[1]!.length
    if (indent === 0) {
      section = sections.find(each => each === name)
      column = undefined
    } else if (section && (column ??= indent) === indent) found.get(section)!.set(name, { line, column: indent })
  }
  return found
}

export function anchorIn(lines: readonly string[], name: string): Spot | undefined {
  for (const [line, text] of lines.entries()) {
    const column = anchorColumn(text, name)
    if (column !== undefined) return { line, column }
  }
  return undefined
}

function anchorColumn(text: string, name: string): number | undefined {
  for (const match of text.matchAll(/(?<=^|\s)&([^\s,[\]{}]+)/g)) if (match[1] === name) return match.index
  return undefined
}

export function anchorsIn(lines: readonly string[]): readonly string[] {
  return lines.flatMap(text => [...text.matchAll(/(?<=^|\s)&([^\s,[\]{}]+)/g)].map(match => match[1]!))
}

interface Reference {
  /** "*" stands for a name. */
  readonly path: string
  readonly section: Section
  /** What stands before the name in a text, "service:" of a mode. */
  readonly before?: string
  /** The name ends there: "data:/var/lib". */
  readonly until?: string
  /** Only keys of a mapping are names. */
  readonly keys?: true
}

const references: readonly Reference[] = [
  { path: 'services.*.depends_on.-', section: 'services' },
  { path: 'services.*.depends_on', section: 'services', keys: true },
  { path: 'services.*.extends', section: 'services' },
  { path: 'services.*.extends.service', section: 'services' },
  { path: 'services.*.links.-', section: 'services', until: ':' },
  { path: 'services.*.volumes_from.-', section: 'services', until: ':' },
  ...['network_mode', 'pid', 'ipc', 'userns_mode'].map(
    mode => ({ path: `services.*.${mode}`, section: 'services', before: 'service:' }) as const,
  ),
  { path: 'services.*.networks.-', section: 'networks' },
  { path: 'services.*.networks', section: 'networks', keys: true },
  { path: 'services.*.volumes.-', section: 'volumes', until: ':' },
  { path: 'services.*.volumes.-.source', section: 'volumes' },
  { path: 'services.*.configs.-', section: 'configs' },
  { path: 'services.*.configs.-.source', section: 'configs' },
  { path: 'services.*.secrets.-', section: 'secrets' },
  { path: 'services.*.secrets.-.source', section: 'secrets' },
  { path: 'services.*.build.secrets.-', section: 'secrets' },
]

/** What a text at `path` refers to; `asKey`: it is a key below `path`. */
export function referenceAt(path: readonly string[], asKey: boolean): Reference | undefined {
  return references.find(({ path: pattern, keys = false }) => keys === asKey && matches(pattern, path))
}

/** The name in a text that refers to it; undefined when it is none, as a path is no volume. */
export function nameIn({ before = '', until }: Reference, text: string): string | undefined {
  if (!text.startsWith(before)) return undefined
  const rest = text.slice(before.length)
  const name = until === undefined ? rest : rest.split(until)[0]!
  return /^[./~$]/.test(name) || name === '' ? undefined : name
}

export function matches(pattern: string, path: readonly string[]): boolean {
  const parts = pattern.split('.')
  return parts.length === path.length && parts.every((part, i) => part === '*' || part === path[i])
}

/** Places whose text names a file, relative to the folder of the stack file. */
const filePaths = [
  'include.-',
  'include.-.path',
  'include.-.path.-',
  'include.-.env_file',
  'include.-.env_file.-',
  'services.*.extends.file',
  'services.*.env_file',
  'services.*.env_file.-',
  'services.*.env_file.-.path',
  'services.*.label_file',
  'services.*.label_file.-',
  'services.*.build',
  'services.*.build.context',
  'configs.*.file',
  'secrets.*.file',
]

export function namesFile(path: readonly string[]): boolean {
  return filePaths.some(pattern => matches(pattern, path))
}
