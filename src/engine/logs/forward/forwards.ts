/** The logs that are sent on: each from its container's start until all is sent, taken up again by the next engine. */
import { setTimeout as pause } from 'node:timers/promises'
import { messageOf } from '../../../lib/failure.ts'
import type { LogInfo } from '../log-info.ts'
import type { ForwardingDriver } from '../log-options.ts'
import { Forwarder } from './forwarder.ts'
import { PositionFile } from './position.ts'
import type { Route, Sender } from './sender.ts'

export interface ForwardTarget {
  readonly driver: ForwardingDriver
  /** With the path of its log. */
  readonly info: LogInfo
  /** Where it is written down how far it has been sent. */
  readonly position: string
}

export interface BeginOptions {
  /** Settles when nothing more will be written. */
  readonly ended: Promise<unknown>
  /** A connection that is there already. */
  readonly sender?: Sender | undefined
}

/** How long the removal of a container waits for its last lines to be sent, in milliseconds. */
const grace = 5000

export class Forwards {
  readonly #say: (line: string) => void
  /** By the container's id; the promise settles when the one before has ended. */
  readonly #running = new Map<string, Promise<Forwarder | undefined>>()
  #closed = false

  constructor(say: (line: string) => void) {
    this.#say = say
  }

  /** Looks whether the server is there. Undefined for a driver that does not want to know. @throws Failure saying why not. */
  async connect(target: ForwardTarget): Promise<Sender | undefined> {
    const route = await routeOf(target)
    return route.unchecked ? undefined : route.connect(new AbortController().signal)
  }

  /** From here on its log is sent. What was not sent of a run before goes first. */
  begin(target: ForwardTarget, options: BeginOptions): void {
    const { id, name } = target.info
    const before = this.#running.get(id)
    const forwarder = this.#begin(target, options, before).catch(error => {
      this.#say(`Cannot send the log of "${name}": ${messageOf(error)}`)
      return undefined
    })
    this.#running.set(id, forwarder)
    void forwarder
      .then(each => each?.done)
      .then(() => {
        if (this.#running.get(id) === forwarder) this.#running.delete(id)
      })
  }

  async #begin(
    target: ForwardTarget,
    { ended, sender }: BeginOptions,
    before: Promise<Forwarder | undefined> | undefined,
  ): Promise<Forwarder | undefined> {
    await (await before)?.close()
    if (this.#closed) {
      await sender?.close()
      return undefined
    }
    const { info } = target
    return new Forwarder({
      name: info.name,
      container: info.id,
      log: info.logPath,
      position: new PositionFile(target.position),
      route: await routeOf(target),
      sender,
      ended,
      say: this.#say,
    })
  }

  /** Its log is about to go: what it has not sent yet goes out first, if somebody takes it. */
  async removed(id: string): Promise<void> {
    const forwarder = await this.#running.get(id)
    if (!forwarder) return
    const timeout = new AbortController()
    if (!forwarder.failing)
      await Promise.race([forwarder.done, pause(grace, undefined, { signal: timeout.signal }).catch(() => undefined)])
    timeout.abort()
    await forwarder.close()
    if (!forwarder.complete) this.#say(`The log of "${forwarder.name}" is removed before all of it was sent`)
  }

  /** What is not sent is sent by the next engine. */
  async close(): Promise<void> {
    this.#closed = true
    const forwarders = await Promise.all(this.#running.values())
    await Promise.all(forwarders.map(each => each?.close()))
  }
}

/** The senders are loaded when the first container wants one. */
async function routeOf({ driver, info }: ForwardTarget): Promise<Route> {
  const { routeOf: route } = await import('./routes.ts')
  return route(driver, info)
}
