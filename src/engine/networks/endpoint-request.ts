/** A network a container is to be on, as it was asked: from the API's EndpointSettings, kept in the container's record; pure. */
import { z } from 'zod'
import type { EndpointSettings } from '../../api/container-body.ts'
import { Failure } from '../../lib/failure.ts'

export const endpointRequestSchema = z.object({
  /** Name or id. */
  network: z.string(),
  aliases: z.array(z.string()),
  /** "container" or "container:alias": names only this container sees. */
  links: z.array(z.string()),
  ipv4Address: z.string().optional(),
  ipv6Address: z.string().optional(),
  linkLocalIPs: z.array(z.string()),
  macAddress: z.string().optional(),
  gwPriority: z.number(),
  driverOpts: z.record(z.string(), z.string()),
})
export type EndpointRequest = z.infer<typeof endpointRequestSchema>

/** @throws Failure `invalid` in Docker's words. */
export function endpointRequest(network: string, settings?: EndpointSettings | null): EndpointRequest {
  const ipam = settings?.IPAMConfig
  const request = {
    network,
    aliases: [...(settings?.Aliases ?? [])],
    links: [...(settings?.Links ?? [])],
    ipv4Address: ipam?.IPv4Address || undefined,
    ipv6Address: ipam?.IPv6Address || undefined,
    linkLocalIPs: [...(ipam?.LinkLocalIPs ?? [])],
    macAddress: settings?.MacAddress || undefined,
    gwPriority: settings?.GwPriority ?? 0,
    driverOpts: { ...settings?.DriverOpts },
  }
  interfaceSysctls(request)
  return request
}

/** Options of an endpoint that every driver of Docker's knows; others are kept and shown. */
const option = { name: 'com.docker.network.endpoint.ifname', sysctls: 'com.docker.network.endpoint.sysctls' } as const

/** What the interface is to be called; undefined: the next free eth0, eth1…. */
export function interfaceName({ driverOpts }: EndpointRequest): string | undefined {
  return driverOpts[option.name] || undefined
}

/** Below /proc/sys with IFNAME for the interface's name → value. @throws Failure `invalid` in Docker's words. */
export function interfaceSysctls({ network, driverOpts }: EndpointRequest): Array<{ path: string; value: string }> {
  const text = driverOpts[option.sysctls]
  if (!text) return []
  return text.split(',').map(setting => {
    // docker's command line sends its options in small letters
    const found = /^net\.(ipv4|ipv6|mpls)\.([a-z_]+)\.ifname\.([a-z0-9_]+)=(.*)$/i.exec(setting.trim())
    if (!found)
      throw new Failure(
        'invalid',
        `invalid config for network ${network}: invalid endpoint settings:\nunrecognised network interface sysctl '${setting}'; represent 'net.X.Y.ethN.Z=V' as 'net.X.Y.IFNAME.Z=V', 'X' must be 'ipv4', 'ipv6' or 'mpls'`,
      )
    const [, family, group, name, value = ''] = found
    return { path: `net/${family}/${group}/IFNAME/${name}`, value }
  })
}
