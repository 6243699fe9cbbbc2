/** The steps of a program as sentences, by what they are about. */
import { formatBytes } from '../../lib/units.ts'
import { cgroupWrite, controllerOf } from './cgroup-parts.ts'
import { Mounts, mountSteps } from './mount-parts.ts'
import { type About, abouts, alone, type Fact, type Part, type ProgramStep, textOf } from './steps.ts'

type Words = (step: ProgramStep) => Part

const each = (
  about: About,
  key: string,
  item: Words | ((step: ProgramStep) => string),
  words: Part['words'],
): Words => {
  const itemOf = item as (step: ProgramStep) => string
  return step => ({ about, key, item: itemOf(step), words })
}
const list = (items: readonly string[]): string => items.join(', ')
const names = (text: string) => text.replaceAll(',', ', ')
const path = (step: ProgramStep) => textOf(step, 'path')

const namespaces: Readonly<Record<string, string>> = {
  CLONE_NEWNS: 'mounts',
  CLONE_NEWPID: 'processes',
  CLONE_NEWIPC: 'IPC',
  CLONE_NEWUTS: 'host name',
  CLONE_NEWNET: 'network',
  CLONE_NEWCGROUP: 'control groups',
  CLONE_NEWUSER: 'users',
}

function ofNamespaces(how: string): Words {
  return step => {
    const flags = textOf(step, 'flags')
    const names = flags.split('|').map(name => namespaces[name] ?? name)
    return alone('isolation', `${how} ${list(names)} (${flags})`)
  }
}

const limits: Readonly<Record<string, string>> = { '18446744073709551615': 'unlimited', '-1': 'unlimited' }
const limitText = (value: string) => limits[value] ?? value

/** One row a step; what mounts do is told by Mounts. */
const words: Readonly<Record<string, Words>> = {
  supervise: () => alone('process', 'A monitor of its own is its parent, keeps its output and notes how it ends'),
  log: step =>
    alone(
      'process',
      `What it prints is kept in ${textOf(step, 'files')} files of ${formatBytes(Number(textOf(step, 'size')))}`,
    ),
  stdio: step => {
    const flags = textOf(step, 'flags')
    return alone('process', flags === '0' ? 'It has no input and no terminal' : `Its streams: ${flags}`)
  },
  clone: ofNamespaces('Namespaces of its own:'),
  unshare: ofNamespaces('Namespaces of its own:'),
  join: ofNamespaces('Namespaces of another:'),
  target: step => alone('isolation', `Joins process ${textOf(step, 'pid')}`),
  yield: () => alone('network', 'Its name server is there before it begins'),
  'born-in': step => alone('limits', `It is born in the group ${path(step)}`),
  mkdir: each(
    'limits',
    'groups',
    step => controllerOf(path(step)),
    items => `Groups of its own: ${list(items)}`,
  ),
  rmdir: step => alone('limits', `The group ${path(step)} is removed`),
  'join-cgroup': each(
    'limits',
    'join',
    step => controllerOf(path(step)),
    items => `It stands in its groups: ${list(items)}`,
  ),
  'filter-devices': () => alone('isolation', 'A filter says which devices it may use'),
  write: step => {
    const [to, value] = [path(step), textOf(step, 'value')]
    if (to.startsWith('/sys/fs/cgroup/')) return cgroupWrite(to, value)
    if (to.endsWith('/oom_score_adj')) return alone('limits', `Its score when memory runs out is moved by ${value}`)
    const sysctl = /^\/proc\/sys\/(.*)$/.exec(to)
    if (!sysctl) return alone('isolation', `${value} is written to ${to}`)
    const name = sysctl[1]!.replaceAll('/', '.')
    return alone(name.startsWith('net.') ? 'network' : 'isolation', `${name} is ${value}`)
  },
  'netns-home': step => alone('network', `Network namespaces are kept in ${path(step)}`),
  'netns-new': () => alone('network', 'It gets a network namespace of its own'),
  'netns-owned': () => alone('network', 'Its network namespace belongs to its user namespace'),
  'netns-keep': step => alone('network', `The network namespace is kept as ${path(step)}`),
  'netns-enter': step => alone('network', `It is in the network namespace ${path(step)}`),
  'netns-leave': () => alone('network', 'What follows is done in the network of the host'),
  'netns-drop': step => alone('network', `The network namespace ${path(step)} is let go`),
  bridge: step => alone('network', `The bridge ${textOf(step, 'name')} is made, MTU ${textOf(step, 'mtu')}`),
  veth: step => alone('network', `A pair of interfaces leads to the bridge ${textOf(step, 'bridge')}`),
  port: step => alone('network', `${textOf(step, 'name')} is a port of its bridge`),
  'link-up': step => alone('network', `${textOf(step, 'name')} is up`),
  address: step =>
    alone(
      'network',
      `${textOf(step, 'name')} has the address ${addressText(textOf(step, 'address'))}/${textOf(step, 'prefix')}`,
    ),
  route: step =>
    alone('network', `All else goes by ${addressText(textOf(step, 'gateway'))} on ${textOf(step, 'name')}`),
  'link-delete': step => alone('network', `${textOf(step, 'name')} is removed`),
  master: step => alone('network', `${textOf(step, 'name')} belongs to ${textOf(step, 'bridge')}`),
  folder: each('mounts', 'folders', path, items => `Folders: ${list(items)}`),
  'open-folder': each('root', 'opened', path, items => `Folders that are opened for it: ${list(items)}`),
  node: each(
    'isolation',
    'nodes',
    step => `${path(step)} (${textOf(step, 'device')})`,
    items => `Devices in /dev: ${list(items)}`,
  ),
  symlink: each(
    'mounts',
    'links',
    step => `${path(step)} → ${textOf(step, 'target')}`,
    items => `Links in /dev: ${list(items)}`,
  ),
  mask: each('isolation', 'mask', path, items => `Hidden: ${list(items)}`),
  'read-only': each('isolation', 'read-only', path, items => `Read-only: ${list(items)}`),
  propagation: step =>
    alone(
      'isolation',
      `What is mounted in it does not reach the host, nor the other way round (${textOf(step, 'flags')})`,
    ),
  pivot: () => alone('root', 'The root of the host is left'),
  'user-new': step =>
    alone('isolation', `Users of its own: ${textOf(step, 'uids')} for uids, ${textOf(step, 'gids')} for gids`),
  'user-of-target': () => alone('isolation', 'Users are those of the process that it joins'),
  'user-of-netns': () => alone('isolation', 'Users are those that its network namespace belongs to'),
  'user-enter': ofNamespaces('Enters its user namespace, and makes there:'),
  'user-root': () => alone('isolation', 'It is root of its user namespace, which is nobody on the host'),
  hostname: step => alone('process', `Its host name is ${textOf(step, 'name')}`),
  domainname: step => alone('process', `Its domain name is ${textOf(step, 'name')}`),
  session: () => alone('process', 'It leads a session of its own'),
  fork: () => alone('process', 'It is born in the namespace of processes that it joins'),
  terminal: () => alone('process', 'It has a terminal'),
  rlimit: step => {
    const [soft, hard] = [limitText(textOf(step, 'soft')), limitText(textOf(step, 'hard'))]
    const up = hard === soft ? '' : `, and may be raised to ${hard}`
    return alone('limits', `${textOf(step, 'resource')} is ${soft}${up}`)
  },
  'raise-limit': step =>
    alone('limits', `${textOf(step, 'resource')} may be raised to ${limitText(textOf(step, 'hard'))}`),
  bound: step =>
    alone('isolation', `No program that it runs gets other capabilities than ${names(textOf(step, 'capabilities'))}`),
  capabilities: step => alone('isolation', `Its capabilities: ${names(textOf(step, 'effective'))}`),
  'no-new-privileges': () => alone('isolation', 'No program that it runs has more rights than it has itself'),
  seccomp: step => alone('isolation', `System calls are filtered by ${textOf(step, 'filter')}`),
  identity: step => alone('process', `It runs as user ${textOf(step, 'uid')}, group ${textOf(step, 'gid')}`),
  umask: step =>
    alone(
      'process',
      `What it makes is without the rights of ${Number(textOf(step, 'mask')).toString(8).padStart(3, '0')} (umask)`,
    ),
  cwd: step => alone('process', `It begins in ${path(step)}`),
  init: () => alone('process', 'A small init runs it, passes signals on and clears away what has ended'),
  exec: step => {
    const env = textOf(step, 'env')
    return alone('process', `It runs ${textOf(step, 'argv')}${env === '' ? '' : `, with ${env} of environment`}`)
  },
}

