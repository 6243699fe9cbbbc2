/** The texts of a container's /etc/hosts, /etc/hostname and /etc/resolv.conf. */

export interface HostsOptions {
  readonly hostname: string
  readonly domainname?: string | undefined
  /** The container's own, without prefix length; none with the host's network, where `host` is the host's file. */
  readonly addresses: readonly string[]
  /** "name:address"; the address may be "host-gateway". */
  readonly extraHosts: readonly string[]
  /** What host-gateway stands for. */
  readonly hostGateway?: readonly string[]
  /** The host's own /etc/hosts: network mode host shows it instead of generated lines. */
  readonly host?: string | undefined
}

export interface ResolvConfOptions {
  /** The host's /etc/resolv.conf. */
  readonly host: string
  /** Whether 127.0.0.11 answers: on every network but the default bridge and the host's. */
  readonly internal: boolean
  readonly servers: readonly string[]
  readonly search: readonly string[]
  readonly options: readonly string[]
}

export function hostsText(_options: HostsOptions): string {
  throw new Error('being written')
}

export function resolvConfText(_options: ResolvConfOptions): string {
  throw new Error('being written')
}
