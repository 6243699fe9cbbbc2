/** Words, names, addresses and amounts that no engine takes although the format lets them pass: a value → what is wrong with it. */

import { isIP } from 'node:net'
import { bareCapability, capabilityNames } from '../../lib/capabilities.ts'
import { protocols } from '../../lib/ports.ts'
import { nearest } from '../../lib/problems.ts'
import { signalNames, signalNumber } from '../../lib/signals.ts'
import { list } from '../../lib/text.ts'

export interface Complaint {
  readonly message: string
  readonly hint?: string
}

/** Of a text. Empty text is no value. */
export type Judge = (text: string) => Complaint | undefined

const should = (text: string, be: string, hint?: string): Complaint => ({
  message: `Cannot use "${text}" here: it should be ${be}`,
  hint,
})

const meant = (text: string, words: readonly string[]): string | undefined => {
  const word = nearest(text, words)
  return word === undefined ? undefined : `Did you mean "${word}"?`
}

/** One of a closed list. */
export function word(words: readonly string[]): Judge {
  return text => (words.includes(text) ? undefined : should(text, list(words, 'or'), meant(text, words)))
}

export function matching(pattern: RegExp, be: string): Judge {
  return text => (pattern.test(text) ? undefined : should(text, be))
}

/** One of a closed list, or "container:NAME" and the like. */
export function mode(words: readonly string[], prefixes: readonly string[]): Judge {
  return text => {
    const prefix = prefixes.find(each => text.startsWith(`${each}:`))
    if (prefix === undefined)
      return (
        word(words)(text) && should(text, list([...words, ...prefixes.map(p => `${p}:NAME`)], 'or'), meant(text, words))
      )
    return text === `${prefix}:` ? should(text, `"${prefix}:" and a name`) : undefined
  }
}

const pullPolicies = ['always', 'never', 'missing', 'if_not_present', 'build', 'refresh', 'daily', 'weekly']

export const pullPolicy: Judge = text =>
  pullPolicies.includes(text) || /^every_(?:\d+[wdhms])+$/.test(text)
    ? undefined
    : should(text, `${list([...pullPolicies, 'every_DURATION'], 'or')}`, meant(text, pullPolicies))

const policies = ['no', 'always', 'on-failure', 'unless-stopped']

export const restartPolicy: Judge = text => {
  const [policy = '', attempts] = text.split(/:(.*)/s)
  if (!policies.includes(policy))
    return should(text, 'no, always, on-failure[:N] or unless-stopped', meant(policy, policies))
  if (attempts === undefined) return undefined
  return policy === 'on-failure' && /^\d+$/.test(attempts)
    ? undefined
    : should(text, policy === 'on-failure' ? '"on-failure:" and a number of attempts' : `"${policy}" alone`)
}

export const capability: Judge = text => {
  const bare = bareCapability(text)
  if (bare === 'ALL' || capabilityNames.includes(bare)) return undefined
  return { message: `Cannot use "${text}" here: the kernel has no such capability`, hint: meant(bare, capabilityNames) }
}

export const signal: Judge = text =>
  signalNumber(text) === undefined
    ? { message: `Cannot use "${text}" here: there is no such signal`, hint: meant(text, signalNames()) }
    : undefined

/** Of containers, networks and volumes. */
export const engineName: Judge = matching(
  /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/,
  'two or more letters, digits, "_", "." and "-", and begin with a letter or digit',
)

export const absolutePath: Judge = text =>
  text.startsWith('/')
    ? undefined
    : should(text, 'an absolute path in the container', `Write "/${text.replace(/^(?:\.\/)+/, '')}"`)

/** A place, or what a vendor's specification describes: "vendor.com/class=device". */
export const deviceTarget: Judge = text => (/^[^/=]+\/[^/=]+=[^/]+$/.test(text) ? undefined : absolutePath(text))

const component = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*'
const host =
  '(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?'
const imagePattern = new RegExp(
  `^(?:${host}/)?${component}(?:/${component})*(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(?:@[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,})?$`,
)

export const image: Judge = text => {
  if (imagePattern.test(text)) return undefined
  if (text.endsWith(':'))
    return should(text, 'the name of an image: the tag after ":" is empty', 'Write the tag, or no ":"')
  if (imagePattern.test(text.toLowerCase())) return should(text, 'the name of an image: it must be in lower case')
  return should(text, 'the name of an image, "name", "name:tag" or "registry/name:tag"')
}

