/** Sends the log of one container on, a record after the other, from where the last one stopped; until all is sent, or it is closed. */
import { setTimeout as pause } from 'node:timers/promises'
import { isFailure, messageOf as textOf } from '../../../lib/failure.ts'
import { LogFollower } from '../log-follower.ts'
import { type LogMessage, messageOf, type OpenLines } from './message.ts'
import type { Position, PositionFile } from './position.ts'
import type { Route, Sender } from './sender.ts'

export interface ForwarderOptions {
  /** Of the container, for people and for ids. */
  readonly name: string
  readonly container: string
  readonly log: string
  readonly position: PositionFile
  readonly route: Route
  /** A connection that is there already. */
  readonly sender: Sender | undefined
  /** Settles when nothing more will be written. */
  readonly ended: Promise<unknown>
  readonly say: (line: string) => void
}

const firstDelay = 100
const longestDelay = 30_000

export class Forwarder {
  readonly #options: ForwarderOptions
  readonly #closing = new AbortController()
  /** Rejects when it is closed: a server that takes nothing keeps nobody waiting. */
  readonly #stopped: Promise<never>
  /** Wakes whoever waits for more of the log. */
  #waking = new AbortController()
  #over = false
  #sender: Sender | undefined
  #failing = false
  #unnoted = false
  #complete = false
  #unread = false
  #open: OpenLines = {}
  /** Behind the last record sent, whether or not the disk took it. */
  #position: Position | undefined
  /** Resolves when all is sent, or it was closed; never rejects. */
  readonly done: Promise<void>

  constructor(options: ForwarderOptions) {
    this.#options = options
    this.#sender = options.sender
    this.#stopped = new Promise((_, reject) =>
      this.#closing.signal.addEventListener('abort', () => reject(new Error('it is closed'))),
    )
    this.#stopped.catch(() => undefined)
    const end = () => {
      this.#over = true
      this.#waking.abort()
    }
    options.ended.then(end, end)
    this.done = this.#run()
  }

  get name(): string {
    return this.#options.name
  }

  /** Whether all there was to be sent has been. */
  get complete(): boolean {
    return this.#complete
  }

  /** Whether the last attempt to send came to nothing. */
  get failing(): boolean {
    return this.#failing
  }

  /** Stops where it is; the position is on disk. */
  async close(): Promise<void> {
    this.#closing.abort()
    this.#waking.abort()
    await this.done
  }

  async #run(): Promise<void> {
    const { name, say, log, position } = this.#options
    const { signal } = this.#closing
    this.#position = this.#start()
    const onLost = () => say(`Not all of the log of "${name}" was sent before it was rotated away`)
    try {
      for (let delay = firstDelay; !signal.aborted && !this.#complete; delay = Math.min(delay * 2, longestDelay)) {
        const follower = new LogFollower(log, { start: this.#position, onLost })
        try {
          await this.#forward(follower)
        } catch (error) {
          if (!this.#unread) say(`Cannot read the log of "${name}" to send it: ${textOf(error)}; it is tried again`)
          this.#unread = true
          await pause(delay, undefined, { signal }).catch(() => undefined)
        } finally {
          await follower.close()
        }
      }
    } finally {
      await this.#disconnect()
      position.close()
    }
  }

  /** @returns undefined: from the beginning, when nothing was sent or nobody knows how much. */
  #start(): Position | undefined {
    const { position, name, say } = this.#options
    try {
      const start = position.read()
      this.#open = start?.open ?? {}
      return start
    } catch (error) {
      say(`Cannot tell how much of the log of "${name}" was sent, so all of it is sent again: ${textOf(error)}`)
      return undefined
    }
  }

  async #forward(follower: LogFollower): Promise<void> {
    for (;;) {
      // asked before reading: what is there when all has been written is all there is
      const last = this.#over
      const records = await follower.next()
      if (this.#closing.signal.aborted) return
      if (!records) {
        if (last) {
          this.#complete = true
          return
        }
        this.#waking = new AbortController()
        if (this.#over || this.#closing.signal.aborted) continue
        await follower.more(this.#waking.signal)
        continue
      }
      for (const { record, place } of records) {
        const { message, open } = messageOf(record, { open: this.#open, container: this.#options.container })
        if (!(await this.#deliver(message))) return
        this.#open = open
        this.#unread = false
        this.#note({ ...place, open })
      }
    }
  }

  /** A full disk keeps nothing from being sent; a later engine sends it again. */
  #note(position: Position): void {
    this.#position = position
    try {
      this.#options.position.write(position)
      this.#unnoted = false
    } catch (error) {
      if (!this.#unnoted)
        this.#options.say(`Cannot write down how much of the log of "${this.#options.name}" is sent: ${textOf(error)}`)
      this.#unnoted = true
    }
  }

  /** Tries until it is sent; false when it was closed before. */
  async #deliver(message: LogMessage): Promise<boolean> {
    const { signal } = this.#closing
    for (let delay = firstDelay; !signal.aborted; delay = Math.min(delay * 2, longestDelay)) {
      try {
        this.#sender ??= await this.#options.route.connect(signal)
        await Promise.race([this.#sender.send(message), this.#stopped])
        this.#works()
        return true
      } catch (error) {
        if (isFailure(error, 'invalid')) {
          this.#options.say(`A line of the log of "${this.#options.name}" cannot be sent: ${error.message}`)
          return true
        }
        await this.#disconnect()
        if (signal.aborted) return false
        this.#fails(error)
        await pause(delay, undefined, { signal }).catch(() => undefined)
      }
    }
    return false
  }

  #works(): void {
    if (!this.#failing) return
    this.#failing = false
    this.#options.say(`The log of "${this.#options.name}" is sent to ${this.#options.route.to} again`)
  }

  #fails(error: unknown): void {
    if (this.#failing) return
    this.#failing = true
    const { name, route, say } = this.#options
    say(`Cannot send the log of "${name}" to ${route.to}: ${textOf(error)}; it waits and is tried again`)
  }

  async #disconnect(): Promise<void> {
    const sender = this.#sender
    this.#sender = undefined
    await sender?.close()
  }
}
