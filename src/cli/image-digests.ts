/** Images by what their tags mean at their registries now, for `config --resolve-image-digests` and `--lock-image-digests`. */
import { endpoints } from '../api/endpoints.ts'
import { registryAuth } from '../client/registry-auth.ts'
import { Failure } from '../lib/failure.ts'
import type { Project } from '../model/project.ts'
import type { LoadedStack } from '../stack/load.ts'
import type { MapNode } from '../stack/tree.ts'
import type { Call } from './command.ts'

/** Service → image with its digest, asked of the engine, which asks the registry; services that are built are left out. */
export async function digestsOf(call: Call, project: Project): Promise<ReadonlyMap<string, string>> {
  const services = Object.values(project.services).filter(service => service.image !== undefined)
  const digests = await digestsOfImages(
    call,
    services.map(({ image }) => image!),
  )
  return new Map(services.map(({ name, image }) => [name, digests.get(image!)!]))
}

/** Image → the same with its digest, asked of the engine, which asks the registry. */
export async function digestsOfImages(call: Call, images: readonly string[]): Promise<ReadonlyMap<string, string>> {
  if (images.length === 0) return new Map()
  const client = await call.connect()
  const asked = new Map<string, Promise<string>>()
  const ask = async (image: string): Promise<string> => {
    if (image.includes('@')) return image
    const header = await registryAuth(image, call.env)
    const { Descriptor: found } = await client.call(
      endpoints.distributionInspect,
      { params: { name: image }, headers: { registryAuth: header } },
      { signal: call.signal },
    )
    const digest = (found as { digest?: unknown } | null)?.digest
    if (typeof digest !== 'string') throw new Failure('internal', `Cannot pin "${image}": the engine told no digest`)
    return `${image}@${digest}`
  }
  for (const image of images) if (!asked.has(image)) asked.set(image, ask(image))
  return new Map(await Promise.all([...asked].map(async ([image, digest]) => [image, await digest] as const)))
}

/** The stack with its images pinned. */
export async function pinned(call: Call, loaded: LoadedStack): Promise<LoadedStack> {
  const digests = await digestsOf(call, loaded.project)
  const services = loaded.tree.entries.get('services')
  if (services?.kind !== 'map') return loaded
  const entries = new Map(
    [...services.entries].map(([name, service]) => {
      const digest = digests.get(name)
      return [name, service.kind === 'map' && digest !== undefined ? withImage(service, digest) : service] as const
    }),
  )
  const tree: MapNode = {
    ...loaded.tree,
    entries: new Map(loaded.tree.entries).set('services', { ...services, entries }),
  }
  return { ...loaded, tree }
}

function withImage(service: MapNode, image: string): MapNode {
  const before = service.entries.get('image')
  if (before?.kind !== 'scalar') return service
  return { ...service, entries: new Map(service.entries).set('image', { ...before, value: image }) }
}

/** An override file that names only the pinned images; JSON strings are YAML too, so that no name can break out. */
export function lockText(digests: ReadonlyMap<string, string>, format: string | undefined): string {
  const services = Object.fromEntries([...digests].map(([name, image]) => [name, { image }]))
  if (format === 'json') return `${JSON.stringify({ services }, null, 2)}\n`
  return `services:\n${[...digests].map(([name, image]) => `  ${JSON.stringify(name)}:\n    image: ${JSON.stringify(image)}\n`).join('')}`
}
