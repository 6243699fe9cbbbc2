/** What networks ask of the kernel themselves, with no monitor between; tests have one of their own. */
import { existsSync, readFileSync, readlinkSync } from 'node:fs'
import { Socket } from 'node:net'
import { basename } from 'node:path'
import { errnoOf } from '../../lib/failure.ts'
import { firewallDigest, firewallGeneration, forgetFlows, runNft, socketIn, watchRules } from '../../runtime/native.ts'
import { redirect } from '../dns/redirect.ts'
import type { DnsOptions, SocketIn } from '../dns/server.ts'
import type { Family, Subnet } from './address.ts'
import type { ForgetFlows } from './flows.ts'
import { hostSubnets } from './host-routes.ts'
import type { Hold } from './port-holder.ts'

/** An interface of the host. */
export interface Link {
  readonly mac: string
  readonly isUp: boolean
  /** The bridge that it is a port of. */
  readonly master: string | undefined
  /** Kept from the bridge's other isolated ports. */
  readonly isIsolated: boolean
  /** Gives back by a port what came by it. */
  readonly isHairpin: boolean
}

export interface NetworkKernel {
  /** One transaction, all or nothing. Returns what the commands print. @throws Failure with nft's own first line. */
  runNft(commands: string): string
  /** Another number after each change of the rules, whoever made it. */
  firewallGeneration(): number
  /** Another number when somebody has changed a table; undefined where it cannot be told. Much cheaper than to list it. */
  firewallDigest(table: string, sets: readonly string[]): bigint | undefined
  /** Calls `heard` after changes of the rules, whoever made them, until what it returns is called. @throws an error of the system */
  whenRulesChange(heard: () => void): () => void
  readonly forgetFlows: ForgetFlows
  readonly socketIn: SocketIn
  readonly redirect: DnsOptions['redirect']
  /** Takes places of the host for published ports; by sockets of the engine's own where it says nothing. */
  readonly hold?: Hold
  link(name: string): Link | undefined
  /** Whether the host has an address on this interface, and so a way to whoever is behind it. */
  reaches(name: string, family: Family): boolean
  /** Those the host reaches already. */
  hostSubnets(): readonly Subnet[]
}

export const linux: NetworkKernel = {
  runNft,
  firewallGeneration,
  firewallDigest,
  whenRulesChange,
  forgetFlows,
  socketIn,
  redirect,
  link,
  // a name stands first in its line of the one, and last, behind spaces, in that of the other
  reaches: (name, family) =>
    family === 4
      ? readFileSync('/proc/net/route', 'latin1').includes(`\n${name}\t`)
      : readFileSync('/proc/net/if_inet6', 'latin1').includes(` ${name}\n`),
  hostSubnets,
}

function whenRulesChange(heard: () => void): () => void {
  const socket = new Socket({ fd: watchRules(), readable: true, writable: false })
  socket.on('data', heard)
  // it ends with us
  socket.unref()
  return () => socket.destroy()
}

/** IFF_UP of linux/if.h. */
const up = 1

function link(name: string): Link | undefined {
  const folder = `/sys/class/net/${name}`
  try {
    const text = (file: string): string => readFileSync(`${folder}/${file}`, 'utf8').trim()
    const isPort = existsSync(`${folder}/brport`)
    return {
      mac: text('address'),
      isUp: (Number(text('flags')) & up) !== 0,
      master: isPort ? basename(readlinkSync(`${folder}/master`)) : undefined,
      isIsolated: isPort && text('brport/isolated') === '1',
      isHairpin: isPort && text('brport/hairpin_mode') === '1',
    }
  } catch (error) {
    // EINVAL: it goes while we look
    if (['ENOENT', 'EINVAL', 'ENODEV'].includes(errnoOf(error) ?? '')) return undefined
    throw error
  }
}
