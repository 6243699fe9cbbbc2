/** { step, errno } → a sentence. Where Docker's clients read a text, it holds their words. */
import { Failure, type FailureKind } from '../lib/failure.ts'
import { errnoHint, errnoName } from './errno.ts'
import { rlimitName } from './parts/limits.ts'
import { type Program, stepAt } from './program.ts'
import type { Step } from './steps.ts'

/** `docker run` ends with 127 for "executable file not found" and "no such file or directory", with 126 for "permission denied". */
function commandFailure(command: string, errno: number): Failure {
  const begin = `failed to create task for container: failed to start process: exec: "${command}"`
  const name = errnoName(errno)
  if (name === 'ENOENT' && !command.includes('/'))
    return new Failure('invalid', `${begin}: executable file not found in $PATH`, { exitCode: 127 })
  if (name === 'ENOENT')
    return new Failure('invalid', `${begin}: stat ${command}: no such file or directory`, { exitCode: 127 })
  const words = name === 'ENOEXEC' ? 'exec format error' : name === 'ENOTDIR' ? 'not a directory' : `permission denied`
  return new Failure('invalid', `${begin}: ${words}`, {
    exitCode: 126,
    hint: name === 'EACCES' ? 'Make the file executable in the image' : undefined,
  })
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
    case 'netns-keep':
      return `keep network namespace "${step.args.path}"`
    case 'netns-enter':
      return `enter network namespace "${step.args.path}"`
    case 'bridge':
      return `create bridge "${step.args.name}"`
    case 'veth':
      return `connect "${step.args.host}" to bridge "${step.args.bridge}"`
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
    case 'tree-beneath':
      return `mount "${step.args.beneath}" of "${step.args.path}"`
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
    case 'cwd':
    case 'folder':
      return `use working directory "${step.args.path}"`
    case 'rlimit':
      return `set ulimit ${rlimitName(step.args.resource)} to ${step.args.soft}:${step.args.hard}`
    case 'target':
      return `join process ${step.args.pid}`
    case 'log':
      return `open log "${step.args.path}"`
    case 'supervise':
      return `open "${step.args.directory}"`
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
