/** Stacks as the objects that a cluster is told of, for the tests beside it. */
import { stringify } from 'yaml'
import { order } from '../../../src/graph/order.ts'
import { serviceGraph } from '../../../src/graph/services.ts'
import type { Project } from '../../../src/model/project.ts'
import { readLocal } from '../../../src/targets/kubernetes/local-files.ts'
import { pathsOf } from '../../../src/targets/kubernetes/objects/files.ts'
import type { SeenFile, Wanted } from '../../../src/targets/kubernetes/objects/given-input.ts'
import { objectsOf } from '../../../src/targets/kubernetes/objects/objects.ts'
import { loadFiles } from '../../stack/stacks.ts'

export interface Made {
  readonly wanted: readonly Wanted[]
  /** "services.web.user Cannot run …". */
  readonly refused: readonly string[]
  readonly notices: readonly string[]
}

export interface Choices {
  readonly scale?: Readonly<Record<string, number>>
  readonly files?: ReadonlyMap<string, SeenFile>
}

export function made(project: Project, { scale = {}, files = readLocal(pathsOf(project)) }: Choices = {}): Made {
  const refused: string[] = []
  const notices: string[] = []
  const wanted = objectsOf({
    project,
    home: { project: project.name, namespace: 'default' },
    services: order(serviceGraph(project)).map(name => project.services[name]!),
    scale,
    images: new Map(Object.values(project.services).flatMap(({ name, image }) => (image ? [[name, image]] : []))),
    files,
    refuse: (path, { message }) => refused.push(`${path.join('.')} ${message}`),
    notice: (path, message) => notices.push(`${path.join('.')} ${message}`),
  })
  return { wanted, refused, notices }
}

/** Of the only services and files that are given, while the files are there. */
export async function madeOf(
  yaml: string,
  choices: Choices & { readonly env?: Readonly<Record<string, string>> } = {},
): Promise<Made> {
  const { project } = await loadFiles({ 'compose.yaml': yaml }, choices.env ? { env: choices.env } : {})
  return made(project, choices)
}

/** The members of the object that a test is about. */
// biome-ignore lint/suspicious/noExplicitAny: tests reach into it freely
export function objectOf({ wanted }: Made, key: string): any {
  const found = wanted.find(({ manifest: { kind, metadata } }) => `${kind} ${metadata.name}` === key)
  if (!found)
    throw new Error(
      `There is no ${key} among ${wanted.map(each => `${each.manifest.kind} ${each.manifest.metadata.name}`).join(', ')}`,
    )
  return JSON.parse(JSON.stringify(found.manifest))
}

export function asYaml(manifests: readonly object[]): string {
  return manifests.map(each => stringify(JSON.parse(JSON.stringify(each)), { lineWidth: 0 })).join('---\n')
}
