/** A container's port and its place on the host; to and from what Docker's clients see. */
import { z } from 'zod'
import type { PortBinding } from '../../api/container-body.ts'
import type { Port } from '../../api/containers.ts'
import { parsePortKey, protocols } from '../../lib/ports.ts'

export const publishedPortSchema = z.object({
  protocol: z.enum(protocols),
  containerPort: z.number(),
  /** "0.0.0.0" and "::" are every address of their family. */
  hostIp: z.string(),
  hostPort: z.number(),
  /** The container's address the port leads to. */
  address: z.string(),
})
export type PublishedPort = z.infer<typeof publishedPortSchema>

/** NetworkSettings.Ports of inspect: published ones with their places, exposed ones null. */
export function portMap(
  ports: readonly PublishedPort[],
  exposed: readonly string[] = [],
): Record<string, PortBinding[] | null> {
  const map: Record<string, PortBinding[] | null> = {}
  for (const key of exposed) map[key] = null
  for (const port of ports) {
    const key = `${port.containerPort}/${port.protocol}`
    map[key] = [...(map[key] ?? []), { HostIp: port.hostIp, HostPort: String(port.hostPort) }]
  }
  return Object.fromEntries(Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** Ports of the container list. */
export function portList(ports: readonly PublishedPort[], exposed: readonly string[] = []): Port[] {
  const published = ports.map(port => ({
    IP: port.hostIp,
    PrivatePort: port.containerPort,
    PublicPort: port.hostPort,
    Type: port.protocol as string,
  }))
  const known = new Set(ports.map(port => `${port.containerPort}/${port.protocol}`))
  const rest = exposed
    .filter(key => !known.has(key))
    .flatMap(key => parsePortKey(key) ?? [])
    .map(({ range: [port], protocol }) => ({ PrivatePort: port, Type: protocol as string }))
  return [...published, ...rest].sort((a, b) => a.PrivatePort - b.PrivatePort)
}
