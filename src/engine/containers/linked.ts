/** The containers that a container of the default bridge is linked to. */
import { Failure, isFailure } from '../../lib/failure.ts'
import type { Attachment } from '../networks/attachment.ts'
import { networkKind } from './config/endpoints.ts'
import type { HostConfig } from './config/host-config.ts'
import { type LinkedContainer, parseLink } from './config/links.ts'
import type { Container } from './container.ts'
import type { Parts } from './parts.ts'

/** On other networks links are the endpoint's: a further name there. */
function linksOf(hostConfig: HostConfig) {
  return hostConfig.NetworkMode === 'bridge' ? (hostConfig.Links ?? []).map(parseLink) : []
}

/** @throws Failure `invalid` with Docker's text when one is not there, or has no network of its own. */
export function checkLinks(parts: Parts, hostConfig: HostConfig): void {
  for (const { ref } of linksOf(hostConfig)) {
    try {
      const { kind } = networkKind(parts.get(ref).record.hostConfig.NetworkMode)
      if (kind === 'host')
        throw new Failure(
          'invalid',
          "conflicting options: host type networking can't be used with links. This would result in undefined behavior",
        )
    } catch (cause) {
      if (!isFailure(cause, 'not-found')) throw cause
      throw new Failure('invalid', `could not get container for ${ref}: ${cause.message}`, { cause })
    }
  }
}

/** @throws Failure `conflict` when one does not run: it has no address. */
export function linkedContainers(parts: Parts, container: Container): LinkedContainer[] {
  return linksOf(container.record.hostConfig).map(({ ref, alias }) => {
    const other = parts.get(ref)
    if (!other.running)
      throw new Failure(
        'conflict',
        `Cannot link to a non running container: /${other.name} AS /${container.name}/${alias}`,
      )
    const { config } = other.record
    const address = (other.state.attachments as Attachment[]).find(({ network }) => network === 'bridge')?.ipv4
    if (!address)
      throw new Failure('conflict', `Cannot link to /${other.name}, as it does not belong to the default network`)
    return {
      id: other.id,
      name: other.name,
      alias,
      address: address.split('/')[0]!,
      exposed: Object.keys(config.ExposedPorts ?? {}),
      env: config.Env,
    }
  })
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
