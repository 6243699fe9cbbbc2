/** The table of steps: name, code, where it may stand, and its arguments. `stepsHeader()` makes native/steps.h of it. */

export const phases = ['host', 'child', 'undo'] as const
export type Phase = (typeof phases)[number]

/** `slot` is one of 256 places that hold a descriptor between steps. `bytes` and `list` take two words, the others one; six words a step. */
export type ArgumentKind = 'string' | 'number' | 'bytes' | 'list' | 'slot'

/** Which part of the monitor runs it. */
export const groups = ['settings', 'file', 'network', 'mount', 'namespace', 'process', 'user'] as const
type Group = (typeof groups)[number]

interface Shape {
  readonly code: number
  readonly group: Group
  readonly phases: readonly Phase[]
  readonly args: Readonly<Record<string, ArgumentKind>>
}

const host = ['host'] as const
const child = ['child'] as const
const both = ['host', 'child'] as const

export const steps = {
  // what the monitor itself needs to know
  supervise: {
    code: 1,
    group: 'settings',
    phases: host,
    args: { directory: 'string', oom: 'string', lasting: 'number' },
  },
  log: {
    code: 2,
    group: 'settings',
    phases: host,
    // as a member of each record, with its comma: `"attrs":{"a":"1"},` or ""
    args: { path: 'string', size: 'number', files: 'number', attributes: 'string' },
  },
  stdio: {
    code: 3,
    group: 'settings',
    phases: host,
    args: { flags: 'number', attach: 'number', rows: 'number', columns: 'number', uid: 'number' },
  },
  clone: { code: 4, group: 'settings', phases: host, args: { flags: 'number' } },
  yield: { code: 6, group: 'settings', phases: host, args: {} },
  'born-in': { code: 5, group: 'settings', phases: host, args: { path: 'string' } },
  // files of the kernel, by trusted paths of the host
  mkdir: { code: 10, group: 'file', phases: host, args: { path: 'string', mode: 'number' } },
  rmdir: { code: 11, group: 'file', phases: ['host', 'undo'], args: { path: 'string', patience: 'number' } },
  write: { code: 12, group: 'file', phases: both, args: { path: 'string', value: 'string' } },
  'join-cgroup': { code: 13, group: 'file', phases: child, args: { path: 'string' } },
  'filter-devices': { code: 14, group: 'file', phases: host, args: { path: 'string', filter: 'bytes' } },
  // network
  'netns-home': { code: 20, group: 'network', phases: host, args: { path: 'string' } },
  'netns-new': { code: 21, group: 'network', phases: host, args: {} },
  'netns-keep': { code: 22, group: 'network', phases: host, args: { path: 'string' } },
  'netns-enter': { code: 23, group: 'network', phases: host, args: { path: 'string' } },
  'netns-leave': { code: 24, group: 'network', phases: host, args: {} },
  'netns-drop': { code: 25, group: 'network', phases: ['host', 'undo'], args: { path: 'string' } },
  bridge: { code: 26, group: 'network', phases: host, args: { name: 'string', mac: 'bytes', mtu: 'number' } },
  veth: {
    code: 27,
    group: 'network',
    phases: host,
    args: { host: 'string', bridge: 'string', pair: 'bytes', mtu: 'number' },
  },
  port: { code: 28, group: 'network', phases: host, args: { name: 'string', isolated: 'number', hairpin: 'number' } },
  'link-up': { code: 29, group: 'network', phases: host, args: { inside: 'number', name: 'string' } },
  address: {
    code: 30,
    group: 'network',
    phases: host,
    args: { inside: 'number', name: 'string', address: 'bytes', prefix: 'number' },
  },
  route: { code: 31, group: 'network', phases: host, args: { name: 'string', gateway: 'bytes' } },
  'link-delete': { code: 32, group: 'network', phases: ['host', 'undo'], args: { inside: 'number', name: 'string' } },
  'netns-owned': { code: 34, group: 'network', phases: host, args: {} },
  master: { code: 33, group: 'network', phases: host, args: { name: 'string', bridge: 'string' } },
  // mounts, by descriptor; slot 0 is the root
  tree: { code: 40, group: 'mount', phases: both, args: { slot: 'slot', path: 'string', recursive: 'number' } },
  'fs-open': { code: 41, group: 'mount', phases: child, args: { type: 'string' } },
  'fs-set': { code: 42, group: 'mount', phases: child, args: { key: 'string', value: 'string' } },
  'fs-flag': { code: 43, group: 'mount', phases: child, args: { key: 'string' } },
  'fs-mount': { code: 44, group: 'mount', phases: child, args: { slot: 'slot', attributes: 'number' } },
  attributes: {
    code: 45,
    group: 'mount',
    phases: both,
    args: { slot: 'slot', set: 'number', clear: 'number', propagation: 'number', recursive: 'number' },
  },
  'attach-root': { code: 46, group: 'mount', phases: child, args: { slot: 'slot', path: 'string' } },
  place: { code: 47, group: 'mount', phases: child, args: { slot: 'slot', path: 'string', make: 'number' } },
  folder: { code: 48, group: 'mount', phases: child, args: { slot: 'slot', path: 'string', mode: 'number' } },
  node: {
    code: 49,
    group: 'mount',
    phases: child,
    args: { slot: 'slot', path: 'string', mode: 'number', device: 'number', uid: 'number', gid: 'number' },
  },
  symlink: { code: 50, group: 'mount', phases: child, args: { slot: 'slot', path: 'string', target: 'string' } },
  mask: { code: 51, group: 'mount', phases: child, args: { path: 'string' } },
  'read-only': { code: 52, group: 'mount', phases: child, args: { path: 'string' } },
  propagation: { code: 53, group: 'mount', phases: child, args: { flags: 'number' } },
  pivot: { code: 54, group: 'mount', phases: child, args: { slot: 'slot' } },
  'open-folder': { code: 55, group: 'mount', phases: child, args: { slot: 'slot', path: 'string' } },
  'tree-of': { code: 56, group: 'mount', phases: host, args: { slot: 'slot', path: 'string' } },
  'mount-overlay': {
    code: 57,
    group: 'mount',
    phases: child,
    args: { folder: 'string', data: 'string', target: 'string', slot: 'slot' },
  },
  'tree-beneath': {
    code: 58,
    group: 'mount',
    phases: child,
    args: { slot: 'slot', path: 'string', recursive: 'number', beneath: 'string' },
  },
  'map-ids': {
    code: 59,
    group: 'user',
    phases: both,
    args: { slot: 'slot', path: 'string', recursive: 'number' },
  },
  'fs-mount-as': {
    code: 84,
    group: 'user',
    phases: child,
    args: { slot: 'slot', attributes: 'number', uid: 'number', gid: 'number' },
  },
  // the user namespace: `flags` are further namespaces that belong to it
  'user-new': { code: 79, group: 'user', phases: host, args: { uids: 'string', gids: 'string', flags: 'number' } },
  'user-of-target': { code: 80, group: 'user', phases: host, args: { flags: 'number' } },
  'user-of-netns': { code: 81, group: 'user', phases: host, args: {} },
  'user-enter': { code: 82, group: 'user', phases: child, args: { flags: 'number' } },
  'user-root': { code: 83, group: 'user', phases: child, args: {} },
  // the process
  target: { code: 60, group: 'namespace', phases: host, args: { pid: 'number', cgroup: 'string' } },
  join: { code: 61, group: 'namespace', phases: both, args: { flags: 'number' } },
  unshare: { code: 63, group: 'namespace', phases: child, args: { flags: 'number' } },
  hostname: { code: 64, group: 'namespace', phases: child, args: { name: 'string' } },
  domainname: { code: 65, group: 'namespace', phases: child, args: { name: 'string' } },
  session: { code: 66, group: 'process', phases: child, args: {} },
  terminal: { code: 67, group: 'process', phases: child, args: { slot: 'slot', uid: 'number', console: 'number' } },
  rlimit: { code: 68, group: 'process', phases: child, args: { resource: 'number', soft: 'number', hard: 'number' } },
  'raise-limit': { code: 85, group: 'process', phases: child, args: { resource: 'number', hard: 'number' } },
  bound: { code: 69, group: 'process', phases: child, args: { capabilities: 'number', last: 'number' } },
  identity: { code: 70, group: 'process', phases: child, args: { uid: 'number', gid: 'number', groups: 'bytes' } },
  capabilities: { code: 71, group: 'process', phases: child, args: { effective: 'number', permitted: 'number' } },
  'no-new-privileges': { code: 72, group: 'process', phases: child, args: {} },
  seccomp: { code: 73, group: 'process', phases: child, args: { filter: 'bytes' } },
  umask: { code: 74, group: 'process', phases: child, args: { mask: 'number' } },
  cwd: { code: 75, group: 'process', phases: child, args: { path: 'string' } },
  init: { code: 76, group: 'process', phases: child, args: { capabilities: 'number' } },
  fork: { code: 78, group: 'process', phases: child, args: {} },
  exec: { code: 77, group: 'process', phases: child, args: { argv: 'list', env: 'list' } },
} as const satisfies Record<string, Shape>

