/** A hook of a service: a command in its container, by exec. */
import { execEndpoints } from '../../../api/exec.ts'
import type { Client } from '../../../client/client.ts'
import { Failure, isFailure } from '../../../lib/failure.ts'
import { splitLines } from '../logs/log-lines.ts'
import type { Operation } from '../operation.ts'

type RunHook = Operation & { readonly kind: 'run-hook' }

/** @throws Failure when it ends with another code than 0; one that should run before a stop is not needed when all has ended. */
export async function runHook(
  client: Client,
  id: string,
  { hook, phase, service, onOutput }: RunHook & { readonly onOutput: (line: string) => void },
): Promise<void> {
  const last: string[] = []
  try {
    const body = {
      Cmd: [...hook.command],
      Env: hook.environment,
      ...(hook.user === undefined ? {} : { User: hook.user }),
      ...(hook.workingDir === undefined ? {} : { WorkingDir: hook.workingDir }),
      Privileged: hook.privileged,
      AttachStdout: true,
      AttachStderr: true,
    }
    const exec = await client.call(execEndpoints.execCreate, { params: { id }, body })
    const params = { id: exec.Id }
    const { output, socket } = await client.hijack(execEndpoints.execStart, { params, body: {} }, { tty: false })
    try {
      for await (const { text } of splitLines(output)) {
        onOutput(text)
        last.push(text)
        if (last.length > 5) last.shift()
      }
    } finally {
      socket.destroy()
    }
    const { ExitCode: code } = await client.call(execEndpoints.execInspect, { params })
    if (code === 0) return
    const shown = last.length === 0 ? '' : `: ${last.join(' / ')}`
    throw new Failure('conflict', `${service} hook exited with status ${code}${shown}`)
  } catch (error) {
    // it has ended by itself in the meantime
    if (phase === 'pre_stop' && (isFailure(error, 'not-found') || isEnded(error))) return
    throw error
  }
}

/** The engine's 409 for an exec in what does not run. */
function isEnded(error: unknown): boolean {
  return isFailure(error, 'conflict') && /is not running/.test(error.message)
}
