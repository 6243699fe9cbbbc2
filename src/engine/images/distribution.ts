/** What a registry has under a name, without fetching it. */
import type { DistributionInspect } from '../../api/images.ts'
import { Failure } from '../../lib/failure.ts'
import { parseDocument } from './catalogue.ts'
import { digestOf } from './digest.ts'
import type { PullOptions } from './image-store.ts'
import { type Descriptor, largestDocument, parseManifest } from './manifest.ts'
import { parseReference } from './reference.ts'
import type { RegistrySettings } from './registry/settings.ts'
import { PullSource } from './registry/source.ts'

export async function inspectDistribution(
  settings: RegistrySettings,
  text: string,
  { auth, signal = new AbortController().signal }: Pick<PullOptions, 'auth' | 'signal'>,
): Promise<DistributionInspect> {
  const reference = parseReference(text)
  const registry = new PullSource(reference, auth, settings)
  const fetched = await registry.manifest(reference.digest ?? reference.tag!, signal)
  const document = parseManifest(fetched.data, registry.name, fetched.mediaType)
  return {
    Descriptor: {
      mediaType: fetched.mediaType?.split(';')[0] ?? '',
      digest: fetched.digest,
      size: fetched.data.length,
    },
    Platforms:
      document.kind === 'index'
        ? document.manifests.flatMap(({ platform }) => (platform ? [platform] : []))
        : [await platformOf(registry, document.config, signal)],
  }
}

/** Every tag that a registry has of a repository, sorted. */
export async function repositoryTags(
  settings: RegistrySettings,
  text: string,
  { auth, signal = new AbortController().signal }: Pick<PullOptions, 'auth' | 'signal'>,
): Promise<readonly string[]> {
  return (await new PullSource(parseReference(text), auth, settings).tags(signal)).toSorted()
}

async function platformOf(registry: PullSource, { digest, size }: Descriptor, signal: AbortSignal) {
  const data = await registry.document(digest, Math.min(size, largestDocument), signal)
  if (digestOf(data) !== digest)
    throw new Failure('invalid', `Cannot use blob "${digest}" of ${registry.name}: its content has another digest`)
  const { os, architecture, variant } = parseDocument(data, registry.name)
  return { architecture, os, ...(variant && { variant }) }
}
