/** An init container: made, run to its end, and gone again, however it ends. */
import type { ContainerCreate } from '../../../api/container-body.ts'
import { containerEndpoints } from '../../../api/containers.ts'
import type { PerformContext } from '../../../apply/performer.ts'
import type { Client } from '../../../client/client.ts'
import { Failure, isFailure } from '../../../lib/failure.ts'
import { labels } from '../labels.ts'
import { splitLines } from '../logs/log-lines.ts'
import type { Operation } from '../operation.ts'
import { onceSettled } from './settled.ts'
import { tarOf } from './tar.ts'
import type { Waiter } from './wait.ts'

type RunInit = Operation & { readonly kind: 'run-init' }

/** It is removed whoever interrupts it. */
const whole = new AbortController().signal

/** Lines of its output that a failure shows. */
const shownLines = 5

/** `body`: with all that is known only now. @throws Failure when it ends with another code than 0 */
export async function runInit(
  client: Client,
  operation: RunInit & { readonly body: ContainerCreate },
  context: Pick<PerformContext, 'signal' | 'onOutput' | 'onWarning'> & { readonly waiter: Waiter },
): Promise<void> {
  const id = await create(client, operation, context)
  const remove = async (): Promise<void> => {
    const busy = { waiter: context.waiter, id, signal: whole }
    try {
      // one that is interrupted as it starts is being removed already
      await onceSettled(busy, () =>
        client.call(containerEndpoints.containerRemove, { params: { id }, query: { force: true, v: true } }),
      )
    } catch (error) {
      if (!isFailure(error, 'not-found')) throw error
    }
  }
  try {
    await untilEnded(client, id, { ...operation, ...context, remove })
  } catch (error) {
    // what could not be removed is of less weight, and goes before the next attempt, or by down
    await remove().catch(({ message }: Error) => context.onWarning(message))
    if (context.signal.aborted)
      throw new Failure('cancelled', `Interrupted while ${operation.name} ran`, { cause: error })
    throw error
  }
  await remove()
}

/** Its id. What another attempt has left under its name goes first. */
async function create(
  client: Client,
  { name, platform, body }: RunInit,
  { onWarning }: Pick<PerformContext, 'onWarning'>,
): Promise<string> {
  const ask = () => client.call(containerEndpoints.containerCreate, { body, query: { name, platform, strict: true } })
  let made: Awaited<ReturnType<typeof ask>>
  try {
    made = await ask()
  } catch (error) {
    if (!isFailure(error, 'conflict') || !(await removeLeftOver(client, name, body))) throw error
    made = await ask()
  }
  for (const warning of made.Warnings ?? []) onWarning(warning)
  return made.Id
}

/** False when the name is that of something else. */
async function removeLeftOver(client: Client, name: string, { Labels: own }: ContainerCreate): Promise<boolean> {
  const params = { id: name }
  try {
    const { Config } = await client.call(containerEndpoints.containerInspect, { params })
    const isSame = [labels.project, labels.service, labels.hook].every(key => Config.Labels?.[key] === own?.[key])
    if (!isSame) return false
    await client.call(containerEndpoints.containerRemove, { params, query: { force: true, v: true } })
  } catch (error) {
    if (!isFailure(error, 'not-found')) throw error
  }
  return true
}

interface Run extends RunInit, Pick<PerformContext, 'signal' | 'onOutput'> {
  /** Ends it too. */
  remove(): Promise<void>
}

async function untilEnded(client: Client, id: string, { name, files, signal, onOutput, remove }: Run): Promise<void> {
  const params = { id }
  if (files.length > 0)
    await client.call(containerEndpoints.containerArchivePut, {
      params,
      query: { path: '/', noOverwriteDirNonDir: true },
      body: tarOf(files),
    })
  const query = { stream: true, stdout: true, stderr: true }
  // before it starts: nothing that it writes is missed
  const { output, socket } = await client.hijack(containerEndpoints.containerAttach, { params, query }, { tty: false })
  const last: string[] = []
  const removing = Promise.withResolvers<never>()
  const stop = (): void => {
    remove().then(
      () => removing.reject(signal.reason),
      (error: unknown) => removing.reject(error),
    )
  }
  removing.promise.catch(() => undefined)
  try {
    signal.throwIfAborted()
    signal.addEventListener('abort', stop, { once: true })
    await client.call(containerEndpoints.containerStart, { params })
    const ended = async (): Promise<number> => {
      for await (const { text } of splitLines(output)) {
        onOutput(text)
        last.push(text)
        if (last.length > shownLines) last.shift()
      }
      const replies = await client.stream(containerEndpoints.containerWait, { params, query: {} }, { signal })
      for await (const { StatusCode } of replies) return StatusCode
      throw new Failure('unavailable', `Cannot tell how "${name}" has ended: the engine said nothing`)
    }
    const code = await Promise.race([ended(), removing.promise])
    if (code === 0) return
    const shown = last.length === 0 ? '' : `: ${last.join(' / ')}`
    throw new Failure('conflict', `Init container ${name} exited with status ${code}${shown}`)
  } finally {
    signal.removeEventListener('abort', stop)
    socket.destroy()
  }
}
