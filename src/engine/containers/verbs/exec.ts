/** A further process in a running container: what is asked → its ExecSpec, and how it reads in inspect. */
import type { ExecCreate, ExecInspect } from '../../../api/exec.ts'
import { parseDetachKeys } from '../../../lib/detach-keys.ts'
import { Failure } from '../../../lib/failure.ts'
import type { Exit, Supervised } from '../../../runtime/runtime.ts'
import type { ExecSpec } from '../../../runtime/spec.ts'
import { type ContainerDefaults, underDefaults } from '../config/container-defaults.ts'
import { execEnvironment } from '../config/environment.ts'
import { processSpec } from '../config/process.ts'
import type { FoundUser } from '../config/user.ts'
import type { Container } from '../container.ts'
import { isCommandFailure } from './start.ts'

export interface Exec {
  readonly id: string
  readonly container: Container
  readonly body: ExecCreate
  readonly user: FoundUser
  /** Variables of the containers that its own is linked to, as they were when it was made. */
  readonly links: readonly string[]
  /** The container's process when it was made. */
  readonly host: Supervised | undefined
  /** Its start has been asked for: it counts as running, so that whoever is told that it starts never takes it for one that has ended. */
  asked: boolean
  started: boolean
  /** Resolves when it has started; with undefined when it did not. */
  readonly ready: PromiseWithResolvers<Supervised | undefined>
  process: Supervised | undefined
  exitCode: number | null
  pid: number
  /** Milliseconds; for forgetting it later. */
  endedAt: number | undefined
}

export interface ExecStreams {
  readonly stdin: boolean
  readonly stdout: boolean
  readonly stderr: boolean
}

export function execSpec(
  exec: Exec,
  options: {
    readonly directory: string
    readonly attach: ExecStreams | undefined
    readonly defaults: ContainerDefaults
    readonly size: readonly [number, number]
  },
): ExecSpec {
  const { body, container, user } = exec
  const { config } = container.record
  const hostConfig = underDefaults(container.record.hostConfig, options.defaults)
  const privileged = body.Privileged ?? false
  return {
    kind: 'exec',
    id: exec.id,
    pid: container.state.pid,
    cgroupPath: container.cgroup,
    ids: container.record.users,
    privileged: privileged || hostConfig.Privileged,
    process: processSpec(hostConfig, {
      args: body.Cmd ?? [],
      env: execEnvironment({
        container: [...exec.links, ...config.Env],
        env: body.Env ?? [],
        hostname: config.Hostname,
        terminal: body.Tty ?? false,
        home: user.home,
      }),
      cwd: body.WorkingDir || config.WorkingDir || '/',
      user,
      privileged,
    }),
    stdio: {
      terminal: body.Tty ?? false,
      stdin: options.attach?.stdin ?? false,
      stdinOnce: true,
      size: options.size,
      attach: options.attach,
    },
    supervise: { directory: options.directory, log: undefined },
  }
}

/** A start that failed, in the words and with the exit code that Docker's clients get. */
export function execFailure(error: Failure): Failure {
  if (!isCommandFailure(error)) return error
  const message = `OCI runtime exec failed: exec failed: unable to start container process: ${error.message}`
  return new Failure('invalid', message, { cause: error, exitCode: error.exitCode, hint: error.hint })
}

/** Records how it ended. */
export function execEnded(exec: Exec, exit: Exit): void {
  exec.exitCode = exit.code
  exec.process = undefined
  exec.endedAt = exit.finishedAt.getTime()
  // its container shows it no more; by its id it is still found
  exec.container.execs.delete(exec.id)
}

export function inspectExec(exec: Exec): ExecInspect {
  const { body } = exec
  const [entrypoint = '', ...args] = body.Cmd ?? []
  return {
    ID: exec.id,
    Running: exec.asked && exec.endedAt === undefined,
    ExitCode: exec.exitCode,
    ProcessConfig: {
      tty: body.Tty ?? false,
      entrypoint,
      arguments: args,
      privileged: body.Privileged ?? false,
      ...(body.User && { user: body.User }),
    },
    OpenStdin: body.AttachStdin ?? false,
    OpenStderr: body.AttachStderr ?? false,
    OpenStdout: body.AttachStdout ?? false,
    CanRemove: false,
    ContainerID: exec.container.id,
    DetachKeys: body.DetachKeys ? Buffer.from(parseDetachKeys(body.DetachKeys)).toString('base64') : '',
    Pid: exec.pid,
  }
}
