/** compose.lock beside the stack file: which digest each image's tag meant when it was locked. Meant to be committed. */
import { readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { errnoOf, Failure } from '../lib/failure.ts'
import type { Project } from '../model/project.ts'
import type { Service } from '../model/service.ts'
import type { LoadedStack } from '../stack/load.ts'

export const lockName = 'compose.lock'

/** Images as the stack names them → "sha256:…". */
export type Locked = ReadonlyMap<string, string>

export function lockPath({ files, directory }: Project): string {
  const first = files.find(file => file !== '-')
  return join(first === undefined ? directory : dirname(first), lockName)
}

/** Undefined when there is none. @throws Failure `invalid` naming the file. */
export async function readLock(path: string): Promise<Locked | undefined> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return undefined
    throw new Failure('invalid', `Cannot read "${path}": ${errnoOf(cause) ?? 'it failed'}`, { cause })
  }
  const bad = (why: string, cause?: unknown) =>
    new Failure('invalid', `Cannot use "${path}": ${why}`, { cause, hint: 'Make it again: tscompose lock' })
  let data: unknown
  try {
    data = JSON.parse(text)
  } catch (cause) {
    throw bad('it is not JSON', cause)
  }
  const { version, images } = (data ?? {}) as { readonly version?: unknown; readonly images?: unknown }
  if (version !== 1) throw bad(`its version is ${JSON.stringify(version) ?? 'missing'}, 1 is known`)
  if (typeof images !== 'object' || images === null) throw bad('it has no images')
  const entries = Object.entries(images as Record<string, unknown>)
  for (const [image, digest] of entries)
    if (typeof digest !== 'string' || !/^sha256:[0-9a-f]{64}$/.test(digest))
      throw bad(`the digest of "${image}" is none`)
  return new Map(entries as [string, string][])
}

/** Sorted, so that the same images make the same file. */
export async function writeLock(path: string, locked: Locked): Promise<void> {
  const images = Object.fromEntries([...locked].sort(([a], [b]) => (a < b ? -1 : 1)))
  await writeFile(path, `${JSON.stringify({ version: 1, images }, null, 2)}\n`)
}

/**
 * What can be locked of a service: its image and those of its pre_start containers, which come from a registry, are not built by the stack and not
 * pinned by it.
 */
export function lockable({ services }: Pick<Project, 'services'>, service: Service): readonly string[] {
  const { image, build, preStart } = service
  const built = Object.values(services).flatMap(each => (each.build && each.image !== undefined ? [each.image] : []))
  const named = [build ? undefined : image, ...preStart.map(hook => hook.image)]
  return [...new Set(named)]
    .filter(each => each !== undefined)
    .filter(each => !each.includes('@') && !built.includes(each))
}

/** The stack with the digests of its lock, where there is one; `missing` are images that it does not know. */
export async function withLock(
  loaded: LoadedStack,
): Promise<{ readonly loaded: LoadedStack; readonly missing: readonly string[] }> {
  const { project } = loaded
  const locked = await readLock(lockPath(project))
  if (locked === undefined) return { loaded, missing: [] }
  const missing = new Set<string>()
  const names = new Set<string>()
  const services = Object.create(null) as Record<string, Service>
  for (const [name, service] of Object.entries(project.services)) {
    const images = lockable(project, service)
    for (const image of images) if (!locked.has(image)) missing.add(image)
    if (images.some(image => locked.has(image))) names.add(name)
    const pin = <T extends string | undefined>(image: T): T | string =>
      image !== undefined && images.includes(image) && locked.has(image) ? `${image}@${locked.get(image)}` : image
    const preStart = service.preStart.map(hook =>
      hook.image === undefined ? hook : { ...hook, image: pin(hook.image) },
    )
    services[name] = {
      ...service,
      preStart,
      ...(service.image !== undefined && !service.build && { image: pin(service.image) }),
    }
  }
  return { loaded: { ...loaded, project: { ...project, services, locked: names } }, missing: [...missing].sort() }
}
