/** Sandboxes, bridges and veth pairs as steps, for containers and for operations on the host. */
import { Failure } from '../../lib/failure.ts'
import type { BridgePort, HostOperation, InterfaceSpec, NetworkSpec, UserNamespace } from '../spec.ts'
import { type Step, step } from '../steps.ts'
import { cloneFlags } from './namespaces.ts'
import { userSteps } from './user-namespace.ts'

/** "172.20.0.2" → 4 bytes, "fd00::2" → 16. @throws Failure `invalid` for anything else. */
export function addressBytes(address: string): Buffer {
  const bytes = address.includes(':') ? sixteenBytes(address) : fourBytes(address)
  if (bytes === undefined) throw new Failure('invalid', `Cannot use address "${address}": it is neither IPv4 nor IPv6`)
  return Buffer.from(bytes)
}

function fourBytes(text: string): readonly number[] | undefined {
  const parts = text.split('.')
  if (parts.length !== 4 || parts.some(part => !/^\d{1,3}$/.test(part) || Number(part) > 255)) return undefined
  return parts.map(Number)
}

function sixteenBytes(text: string): readonly number[] | undefined {
  const groups = (part: string): readonly number[] | undefined => {
    const words = part === '' ? [] : part.split(':')
    const last = words.at(-1)?.includes('.') ? fourBytes(words.pop()!) : []
    if (last === undefined || words.some(word => !/^[0-9a-f]{1,4}$/i.test(word))) return undefined
    return [...words.map(word => Number.parseInt(word, 16)).flatMap(group => [group >> 8, group & 0xff]), ...last]
  }
  const halves = text.split('::')
  const [before, after] = [groups(halves[0] ?? ''), groups(halves[1] ?? '')]
  if (halves.length > 2 || before === undefined || after === undefined) return undefined
  const missing = 16 - before.length - after.length
  if (halves.length === 1 ? missing !== 0 : missing < 2) return undefined
  return [...before, ...Array<number>(missing).fill(0), ...after]
}

/** "172.20.0.2/24" → its bytes and 24. */
function cidr(text: string): { readonly address: Buffer; readonly prefix: number } {
  const at = text.lastIndexOf('/')
  const address = addressBytes(at < 0 ? text : text.slice(0, at))
  const prefix = at < 0 ? address.length * 8 : Number(text.slice(at + 1))
  if (!Number.isInteger(prefix) || prefix < 0 || prefix > address.length * 8)
    throw new Failure('invalid', `Cannot use address "${text}": its prefix is out of range`)
  return { address, prefix }
}

function macBytes(mac: string): Buffer {
  if (!/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(mac)) throw new Failure('invalid', `invalid MAC address ${mac}`)
  return Buffer.from(mac.replaceAll(':', ''), 'hex')
}

/** IFNAMSIZ less its NUL, and nothing that is a path: it becomes part of one in /proc/sys. */
function linkName(name: string): string {
  if (!/^[^\s/:%]{1,15}$/.test(name) || name === '.' || name === '..')
    throw new Failure(
      'invalid',
      `Cannot use interface name "${name}": at most 15 characters without "/", ":", "%" and spaces are possible`,
    )
  return name
}

const isV6 = (address: string) => address.includes(':')

/** IPv6 stays off where none was asked for (CVE-2024-32473): set before the interface comes, so that not even a link-local address appears. */
function interfaceSteps(spec: InterfaceSpec): Step[] {
  const name = linkName(spec.name)
  const cause = spec.cause
  const pair = Buffer.alloc(22)
  macBytes(spec.mac).copy(pair)
  pair.write(name, 6)
  return [
    step(
      'write',
      { path: '/proc/sys/net/ipv6/conf/default/disable_ipv6', value: spec.addresses.some(isV6) ? '0' : '1' },
      cause,
    ),
    // named, since the kernel takes its time to let a namespace and what is in it go, and the name may be wanted again at once
    step(
      'veth',
      { host: linkName(spec.host), bridge: linkName(spec.bridge), pair, mtu: spec.mtu },
      cause,
      dropLink(spec.host),
    ),
    ...portSteps(spec.host, spec, cause),
    ...spec.addresses.map(address => step('address', { inside: 1, name, ...cidr(address) }, cause)),
    // before it is up, so that nothing happens by the kernel's own values
    ...spec.sysctls.map(({ path, value }) => step('write', { path: sysctlPath(path, name), value }, cause)),
    step('link-up', { inside: 1, name }, cause),
    ...spec.gateways.map(gateway => step('route', { name, gateway: addressBytes(gateway) }, cause)),
  ]
}

