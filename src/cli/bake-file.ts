/** Builds as a bake file, as `docker buildx bake` reads it: for `build --print`. */

import type { EnginePlan } from '../targets/engine/engine-plan.ts'
import {
  type BuildOrder,
  type BuildSecret,
  type CachePlace,
  contextFolder,
} from '../targets/engine/plan/build-order.ts'

export function bakeFile(plan: EnginePlan): object {
  const builds = plan.nodes.flatMap(({ id, operation, after }) =>
    operation.kind === 'build-image' ? [{ id, operation, after }] : [],
  )
  const targets = new Map(builds.map(({ id, operation }) => [id, operation.services[0]!]))
  const byImage = new Map(builds.map(({ operation }) => [operation.name, operation.services[0]!]))
  return {
    group: { default: { targets: [...targets.values()].sort() } },
    target: Object.fromEntries(
      builds
        .map(({ operation }) => [operation.services[0]!, targetOf(operation.order, byImage)] as const)
        .sort(([a], [b]) => (a < b ? -1 : 1)),
    ),
  }
}

function targetOf(order: BuildOrder, byImage: ReadonlyMap<string, string>): object {
  const { attributes, dockerfile, folders } = order
  const text = (name: string) => attributes[name]
  const contexts = Object.entries(prefixed(attributes, 'context:')).map(([name, value]) => {
    const image = /^docker-image:\/\/(.*)$/.exec(value)?.[1]
    const target = image === undefined ? undefined : byImage.get(image)
    return [name, target === undefined ? (folders[value.replace(/^local:/, '')] ?? value) : `target:${target}`]
  })
  const args = prefixed(attributes, 'build-arg:')
  const noCache = text('no-cache')
  return {
    context: text('context') ?? folders[contextFolder],
    ...given('contexts', contexts.length > 0 ? Object.fromEntries(contexts) : undefined),
    ...(dockerfile?.kind === 'text'
      ? { 'dockerfile-inline': dockerfile.text }
      : { dockerfile: dockerfile?.file ?? text('filename') }),
    ...given('args', Object.keys(args).length > 0 ? args : undefined),
    labels: prefixed(attributes, 'label:'),
    tags: order.names,
    ...listed('cache-from', order.cacheFrom.map(cacheText)),
    ...listed('cache-to', order.cacheTo.map(cacheText)),
    ...given('target', text('target')),
    ...listed('secret', order.secrets.map(secretText)),
    ...listed(
      'ssh',
      order.ssh.map(({ id, path }) => (path === undefined ? id : `${id}=${path}`)),
    ),
    ...given('platforms', text('platform') === undefined ? undefined : [text('platform')]),
    ...given('pull', text('image-resolve-mode') === 'pull' ? true : undefined),
    ...given('no-cache', noCache === '' ? true : undefined),
    ...given('no-cache-filter', noCache ? noCache.split(',') : undefined),
    ...given('network', text('force-network-mode')),
    ...given('shm-size', text('shm-size')),
    ...listed('ulimits', text('ulimit')?.split(',') ?? []),
    ...listed('entitlements', order.entitlements),
    ...given('extra-hosts', hostsOf(text('add-hosts'))),
    ...listed(
      'attest',
      ['provenance', 'sbom'].flatMap(kind => {
        const value = text(`attest:${kind}`)
        return value === undefined ? [] : [`type=${kind}${value === '' ? '' : `,${value}`}`]
      }),
    ),
    output: ['type=docker'],
  }
}

function prefixed(attributes: Readonly<Record<string, string>>, prefix: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(attributes)
      .flatMap(([name, value]) => (name.startsWith(prefix) ? [[name.slice(prefix.length), value] as const] : []))
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  )
}

function cacheText({ type, attributes }: CachePlace): string {
  return [`type=${type}`, ...Object.entries(attributes).map(([name, value]) => `${name}=${value}`)].join(',')
}

/** Where it is, never what it is: the value of a variable is read again by whoever builds. */
function secretText({ id, source }: BuildSecret): string {
  if (source.kind === 'file') return `id=${id},type=file,src=${source.file}`
  return source.kind === 'value' && source.variable !== undefined
    ? `id=${id},type=env,env=${source.variable}`
    : `id=${id}`
}

function hostsOf(text: string | undefined): object | undefined {
  if (text === undefined) return undefined
  return Object.fromEntries(
    text.split(',').map(pair => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
  )
}

function given(name: string, value: unknown): object {
  return value === undefined ? {} : { [name]: value }
}

function listed(name: string, values: readonly string[]): object {
  return values.length > 0 ? { [name]: values } : {}
}
