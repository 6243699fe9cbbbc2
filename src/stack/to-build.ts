/** `build` of a finished service. */
import type { Build } from '../model/build.ts'
import { parseHost } from './fields/extra-hosts.ts'
import { toUlimits } from './to-limits.ts'
import { toReference } from './to-mounts.ts'
import type { View } from './view.ts'

export function toBuild(view: View): Build {
  return {
    context: view.text('context') ?? '.',
    dockerfile: view.text('dockerfile'),
    dockerfileInline: view.text('dockerfile_inline'),
    args: view.nullable('args'),
    additionalContexts: view.strings('additional_contexts'),
    labels: view.strings('labels'),
    target: view.text('target'),
    tags: view.texts('tags'),
    platforms: view.texts('platforms'),
    cacheFrom: view.texts('cache_from'),
    cacheTo: view.texts('cache_to'),
    noCache: view.bool('no_cache') ?? false,
    noCacheFilter: view.texts('no_cache_filter'),
    pull: view.bool('pull') ?? false,
    network: view.text('network'),
    extraHosts: toHosts(view.texts('extra_hosts')),
    shmSize: view.positive('shm_size'),
    isolation: view.text('isolation'),
    privileged: view.bool('privileged') ?? false,
    secrets: view.views('secrets').map(entry => toReference(entry, '')),
    ssh: view
      .texts('ssh')
      .map(key => ({ id: key.split('=')[0]!, path: key.includes('=') ? key.slice(key.indexOf('=') + 1) : undefined })),
    ulimits: toUlimits(view.at('ulimits')),
    entitlements: view.texts('entitlements'),
    provenance: view.text('provenance'),
    sbom: view.text('sbom'),
  }
}

export function toHosts(entries: readonly string[]): Array<{ host: string; address: string }> {
  return entries.flatMap(entry => {
    const pair = parseHost(entry)
    return pair ? pair.addresses.map(address => ({ host: pair.host, address })) : []
  })
}
