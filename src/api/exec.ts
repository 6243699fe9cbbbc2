/** Endpoints of a further process in a running container. */
import { empty, endpoint, hijack, json, optionalJson, table } from './endpoint.ts'

export interface ExecCreate {
  readonly AttachStdin?: boolean
  readonly AttachStdout?: boolean
  readonly AttachStderr?: boolean
  readonly Tty?: boolean
  readonly Detach?: boolean
  readonly DetachKeys?: string
  /** Rows, columns. */
  readonly ConsoleSize?: readonly number[]
  readonly Cmd?: readonly string[]
  readonly Env?: readonly string[]
  readonly User?: string
  readonly WorkingDir?: string
  readonly Privileged?: boolean
}

export interface ExecStart {
  readonly Detach?: boolean
  readonly Tty?: boolean
  readonly ConsoleSize?: readonly number[]
}

export interface ExecInspect {
  readonly ID: string
  readonly Running: boolean
  /** Null until it has ended. */
  readonly ExitCode: number | null
  readonly ProcessConfig: {
    readonly tty: boolean
    readonly entrypoint: string
    readonly arguments: readonly string[]
    readonly privileged?: boolean
    readonly user?: string
  }
  readonly OpenStdin: boolean
  readonly OpenStderr: boolean
  readonly OpenStdout: boolean
  readonly CanRemove: boolean
  readonly ContainerID: string
  readonly DetachKeys: string
  readonly Pid: number
}

export const execEndpoints = table({
  execCreate: endpoint('POST', '/containers/{id*}/exec', {
    body: json<ExecCreate>(({ z, flag, text, size, command, strings }) =>
      z.object({
        AttachStdin: flag,
        AttachStdout: flag,
        AttachStderr: flag,
        Tty: flag,
        Detach: flag,
        DetachKeys: text,
        ConsoleSize: size,
        Cmd: command,
        Env: strings,
        User: text,
        WorkingDir: text,
        Privileged: flag,
      }),
    ),
    reply: json<{ readonly Id: string }>(),
    status: 201,
  }),
  /** Detached (`Detach: true`) it answers 200 and nothing. */
  execStart: endpoint('POST', '/exec/{id}/start', {
    body: optionalJson<ExecStart>(({ z, flag, size }) => z.object({ Detach: flag, Tty: flag, ConsoleSize: size })),
    reply: hijack,
    status: 200,
  }),
  execResize: endpoint('POST', '/exec/{id}/resize', {
    query: { h: 'string', w: 'string' },
    reply: empty,
    status: 200,
  }),
  execInspect: endpoint('GET', '/exec/{id}/json', { reply: json<ExecInspect>() }),
})
