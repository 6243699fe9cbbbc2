/** All that the view knows of stacks: the board, what is wrong, what has happened, what is being done. */
import type { Client } from '../client/client.ts'
import { Failure } from '../lib/failure.ts'
import type { Condition, StackRow } from '../view/stacks.ts'
import { Board } from './board.ts'
import { Drifts, type Standing } from './drifts.ts'
import { Jobs } from './jobs.ts'
import { knownPlaces } from './known-places.ts'
import { report } from './report.ts'
import type { Roads, StackPlace } from './roads.ts'
import { Timeline } from './timeline.ts'
import { Troubles } from './troubles.ts'

export class Stacks {
  readonly board: Board
  readonly jobs: Jobs
  readonly timeline = new Timeline()
  readonly drifts: Drifts
  readonly #roads: Roads
  readonly #troubles: Troubles
  /** Those that were seen or are kept in a history: what is down can be brought up again. */
  readonly #places = new Map<string, StackPlace>()

  constructor(roads: Roads) {
    this.#roads = roads
    for (const place of knownPlaces({ host: roads.client.host, env: roads.env })) this.#places.set(place.name, place)
    if (roads.here) this.#places.set(roads.here.name, roads.here)
    this.jobs = new Jobs(stack => {
      this.drifts.touch(stack)
      this.board.due()
    })
    this.drifts = new Drifts({
      foresee: place => roads.foresee(place, {}),
      changed: () => this.board.due(),
      isWatched: () => this.board.isWatched,
    })
    this.#troubles = new Troubles({ client: roads.client, tell: troubles => this.board.tellTroubles(troubles) })
    this.board = new Board({
      client: roads.client,
      env: roads.env,
      known: () => this.#places.values(),
      jobOf: stack => this.jobs.of(stack),
      driftOf: stack => this.drifts.of(stack),
      heard: event => {
        this.#troubles.heard(event)
        this.timeline.heard(event)
      },
      looked: (rows, held) => {
        for (const { name, directory, files } of rows)
          if (directory !== undefined) this.#places.set(name, { name, directory, files })
        this.drifts.look(rows.flatMap(row => placed(row, this.#places.get(row.name))))
        const notes = new Map([...held.values()].flatMap(({ Notes }) => Object.entries(Notes)))
        this.#troubles.look(rows, notes).catch((error: unknown) => {
          if (!(error instanceof Failure)) report(error)
        })
      },
    })
  }

  get client(): Client {
    return this.#roads.client
  }

  start(): Promise<void> {
    return this.board.start()
  }

  close(): void {
    this.drifts.close()
    this.board.close()
  }

  /** @throws Failure `not-found` for a stack that nobody knows, or whose files nobody knows */
  place(name: string): StackPlace {
    const place = this.#places.get(name)
    if (place) return place
    if (this.board.get(name))
      throw new Failure('not-found', `Cannot tell from which files "${name}" was made: its containers do not say`)
    throw new Failure('not-found', `There is no stack "${name}"`)
  }

  /** @throws Failure `not-found` for a stack that is not on the board */
  check(name: string): void {
    if (!this.board.get(name)) throw new Failure('not-found', `There is no stack "${name}"`)
  }
}

/** A stack whose files are known, of which something is there: of any other all would be a change. */
function placed({ services }: StackRow, place: StackPlace | undefined): readonly Standing[] {
  if (!place || services.length === 0) return []
  // checks and restarts make no other plan
  const state = services.flatMap(({ replicas }) => replicas.map(({ id, condition }) => `${id} ${isUp(condition)}`))
  const done = services.filter(({ condition }) => condition === 'done').map(({ name }) => name)
  return [{ place, state: state.sort().join('\n'), done: new Set(done) }]
}

function isUp(condition: Condition): boolean {
  return ['running', 'starting', 'unhealthy', 'restarting'].includes(condition)
}