export const address: Judge = text => (isIP(text) > 0 ? undefined : should(text, 'an IP address'))
export const address4: Judge = text => (isIP(text) === 4 ? undefined : should(text, 'an IPv4 address'))
export const address6: Judge = text => (isIP(text) === 6 ? undefined : should(text, 'an IPv6 address'))

export const subnet: Judge = text => {
  const [base = '', prefix = ''] = text.split('/')
  const most = isIP(base) === 4 ? 32 : 128
  return isIP(base) > 0 && /^\d+$/.test(prefix) && Number(prefix) <= most
    ? undefined
    : should(text, 'a subnet such as "10.1.0.0/16"')
}

/** "name=address", as extra_hosts has them in the end. */
export const hostEntry: Judge = text => {
  const at = text.slice(text.indexOf('=') + 1)
  return at === 'host-gateway' || isIP(at) > 0
    ? undefined
    : { message: `Cannot use "${at}" as the address of a host: it should be an IP address or "host-gateway"` }
}

export const macAddress: Judge = matching(
  /^(?:[0-9a-f]{2}([:-]))(?:[0-9a-f]{2}\1){4}[0-9a-f]{2}$/i,
  'a MAC address such as "02:42:ac:11:00:02"',
)

export const interfaceName: Judge = matching(
  /^(?!\.{1,2}$)[^\s/:]{1,15}$/,
  'a name of at most 15 characters without "/", ":" and blanks',
)

/** "8080", "8000-8010". */
export const portRange: Judge = text => {
  const [first = '', last = first, more] = text.split('-')
  const fits = (port: string) => /^\d{1,5}$/.test(port) && Number(port) <= 65_535
  if (!fits(first) || !fits(last) || more !== undefined)
    return should(text, 'a port or range of ports, from 0 to 65535')
  return Number(last) < Number(first)
    ? should(text, 'a range that ends after it begins', `Write "${last}-${first}"`)
    : undefined
}

/** "8080", "53/udp", "8000-8010/tcp". */
export const exposed: Judge = text => {
  const [range = '', protocol, more] = text.split('/')
  if (more !== undefined) return should(text, 'like "8080" or "53/udp"')
  return portRange(range) ?? (protocol === undefined ? undefined : word(protocols)(protocol.toLowerCase()))
}

/** "name", "1000", "name:group", "1000:1000". */
export const user: Judge = text => {
  const parts = text.split(':')
  if (parts.length > 2) return should(text, 'a user, or a user and a group: "name:group"')
  if (/\s/.test(text)) return should(text, 'without blanks')
  const id = parts.find(part => /^-?\d+$/.test(part) && (Number(part) < 0 || Number(part) > 2 ** 31 - 1))
  return id === undefined ? undefined : { message: `Cannot use ${id} here: ids are from 0 to ${2 ** 31 - 1}` }
}

export const group: Judge = text => (text.includes(':') ? should(text, 'a group alone') : user(text))

/** A number, where a name would have to be looked up in an image. */
export const id: Judge = matching(/^\d{1,10}$/, 'a number: names are known in the image only')

export const cpus: Judge = matching(/^\d+(?:-\d+)?(?:,\d+(?:-\d+)?)*$/, 'a list of CPUs such as "0-2,4"')

export const deviceRule: Judge = matching(/^[acb] (?:\d+|\*):(?:\d+|\*) [rwm]{1,3}$/, 'a rule such as "c 1:3 mr"')

const securityOptions = ['no-new-privileges', 'seccomp', 'apparmor', 'label', 'systempaths', 'writable-cgroups']

export const securityOption: Judge = text => {
  const [name = '', value] = text.split(/[=:](.*)/s)
  if (!securityOptions.includes(name))
    return {
      message: `Cannot use "${text}" here: there is no security option "${name}"`,
      hint: meant(name, securityOptions),
    }
  if (name === 'no-new-privileges' && value !== undefined && value !== 'true' && value !== 'false')
    return should(text, '"no-new-privileges", alone or with true or false')
  if (name === 'systempaths' && value !== 'unconfined') return should(text, '"systempaths=unconfined"')
  return undefined
}

