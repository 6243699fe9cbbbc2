/** The terminal view at work: what the engine tells is drawn, what a key asks for is done. */
import { setTimeout as wait } from 'node:timers/promises'
import type { ContainerStats, ContainerSummary } from '../api/containers.ts'
import { endpoints } from '../api/endpoints.ts'
import type { Client } from '../client/client.ts'
import { isFailure, messageOf } from '../lib/failure.ts'
import { stackRows } from '../view/stacks.ts'
import { cpuPercent, usedMemory } from '../view/stats.ts'
import type { Tint } from './canvas.ts'
import { draw } from './draw.ts'
import { LogPane } from './log-pane.ts'
import { chosenRow, type Effect, empty, type Key, press, type Row, type State, type Usage } from './model.ts'
import type { Terminal } from './terminal.ts'

export interface ViewOptions {
  readonly client: Client
  readonly tint: Tint
  readonly signal: AbortSignal
  terminal(heard: { onKey(key: Key): void; onResize(): void }): Terminal
  /** Runs a command of ours for the stack of a row; `attached`: at the terminal, otherwise its last words are the result. */
  run(words: readonly string[], row: Row, attached: boolean): Promise<{ readonly code: number; readonly said: string }>
  /** Waits for a key at a terminal that has been given back. */
  waitForKey(): Promise<void>
}

/** Between two looks at what happened at once, and at what is used, in milliseconds. */
const pause = 100
const usagePace = 2000
/** Readings that are asked for in a round. */
const most = 40

/** Until the person leaves it. */
export async function view(options: ViewOptions): Promise<void> {
  await new View(options).run()
}

class View {
  readonly #options: ViewOptions
  readonly #terminal: Terminal
  readonly #ended = Promise.withResolvers<void>()
  readonly #closing = new AbortController()
  #state: State = empty
  #containers: readonly ContainerSummary[] = []
  /** A command has the terminal. */
  #isAway = false
  #timer: NodeJS.Timeout | undefined
  #paneTimer: NodeJS.Timeout | undefined
  readonly #pane: LogPane

  constructor(options: ViewOptions) {
    this.#options = options
    this.#pane = new LogPane({ client: options.client, changed: () => this.#paneSoon() })
    this.#terminal = options.terminal({ onKey: key => this.#press(key), onResize: () => this.#draw() })
  }

