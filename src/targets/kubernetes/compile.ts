/** A stack, and a wish of it, as all the objects that are wanted; what cannot be is collected. */
import { hash } from 'node:crypto'
import { order } from '../../graph/order.ts'
import { serviceGraph } from '../../graph/services.ts'
import type { Project } from '../../model/project.ts'
import type { Service } from '../../model/service.ts'
import type { Wish } from '../target.ts'
import { applySetParent, type Home } from './labels.ts'
import { readLocal } from './local-files.ts'
import { keyOf } from './manifest.ts'
import { pathsOf } from './objects/files.ts'
import type { Input, Refusal, Wanted } from './objects/given-input.ts'
import { objectsOf } from './objects/objects.ts'
import type { Asked } from './observed.ts'

/** Files of this machine are read for it. */
export function compile(project: Project, home: Home, wish: Wish): Omit<Asked, 'verdicts'> {
  const refusals: { readonly path: readonly string[]; readonly refusal: Refusal }[] = []
  const notices: { readonly path: readonly string[]; readonly message: string }[] = []
  const graph = serviceGraph(project)
  const chosen = wish.services && graph.closure(wish.services)
  const all = order(graph).map(name => project.services[name]!)
  const files = readLocal(pathsOf(project))
  const input: Input = {
    project,
    home,
    services: all.filter(({ name }) => chosen?.has(name) ?? true),
    scale: wish.scale ?? {},
    images: imagesOf(all),
    files,
    refuse: (path, refusal) => refusals.push({ path, refusal }),
    notice: (path, message) => {
      if (!notices.some(each => each.message === message)) notices.push({ path, message })
    },
  }
  const objects = objectsOf(input)
  const quiet = { ...input, refuse: () => undefined, notice: () => undefined, services: all }
  const rest = chosen === undefined ? objects : objectsOf(quiet)
  const parent: Wanted = { manifest: applySetParent(home), path: [] }
  const belongs = new Set([...rest, ...objects, parent].map(({ manifest }) => keyOf(manifest)))
  return { wanted: [parent, ...objects], belongs, refusals, notices, hashes: hashesOf(files) }
}

function hashesOf(files: Input['files']): ReadonlyMap<string, string> {
  return new Map(
    [...files].flatMap(([path, seen]) =>
      seen.kind === 'none'
        ? []
        : [
            [
              path,
              hash(
                'sha256',
                [...seen.contents].map(([place, bytes]) => `${place} ${hash('sha256', bytes)}`).join('\n'),
              ),
            ],
          ],
    ),
  )
}

function imagesOf(services: readonly Service[]): ReadonlyMap<string, string> {
  return new Map(services.flatMap(({ name, image }) => (image === undefined ? [] : [[name, image]])))
}
