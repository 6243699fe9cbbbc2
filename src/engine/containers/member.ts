/** A container as its networks know it. */
import type { Member } from '../networks/attachment.ts'
import type { Container } from './container.ts'

/**
 * The label by which Docker's clients mark the containers of one project. All that is read of it is whether two containers
 * have the same one: on a network that several projects share, names of one's own group come before those of others.
 */
export const groupLabel = 'com.docker.compose.project'

export function memberOf({ id, name, record }: Container): Member {
  const { config, hostConfig } = record
  return {
    id,
    name,
    hostname: config.Hostname,
    group: config.Labels[groupLabel] || undefined,
    publishes: Object.keys(hostConfig.PortBindings).length > 0 || hostConfig.PublishAllPorts,
  }
}