/** Whether a step has words of its own. */
export function isKnown(name: string): boolean {
  return Object.hasOwn(words, name) || mountSteps.has(name)
}

/** Every step is in one of them; they come by what they are about, then in the order of the program. */
export function factsOf(steps: readonly ProgramStep[]): readonly Fact[] {
  interface Gathered {
    readonly part: Part
    readonly items: string[]
    readonly cause: string
    readonly steps: number[]
  }
  const mounts = new Mounts()
  const gathered = new Map<string, Gathered>()
  const add = (part: Part, cause: string, numbers: readonly number[]) => {
    const key = JSON.stringify([part.about, part.key, cause])
    const found = gathered.get(key) ?? { part, items: [], cause, steps: [] }
    gathered.set(key, found)
    if (!found.items.includes(part.item)) found.items.push(part.item)
    found.steps.push(...numbers)
  }
  for (const [index, step] of steps.entries()) {
    if (mountSteps.has(step.name)) {
      const told = mounts.take(step, index + 1)
      if (told) add(told.part, step.cause, told.steps)
    } else add((Object.hasOwn(words, step.name) ? words[step.name]! : unknown)(step), step.cause, [index + 1])
  }
  return [...gathered.values()]
    .map(({ part, items, cause, steps: numbers }) => ({
      about: part.about,
      text: part.words(items),
      cause,
      steps: numbers.sort((a, b) => a - b),
    }))
    .sort((a, b) => abouts.indexOf(a.about) - abouts.indexOf(b.about))
}

/** Of an engine that is newer than this. */
function unknown({ name, args }: ProgramStep): Part {
  return alone('process', [name, ...Object.values(args).flat()].join(' '))
}

/** Four or sixteen bytes as hexadecimal digits. */
function addressText(hex: string): string {
  if (hex.length === 8)
    return hex
      .match(/../g)!
      .map(byte => Number.parseInt(byte, 16))
      .join('.')
  return hex.length === 32
    ? hex
        .match(/.{4}/g)!
        .map(group => group.replace(/^0+(?=.)/, ''))
        .join(':')
    : hex
}
