/** RUN: its command line, its mounts, and what it sees of the stage. */
import { posix } from 'node:path'
import { Failure } from '../../../lib/failure.ts'
import { chomped, heredocMarkOf } from '../../dockerfile/heredoc.ts'
import type { RunInstruction } from '../../dockerfile/instruction.ts'
import { type Mount, parseMount } from '../../dockerfile/run-mount.ts'
import { invalid } from '../../dockerfile/source-failure.ts'
import { goQuote, trim } from '../../dockerfile/text.ts'
import { withShell } from '../../images/config-instruction.ts'
import { labelText } from './config-step.ts'
import type { Input, RunMount, RunStep } from './plan.ts'
import type { Scope } from './scope.ts'

/** Where scripts that begin with "#!" are put. */
const scripts = '/dev/pipes/'

/**
 * @param inputOf its mounts, by their order; undefined where one names none.
 * @throws Failure `invalid`, `unsupported`.
 */
export function runStep(
  scope: Scope,
  instruction: RunInstruction,
  inputOf: (mount: Mount, at: number) => Input | undefined,
  label: (text: string) => string,
): RunStep {
  const { lines, network, security } = instruction
  if (instruction.devices.length > 0) {
    throw new Failure(
      'unsupported',
      `Cannot give the device "${instruction.devices[0]}" to RUN: CDI devices are not supported`,
    )
  }
  const expand = scope.expander(lines).word
  const wanted = instruction.mounts.map(text => parseMount(text, expand))
  const { args, mount: script, summary } = commandOf(scope, instruction)
  const mounts = wanted.map((each, i) => mountOf(scope, each, inputOf(each, i), socketNumber(wanted, i)))
  const secrets = new Map(wanted.flatMap(({ type, env }) => (type === 'secret' && env ? [[env, '****'] as const] : [])))
  const shown = labelText(scope, instruction.text + summary, { rawQuotes: true, keepUnset: true }, secrets)
  return {
    kind: 'run',
    label: label(shown),
    lines,
    createdBy: `RUN ${[...argumentWords(scope), ...args].join(' ')} # buildkit`,
    args,
    env: withSocket(scope.env, mounts),
    proxyEnv: scope.around.proxyEnv,
    cwd: scope.cwd,
    user: scope.user,
    mounts: script ? [...mounts, script] : mounts,
    network,
    security,
    buildArgs: new Map([...scope.arguments.keys()].map(name => [name, argumentValue(scope, name)])),
  }
}

const argumentValue = (scope: Scope, name: string): string => scope.variable(name) ?? scope.arguments.get(name) ?? ''

/** As the history has them before the command: "|2", "A=1", "B=2". */
function argumentWords(scope: Scope): readonly string[] {
  const names = [...scope.arguments.keys()]
  return names.length === 0 ? [] : [`|${names.length}`, ...names.map(name => `${name}=${argumentValue(scope, name)}`)]
}

interface Command {
  readonly args: readonly string[]
  readonly mount: RunMount | undefined
  /** What is shown of a script, behind the instruction. */
  readonly summary: string
}

function commandOf(scope: Scope, { command, heredocs }: RunInstruction): Command {
  const [first] = heredocs
  if (!first) return { args: withShell(scope.config, command), mount: undefined, summary: '' }
  const text = command.words[0] ?? ''
  const run = (line: string) => withShell(scope.config, { words: [line], shell: true })
  if (!heredocMarkOf(text)) {
    // a command that reads heredocs: the shell is given them back
    const whole = [text, ...heredocs.map(({ name, content }) => content + name)].join('\n')
    return { args: run(whole), mount: undefined, summary: '' }
  }
  const content = chomped(first)
  const summary = ` (${summaryOf(first.content)})`
  if (!first.content.startsWith('#!')) return { args: run(content), mount: undefined, summary }
  const mount = { kind: 'files', target: scripts, files: [{ name: first.name, content }] } as const
  return { args: run(posix.join(scripts, first.name)), mount, summary }
}

function summaryOf(content: string): string {
  const [first = '', ...more] = trim(content).split(/\r?\n/)
  return more.length > 0 ? `${first}...` : first
}

/** Which of the ssh mounts it is, from 0. */
const socketNumber = (mounts: readonly Mount[], at: number): number =>
  mounts.slice(0, at).filter(({ type }) => type === 'ssh').length

function mountOf(scope: Scope, mount: Mount, input: Input | undefined, socket: number): RunMount {
  const { uid = 0, gid = 0, required } = mount
  if (mount.type === 'secret') {
    const id = mount.source || mount.id || posix.basename(mount.target)
    const target = mount.target || (mount.env === undefined ? `/run/secrets/${posix.basename(id)}` : undefined)
    return { kind: 'secret', id, target, variable: mount.env, required, mode: mount.mode ?? 0o400, uid, gid }
  }
  if (mount.type === 'ssh') {
    if (mount.source !== '') throw invalid('ssh does not support source')
    const target = mount.target || `/run/buildkit/ssh_agent.${socket}`
    return { kind: 'ssh', id: mount.id || 'default', target, required, mode: mount.mode ?? 0o600, uid, gid }
  }
  const target = mount.target.startsWith('/')
    ? mount.target
    : posix.join('/', scope.cwd, mount.target).replace(/(?<=.)\/$/, '')
  if (target === '/') throw invalid(`invalid mount target ${goQuote(target)}`)
  if (mount.type === 'tmpfs') return { kind: 'tmpfs', target, size: mount.size || undefined }
  const source = posix.join('/', mount.source).replace(/(?<=.)\/$/, '')
  if (mount.type === 'bind') {
    return {
      kind: 'bind',
      target,
      from: mount.from === '' || !input ? { kind: 'context', name: 'context' } : input,
      source,
      writable: !mount.readonly,
    }
  }
  return {
    kind: 'cache',
    target,
    id: cacheId(scope, mount),
    from: input ?? { kind: 'scratch' },
    source,
    readonly: mount.readonly,
    sharing: mount.sharing ?? 'shared',
    mode: mount.mode ?? 0o755,
    uid,
    gid,
  }
}

/** Caches of another BUILDKIT_CACHE_MOUNT_NS are others. */
function cacheId(scope: Scope, { id, target }: Mount): string {
  const namespace = scope.around.given.get('BUILDKIT_CACHE_MOUNT_NS') ?? ''
  const name = id || (target === '' ? '.' : posix.normalize(target).replace(/(?<=.)\/$/, ''))
  return namespace === '' ? name : `${namespace}/${name}`
}

function withSocket(env: readonly string[], mounts: readonly RunMount[]): readonly string[] {
  const socket = mounts.find(({ kind }) => kind === 'ssh')
  if (!socket || env.some(each => each.startsWith('SSH_AUTH_SOCK='))) return env
  return [...env, `SSH_AUTH_SOCK=${socket.target}`]
}