/** A port is neither unless it is told. */
function portSteps(name: string, { isolated, hairpin }: BridgePort, cause?: string): Step[] {
  if (!isolated && !hairpin) return []
  return [step('port', { name, isolated: Number(isolated), hairpin: Number(hairpin) }, cause)]
}

/** The monitor is in the sandbox: the kernel shows it that namespace's part of /proc/sys/net. */
function sysctlPath(path: string, name: string): string {
  if (!/^net\/[a-z0-9]+\/[a-z_]+\/IFNAME\/[A-Za-z0-9_]+$/.test(path))
    throw new Failure('invalid', `Cannot set sysctl "${path}" of an interface`)
  return `/proc/sys/${path.replace('IFNAME', name)}`
}

function dropLink(name: string): Step {
  return step('link-delete', { inside: 0, name })
}

function sandboxSteps(path: string, interfaces: readonly InterfaceSpec[], user: UserNamespace): Step[] {
  return [
    ...userSteps(user, cloneFlags.net),
    step(user.kind === 'host' ? 'netns-new' : 'netns-owned', {}, 'HostConfig.NetworkMode'),
    step('netns-keep', { path }, 'HostConfig.NetworkMode', step('netns-drop', { path })),
    step('link-up', { inside: 1, name: 'lo' }),
    ...interfaces.flatMap(interfaceSteps),
  ]
}

/** Host steps: the namespace is entered before the clone, so that the child is born in it. */
export function networkSteps(network: NetworkSpec, user: UserNamespace): readonly Step[] {
  switch (network.kind) {
    case 'host':
      return []
    case 'join':
      return [
        step('netns-enter', { path: network.path }, 'HostConfig.NetworkMode'),
        // only in the namespace that a network belongs to, root has any say in it
        ...(user.kind === 'host' ? [] : [step('user-of-netns', {}, 'HostConfig.UsernsMode')]),
      ]
    case 'create':
      return [
        ...sandboxSteps(network.path, network.interfaces, user),
        ...(network.yields ? [step('yield', {}, 'HostConfig.NetworkMode')] : []),
      ]
    default:
      return network satisfies never
  }
}

/** An operation of a HostSpec; cgroups are not its matter. */
export function operationSteps(operation: Exclude<HostOperation, { kind: 'delete-cgroup' | 'sysctl' }>): Step[] {
  switch (operation.kind) {
    case 'create-bridge': {
      const name = linkName(operation.name)
      const six = operation.addresses.some(isV6)
      return [
        step('bridge', {
          name,
          mac: operation.mac === '' ? Buffer.alloc(0) : macBytes(operation.mac),
          mtu: operation.mtu,
        }),
        step('write', { path: `/proc/sys/net/ipv6/conf/${name}/disable_ipv6`, value: six ? '0' : '1' }),
        // a container must not be able to give the host a route (CVE-2020-10749)
        step('write', { path: `/proc/sys/net/ipv6/conf/${name}/accept_ra`, value: '0' }),
        ...operation.addresses.map(address => step('address', { inside: 0, name, ...cidr(address) })),
        step('link-up', { inside: 0, name }),
      ]
    }
    case 'delete-link':
      return [step('link-delete', { inside: 0, name: linkName(operation.name) })]
    case 'join-bridge':
      return [
        step('master', { name: linkName(operation.name), bridge: linkName(operation.bridge) }),
        ...portSteps(operation.name, operation),
      ]
    case 'create-sandbox':
      return [
        ...sandboxSteps(operation.path, operation.interfaces, operation.user ?? { kind: 'host' }),
        step('netns-leave', {}),
      ]
    case 'keep-sandbox':
      return [
        step('netns-enter', { path: `/proc/${operation.pid}/ns/net` }),
        // whatever stands there is no namespace
        step('netns-drop', { path: operation.path }),
        step('netns-keep', { path: operation.path }),
        step('netns-leave', {}),
      ]
    case 'delete-sandbox':
      return [step('netns-drop', { path: operation.path })]
    case 'connect':
      return [
        step('netns-enter', { path: operation.path }),
        ...interfaceSteps(operation.interface),
        step('netns-leave', {}),
      ]
    case 'route':
      return [
        step('netns-enter', { path: operation.path }),
        ...operation.gateways.map(gateway =>
          step('route', { name: linkName(operation.name), gateway: addressBytes(gateway) }),
        ),
        step('netns-leave', {}),
      ]
    case 'disconnect':
      return [
        step('netns-enter', { path: operation.path }),
        step('link-delete', { inside: 1, name: linkName(operation.name) }),
        step('netns-leave', {}),
      ]
    default:
      return operation satisfies never
  }
}
