/** Attaches a client to a container that runs, or that is to be started next. */
import type { Session } from '../../../api/endpoint.ts'
import { Failure } from '../../../lib/failure.ts'
import type { Attachment } from '../../../runtime/runtime.ts'
import { readLog } from '../../logs/read.ts'
import type { Container } from '../container.ts'
import { type Parts, tell } from '../parts.ts'
import { session } from './session.ts'

export interface AttachOptions {
  /** Live output and input; otherwise the log alone. */
  readonly stream: boolean
  readonly stdin: boolean
  readonly stdout: boolean
  readonly stderr: boolean
  /** What has been written so far comes first. */
  readonly logs: boolean
  readonly detachKeys?: string | undefined
}

export async function attach(parts: Parts, container: Container, options: AttachOptions): Promise<Session> {
  const { status } = container.state
  if (status === 'paused')
    throw new Failure('conflict', `container ${container.id} is paused, unpause the container before attach`)
  if (status === 'restarting')
    throw new Failure('conflict', `container ${container.id} is restarting, wait until the container is running`)
  const { Tty: tty, OpenStdin } = container.record.config
  const stdin = options.stdin && OpenStdin
  const streams = { stdin, stdout: options.stdout, stderr: options.stderr }
  const attached = options.stream ? await connect(container, streams) : undefined
  const before = options.logs
    ? readLog(parts.paths.containerLog(container.id), {
        stdout: options.stdout,
        stderr: options.stderr,
        signal: new AbortController().signal,
      })
    : undefined
  tell(parts, container, 'attach')
  return session(attached?.promise ?? Promise.resolve(undefined), {
    tty,
    ...streams,
    ...(tty && { detachKeys: options.detachKeys ?? '' }),
    before,
    onClose: attached?.leave,
    onDetach: () => tell(parts, container, 'detach'),
  })
}

type Streams = { readonly stdin: boolean; readonly stdout: boolean; readonly stderr: boolean }

/** Wrapped, since a promise of the next start must not be awaited here. */
async function connect(
  container: Container,
  streams: Streams,
): Promise<{ readonly promise: Promise<Attachment | undefined>; readonly leave?: () => void }> {
  if (container.process) return { promise: Promise.resolve(await container.process.attach(streams)) }
  const next = Promise.withResolvers<Attachment | undefined>()
  const waiting = { streams, connect: next.resolve, end: () => next.resolve(undefined) }
  container.waiting.add(waiting)
  return { promise: next.promise, leave: () => container.waiting.delete(waiting) }
}
