/** A stack, and a wish of it, as all the objects that are wanted; what cannot be is collected. */
import { hash } from 'node:crypto'
import { order } from '../../graph/order.ts'
import { serviceGraph } from '../../graph/services.ts'
import type { Project } from '../../model/project.ts'
import type { Service } from '../../model/service.ts'
import { pinned } from '../built-images.ts'
import type { Wish } from '../target.ts'
import { applySetParent, type Home } from './labels.ts'
import { readLocal } from './local-files.ts'
import { keyOf } from './manifest.ts'
import { pathsOf } from './objects/files.ts'
import type { Input, Refusal, Wanted } from './objects/given-input.ts'
import { objectsOf } from './objects/objects.ts'
import type { Asked } from './observed.ts'

/** Files of this machine are read for it. `digests`: of images that the stack builds, where they are known. */
export function compile(
  project: Project,
  home: Home,
  wish: Wish,
  digests: ReadonlyMap<string, string> = new Map(),
): Omit<Asked, 'verdicts' | 'digests'> {
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
    images: imagesOf(all, digests),
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

function imagesOf(services: readonly Service[], digests: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  return new Map(
    services.flatMap(({ name, image }) => {
      if (image === undefined) return []
      const digest = digests.get(image)
      return [[name, digest === undefined ? image : pinned(image, digest)] as const]
    }),
  )
}