  async run(): Promise<void> {
    const { signal } = this.#options
    const stop = () => this.#ended.resolve()
    signal.addEventListener('abort', stop, { once: true })
    try {
      await this.#look()
      this.#terminal.open()
      this.#draw()
      this.#follow().catch(this.#ended.reject)
      this.#measure().catch(this.#ended.reject)
      await this.#ended.promise
    } finally {
      signal.removeEventListener('abort', stop)
      clearTimeout(this.#timer)
      clearTimeout(this.#paneTimer)
      this.#pane.close()
      this.#closing.abort()
      this.#terminal.close()
    }
  }

  #draw(): void {
    if (this.#isAway) return
    this.#pane.follow(this.#state.isPaneOpen ? chosenRow(this.#state) : undefined)
    this.#state = withLog(this.#state, this.#pane.lines)
    const { width, height } = this.#terminal
    const { tint, client } = this.#options
    this.#terminal.show(draw(this.#state, { width, height, tint, host: client.host }))
  }

  /** Many lines are drawn at once. */
  #paneSoon(): void {
    this.#paneTimer ??= setTimeout(() => {
      this.#paneTimer = undefined
      this.#draw()
    }, pause)
  }

  #say(message: string): void {
    this.#state = { ...this.#state, message }
    this.#draw()
  }

  async #look(): Promise<void> {
    const { client } = this.#options
    this.#containers = await client.call(endpoints.containerList, { query: { all: true } }, this.#closing)
    this.#state = { ...this.#state, stacks: stackRows(this.#containers) }
  }

  /** Subscribed before it looks: nothing that happens between the two is missed. */
  async #follow(): Promise<void> {
    const query = { filters: { type: ['container'] } }
    try {
      const events = await this.#options.client.stream(endpoints.events, { query }, this.#closing)
      this.#lookSoon()
      for await (const { Action } of events) if (!Action.startsWith('exec_')) this.#lookSoon()
    } catch (error) {
      if (!this.#closing.signal.aborted) throw error
    }
  }

  #lookSoon(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.#look().then(
        () => this.#draw(),
        error => (this.#closing.signal.aborted ? undefined : this.#ended.reject(error)),
      )
    }, pause)
  }

  /** What the containers of the chosen stack use, round after round. */
  async #measure(): Promise<void> {
    const { signal } = this.#closing
    while (!signal.aborted) {
      const stack = chosenRow(this.#state)?.stack
      const running = (stack?.services ?? [])
        .flatMap(({ replicas }) => replicas)
        .filter(({ condition }) => ['running', 'starting', 'unhealthy'].includes(condition))
      const found = await Promise.all(
        running.slice(0, most).map(async ({ id }) => [id, await this.#usageOf(id)] as const),
      )
      this.#state = {
        ...this.#state,
        usage: new Map(found.flatMap(([id, usage]) => (usage ? [[id, usage] as const] : []))),
      }
      this.#draw()
      // ended by the end of the view
      await wait(usagePace, undefined, { signal, ref: false }).catch(() => undefined)
    }
  }

  async #usageOf(id: string): Promise<Usage | undefined> {
    try {
      const query = { stream: false }
      const stream = await this.#options.client.stream(
        endpoints.containerStats,
        { params: { id }, query },
        this.#closing,
      )
      for await (const stats of stream as AsyncIterable<ContainerStats>)
        return { cpu: cpuPercent(stats), memory: usedMemory(stats) }
    } catch (error) {
      // it has ended, or the view has
      if (!isFailure(error, 'not-found') && !isFailure(error, 'conflict') && !this.#closing.signal.aborted) throw error
    }
    return undefined
  }

  #press(key: Key): void {
    const { state, effect } = press(this.#state, key)
    this.#state = state
    this.#draw()
    if (effect) this.#do(effect).catch(error => this.#say(messageOf(error)))
  }

  async #do(effect: Effect): Promise<void> {
    switch (effect.kind) {
      case 'quit':
        this.#ended.resolve()
        return
      case 'turn': {
        const { verb, row } = effect
        const words = [verb, ...(row.service ? [row.service.name] : [])]
        this.#say(`${verb} ${row.key} …`)
        const { code, said } = await this.#options.run(words, row, false)
        this.#say(code === 0 ? `${verb} ${row.key}: done` : `${verb} ${row.key}: ${said}`)
        return
      }
      case 'show':
        await this.#show(effect)
        return
      default:
        return effect satisfies never
    }
  }

  async #show({ words, row, waits }: Extract<Effect, { readonly kind: 'show' }>): Promise<void> {
    this.#isAway = true
    this.#terminal.close()
    try {
      const { code } = await this.#options.run(words, row, true)
      // what failed is to be read
      if (waits || (code !== 0 && code !== 130)) await this.#options.waitForKey()
    } finally {
      this.#isAway = false
      this.#terminal.open()
      this.#lookSoon()
      this.#draw()
    }
  }
}

/** Whoever has gone back in a log stays at what is read there while lines come. */
function withLog(state: State, log: State['log']): State {
  if (log === state.log) return state
  const isOther = log[0] !== state.log[0] && !log.includes(state.log.at(-1)!)
  const more = state.logBack === 0 || isOther ? 0 : log.length - 1 - log.lastIndexOf(state.log.at(-1)!)
  return { ...state, log, logBack: isOther ? 0 : Math.min(state.logBack + more, Math.max(0, log.length - 1)) }
}
