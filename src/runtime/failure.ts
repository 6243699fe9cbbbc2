/** { step, errno } → a sentence. Where Docker's clients read a text, it holds their words. */
import { Failure, type FailureKind } from '../lib/failure.ts'
import { errnoHint, errnoName, errnoWords } from './errno.ts'
import { rlimitName } from './parts/limits.ts'
import { type Program, stepAt } from './program.ts'
import type { Step } from './steps.ts'

/**
 * What is wrong with a command is told in the words of runc, to which the engine adds what was to be done. Whoever runs it ends with
 * 127 when there is none, and with 126 when it cannot be executed.
 */
function commandFailure(command: string, errno: number): Failure {
  const name = errnoName(errno)
  const begin = `exec: "${command}"`
  if (name === 'ENOENT')
    return new Failure(
      'invalid',
      command.includes('/')
        ? `${begin}: stat ${command}: no such file or directory`
        : `${begin}: executable file not found in $PATH`,
      { exitCode: 127 },
    )
  // the words by which `docker run` knows 126
  const words = name === 'EISDIR' ? 'is a directory: permission denied' : errnoWords(errno)
  return new Failure('invalid', `${begin}: ${words}`, {
    exitCode: 126,
    hint: commandHints[name],
  })
}

const commandHints: Readonly<Record<string, string>> = {
  EACCES: 'Make the file executable in the image',
  E2BIG: 'One argument or variable may have 128 KiB, all together 2 MiB; pass more in a file',
  ENOEXEC: 'Begin a script with #! and its interpreter, or use an image for this machine',
}

function folderFailure(path: string, errno: number): Failure {
  return new Failure('invalid', `chdir to cwd ("${path}") set in config.json failed: ${errnoWords(errno)}`, {
    exitCode: 127,
  })
}

function partFailure(path: string, beneath: string, errno: number): Failure {
  // a link that leads out: the kernel's word for what is on another device
  if (errnoName(errno) === 'EXDEV')
    return new Failure('invalid', `path concatenation escapes the base directory, base: ${path}, subpath: ${beneath}`)
  return new Failure('not-found', `cannot access path ${path}/${beneath}: ${errnoWords(errno)}`)
}

/** What the step was about to do: the action and the thing, in words. */
function action(step: Step): string {
  switch (step.name) {
    case 'write':
      return writeAction(step.args.path, step.args.value, step.cause)
    case 'mkdir':
      return `create "${step.args.path}"`
    case 'rmdir':
      return `remove "${step.args.path}"`
    case 'join-cgroup':
      return `enter cgroup "${step.args.path}"`
    case 'born-in':
      return `open cgroup "${step.args.path}"`
    case 'yield':
      return 'have the network namespace made ready'
    case 'filter-devices':
      return `limit devices in cgroup "${step.args.path}"`
    case 'netns-keep':
      return `keep network namespace "${step.args.path}"`
    case 'netns-enter':
      return `enter network namespace "${step.args.path}"`
    case 'bridge':
      return `create bridge "${step.args.name}"`
    case 'veth':
      return `connect "${step.args.host}" to bridge "${step.args.bridge}"`
    case 'master':
      return `connect "${step.args.name}" to bridge "${step.args.bridge}"`
    case 'address':
      return `give interface "${step.args.name}" its address`
    case 'route':
      return `set the default route of "${step.args.name}"`
    case 'link-delete':
      return `delete interface "${step.args.name}"`
    case 'link-up':
      return `bring interface "${step.args.name}" up`
    case 'tree':
      return `mount "${step.args.path}"`
    case 'fs-set':
      return `mount with ${step.args.key}="${step.args.value}"`
    case 'place':
      return `mount on "${step.args.path}"`
    case 'node':
      return `create device "${step.args.path}"`
    case 'mask':
      return `hide "${step.args.path}"`
    case 'read-only':
      return `make "${step.args.path}" read-only`
    case 'folder':
      return `${step.cause === 'WorkingDir' ? 'use working directory' : 'make folder'} "${step.args.path}"`
    case 'rlimit':
      return `set ulimit ${rlimitName(step.args.resource)} to ${step.args.soft}:${step.args.hard}`
    case 'target':
      return `join process ${step.args.pid}`
    case 'log':
      return `open log "${step.args.path}"`
    case 'supervise':
      return `open "${step.args.directory}"`
    case 'map-ids':
      return `show "${step.args.path}" in a user namespace`
    case 'user-new':
    case 'user-of-target':
    case 'user-of-netns':
    case 'user-enter':
      return 'enter a user namespace'
    case 'identity':
      return `become user ${step.args.uid}:${step.args.gid}`
    default:
      return `run step ${step.name}`
  }
}

function writeAction(path: string, value: string, cause: string): string {
  if (path.startsWith('/proc/sys/')) return `set sysctl "${path.slice(10).replaceAll('/', '.')}" to "${value}"`
  if (path.endsWith('oom_score_adj')) return `set oom_score_adj to ${value}`
  if (path.includes('/attr/apparmor/')) return `use AppArmor profile "${value.replace(/^exec /, '')}"`
  if (path.includes('cgroup'))
    return `set ${cause === 'default' ? path : cause.replace(/^HostConfig\./, '')} to ${value}`
  return `write "${path}"`
}

const kinds: Readonly<Record<string, FailureKind>> = {
  EINVAL: 'invalid',
  ERANGE: 'invalid',
  EEXIST: 'conflict',
  EADDRINUSE: 'conflict',
  ESRCH: 'conflict',
}

/** The Failure for the step that a monitor reports; everything before it has been undone. */
export function stepFailure(program: Program, index: number, errno: number): Failure {
  const step = stepAt(program, index)
  const name = errnoName(errno)
  if (step === undefined) return new Failure('internal', `Cannot run the program: the monitor refused it with ${name}`)
  if (step.name === 'exec') return commandFailure(step.args.argv[0] ?? '', errno)
  if (step.name === 'cwd') return folderFailure(step.args.path, errno)
  if (step.name === 'folder' && step.cause === 'WorkingDir' && name === 'ENOTDIR')
    return new Failure('invalid', `Cannot mkdir: ${step.args.path} is not a directory`)
  if (step.name === 'tree-beneath') return partFailure(step.args.path, step.args.beneath, errno)
  if (step.name === 'map-ids' && name === 'EINVAL')
    return new Failure(
      'unsupported',
      `Cannot ${action(step)}: its file system, or one mounted below it, takes no mapped ids (${step.cause})`,
      { hint: 'Mount something else, or give the container userns_mode: host' },
    )
  const byAuthor =
    step.name === 'write' ||
    step.name === 'rlimit' ||
    step.name === 'bridge' ||
    step.name === 'address' ||
    step.name === 'target'
  const kind = byAuthor ? (kinds[name] ?? 'internal') : 'internal'
  const from = step.cause === 'default' ? '' : ` (${step.cause})`
  return new Failure(kind, `Cannot ${action(step)}: ${name}${from}`, { hint: errnoHint(errno) })
}
