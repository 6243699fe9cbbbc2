/** The containers that a container of the default bridge is linked to, and those that are linked to it. */
import { Failure, isFailure, messageOf } from '../../lib/failure.ts'
import { networkKind } from './config/endpoints.ts'
import type { HostConfig } from './config/host-config.ts'
import { type LinkedContainer, linksOf } from './config/links.ts'
import type { Container } from './container.ts'
import { moveHost } from './files/host-files.ts'
import { networkHolder, type Parts } from './parts.ts'

/** @throws Failure `invalid` with Docker's text when one is not there, or one or the other has no network of its own. */
export function checkLinks(parts: Parts, hostConfig: HostConfig): void {
  const own = networkKind(hostConfig.NetworkMode).kind
  if (hostConfig.Links?.length && (own === 'host' || own === 'container')) throw without(own)
  for (const { ref } of linksOf(hostConfig)) {
    try {
      const { kind } = networkKind(parts.get(ref).record.hostConfig.NetworkMode)
      if (kind === 'host') throw without(kind)
    } catch (cause) {
      if (!isFailure(cause, 'not-found')) throw cause
      throw new Failure('invalid', `could not get container for ${ref}: ${cause.message}`, { cause })
    }
  }
}

function without(kind: 'host' | 'container'): Failure {
  const what = kind === 'host' ? 'host type networking' : 'container type network'
  return new Failure(
    'invalid',
    `conflicting options: ${what} can't be used with links. This would result in undefined behavior`,
  )
}

/** @throws Failure when one does not run, or is not on the default bridge: it has no address there. */
export function linkedContainers(parts: Parts, container: Container): LinkedContainer[] {
  return linksOf(container.record.hostConfig).map(({ ref, alias }) => {
    const other = parts.get(ref)
    if (!other.running)
      throw new Failure(
        'conflict',
        `Cannot link to a non running container: /${other.name} AS /${container.name}/${alias}`,
      )
    const holder = networkHolder(parts, other)
    const address = bridgeAddress(holder)
    // 500 in Docker's own words
    if (!address) throw new Failure('internal', `container ${holder.id} not attached to default bridge network`)
    return linkedAs(alias, holder, address)
  })
}

/** Those that can be reached now: what is sent into a container does not wait for what it is linked to. */
export function reachableLinks(parts: Parts, container: Container): LinkedContainer[] {
  const others = [...parts.all()]
  return linksOf(container.record.hostConfig).flatMap(({ ref, alias }) => {
    const other = others.find(each => each.name === ref || each.id === ref)
    if (!other?.running) return []
    const holder = networkHolder(parts, other)
    const address = bridgeAddress(holder)
    return address === undefined ? [] : [linkedAs(alias, holder, address)]
  })
}

function linkedAs(alias: string, { id, name, record }: Container, address: string): LinkedContainer {
  const { ExposedPorts, Env } = record.config
  return { id, name, alias, address, exposed: Object.keys(ExposedPorts ?? {}), env: Env }
}

function bridgeAddress({ state }: Container): string | undefined {
  return state.attachments.find(({ network }) => network === 'bridge')?.ipv4?.split('/')[0]
}

/** Each link to a container: "web/store" of a db that web calls store. */
export function linksTo(parts: Parts, { id, name }: Container): { from: Container; alias: string }[] {
  return [...parts.all()].flatMap(from =>
    linksOf(from.record.hostConfig)
      .filter(({ ref }) => ref === name || ref === id)
      .map(({ alias }) => ({ from, alias })),
  )
}

/** The hosts files of those that run and are linked to a container which has started: it may have another address than before. */
export function tellLinked(parts: Parts, container: Container): void {
  const address = bridgeAddress(container)
  if (!address) return
  for (const { from, alias } of linksTo(parts, container))
    if (from.running) moveLink(parts, from, { alias, container, address })
}

/** Without an address: the link is gone. */
export function moveLink(
  { paths, say }: Parts,
  from: Container,
  { alias, container, address }: { readonly alias: string; readonly container: Container; readonly address?: string },
): void {
  try {
    moveHost(paths.container(from.id), [alias, container.id.slice(0, 12)], address)
  } catch (error) {
    // both containers run on, with a name that leads nowhere
    say(`Cannot write the link "${alias}" of container "${from.name}": ${messageOf(error)}`)
  }
}

/** As inspect shows them: "/db:/web/store". */
export function shownLinks(parts: Parts, { name, record }: Container): string[] | null {
  const { Links, NetworkMode } = record.hostConfig
  if (NetworkMode !== 'bridge' || !Links) return Links
  const others = [...parts.all()]
  return linksOf(record.hostConfig).map(({ ref, alias }) => {
    const other = others.find(each => each.name === ref || each.id === ref)
    return `/${other?.name ?? ref}:/${name}/${alias}`
  })
}