export type StepName = keyof typeof steps

type Value<K extends ArgumentKind> = K extends 'string'
  ? string
  : K extends 'bytes'
    ? Uint8Array
    : K extends 'list'
      ? readonly string[]
      : number

type Args<N extends StepName> = {
  readonly [A in keyof (typeof steps)[N]['args']]: Value<Extract<(typeof steps)[N]['args'][A], ArgumentKind>>
}

/** One step of a program, with the API field or default behind it. */
export type Step = {
  [N in StepName]: {
    readonly name: N
    readonly args: Args<N>
    readonly cause: string
    /** What takes a host step back when a later one fails. */
    readonly undo?: Step
  }
}[StepName]

/** A step, its arguments checked against the table by the compiler. */
export function step<N extends StepName>(name: N, args: Args<N>, cause = 'default', undo?: Step): Step {
  return { name, args, cause, undo } as unknown as Step
}

const letters: Readonly<Record<ArgumentKind, string>> = { string: 's', number: 'n', bytes: 'b', list: 'l', slot: 'r' }

/** native/steps.h: the same table for the C side. */
export function stepsHeader(): string {
  const symbol = (name: string) => `STEP_${name.toUpperCase().replaceAll('-', '_')}`
  const entries = Object.entries(steps) as [string, Shape][]
  const bits = (shape: Shape) => shape.phases.map(phase => `PHASE_${phase.toUpperCase()}`).join(' | ')
  const kinds = (shape: Shape) =>
    Object.values(shape.args)
      .map(kind => letters[kind])
      .join('')
  return `/* The table of steps, generated from src/runtime/steps.ts by schemas/generate.ts: do not edit. */
#ifndef STEPS_H
#define STEPS_H

enum phase { PHASE_HOST = 1, PHASE_CHILD = 2, PHASE_UNDO = 4 };

enum step_code {
${entries.map(([name, shape]) => `  ${symbol(name)} = ${shape.code},`).join('\n')}
};

enum step_group { ${groups.map(group => `GROUP_${group.toUpperCase()}`).join(', ')} };

/* s string, n number, b bytes (offset, length), l list (offset, count), r slot */
struct shape {
  int phases;
  enum step_group group;
  const char *args;
};

static const struct shape shapes[] = {
${entries.map(([name, shape]) => `    [${symbol(name)}] = {${bits(shape)}, GROUP_${shape.group.toUpperCase()}, "${kinds(shape)}"},`).join('\n')}
};

#endif
`
}

/** schemas/steps.json: the table for tools. */
export function stepsSchema(): object {
  return {
    title: 'Steps of a tscompose program',
    description:
      'A program is a flat list of these, run by native/monitor: host steps, clone, child steps; undo steps after a failure.',
    steps: Object.fromEntries(
      Object.entries(steps).map(([name, { code, group, phases, args }]) => [name, { code, group, phases, args }]),
    ),
  }
}