/** Those that belong to a namespace; all others would change the whole machine. */
export const sysctl: Judge = text => {
  const name = text.replaceAll('/', '.')
  if (/^net\..|^fs\.mqueue\../.test(name)) return undefined
  const own = /^kernel\.(?:msgmax|msgmnb|msgmni|sem|shmall|shmmax|shmmni|shm_rmid_forced|domainname|hostname)$/
  return own.test(name)
    ? undefined
    : {
        message: `Cannot set "${text}" for one container: it belongs to the whole machine`,
        hint: "net.*, fs.mqueue.* and the kernel's IPC limits can be set",
      }
}

export const rlimits =
  'as core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack'.split(' ')

const tmpfsWords =
  'ro rw exec noexec suid nosuid dev nodev sync async dirsync mand nomand atime noatime diratime nodiratime relatime norelatime strictatime nostrictatime defaults private rprivate shared rshared slave rslave unbindable runbindable bind rbind remount'.split(
    ' ',
  )
const tmpfsValues = ['size', 'mode', 'uid', 'gid', 'nr_inodes', 'nr_blocks', 'mpol']

/** "/run", "/run:size=64m,noexec". */
export const tmpfs: Judge = text => {
  const [target = '', options = ''] = text.split(/:(.*)/s)
  const path = absolutePath(target)
  if (path) return path
  for (const option of options.split(',').filter(Boolean)) {
    const [name = '', value] = option.split('=')
    if (value === undefined ? tmpfsWords.includes(name) : tmpfsValues.includes(name)) continue
    return {
      message: `Cannot use option "${option}" of a tmpfs: it is not known`,
      hint: meant(name, value === undefined ? tmpfsWords : tmpfsValues),
    }
  }
  return undefined
}

export const mountTarget: Judge = text =>
  // A drive letter has been told of already.
  /^\p{L}:/u.test(text)
    ? undefined
    : text === '/'
      ? { message: 'Cannot mount on "/": it is the root of the container' }
      : absolutePath(text)

export const propagations = ['rprivate', 'private', 'rshared', 'shared', 'rslave', 'slave']

/** "service", "service:alias". */
export const link: Judge = text => {
  const [name, alias, more] = text.split(':')
  return name && alias !== '' && more === undefined ? undefined : should(text, '"name" or "name:alias"')
}

/** "service", "service:ro", "container:name:rw". */
export const volumesFrom: Judge = text => {
  const parts = text.split(':')
  const [name, access, more] = parts[0] === 'container' ? parts.slice(1) : parts
  if (!name || more !== undefined) return should(text, '"service[:ro]" or "container:name[:ro]"')
  return access === undefined ? undefined : word(['ro', 'rw'])(access)
}

/** What a process can be given: the kernel takes no string longer than this. */
const longest = 128 * 1024 - 1

/** A variable, and its value. */
export function variable(name: string, value: string): Complaint | undefined {
  if (name.includes('=') || /\0/.test(name + value))
    return { message: `Cannot set variable "${name}": no variable can be called so` }
  const size = Buffer.byteLength(name) + 1 + Buffer.byteLength(value)
  return size > longest
    ? {
        message: `Cannot set variable "${name}": it is ${size.toLocaleString('en')} bytes long, and the kernel takes ${longest.toLocaleString('en')} at most`,
      }
    : undefined
}

const megabyte = 1024 ** 2

/** Bytes of memory; 0 is no limit. */
export const leastMemory = (bytes: number): Complaint | undefined =>
  bytes > 0 && bytes < 6 * megabyte
    ? { message: 'Cannot limit memory to so little: it should be 6m at least' }
    : undefined

/** Nanoseconds; 0 is the default. */
export const leastInterval = (ns: number): Complaint | undefined =>
  ns !== 0 && ns < 1e6 ? { message: 'Cannot wait so short a time: it should be 1ms at least' } : undefined

/** Microseconds; -1 is no quota. */
export const cfsQuota = (value: number): Complaint | undefined =>
  value > 0 && value < 1000 ? { message: `Cannot use ${value} here: it should be at least 1000` } : undefined

export function between(least: number, most: number, unset?: number): (value: number) => Complaint | undefined {
  return value =>
    value === unset || (value >= least && value <= most)
      ? undefined
      : {
          message: `Cannot use ${value} here: it should be ${most === Number.POSITIVE_INFINITY ? `at least ${least}` : `between ${least} and ${most}`}`,
        }
}
