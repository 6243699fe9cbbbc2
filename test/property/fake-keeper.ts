/** The keeper of one stack on an engine in memory: what it hears of what somebody does, and the road that it goes to undo it. */
import { run } from '../../src/apply/run.ts'
import { Drift } from '../../src/drift/drift.ts'
import { ownDoing, repair } from '../../src/drift/repair.ts'
import { Wish } from '../../src/drift/wish.ts'
import type { Project } from '../../src/model/project.ts'
import { enginePerformer } from '../../src/targets/engine/perform/operations.ts'
import type { FakeContainer, FakeEngine } from './fake-engine.ts'

export class FakeKeeper {
  readonly #engine: FakeEngine
  readonly project: Project
  readonly #drift: Drift

  /** `project`: what it was asked to hold. */
  constructor(engine: FakeEngine, project: Project) {
    this.#engine = engine
    this.project = project
    this.#drift = new Drift({
      phase: 'steady',
      project: () => project,
      wanted: service => project.services[service]?.replicas ?? 1,
      // it is looked when the test says so
      look: () => Promise.resolve(false),
      accept: () => undefined,
      failed: error => {
        throw error
      },
    })
  }

  /** What somebody has done to a container, in the order that an engine tells it. */
  hear({ id, name, config }: FakeContainer, ...actions: readonly string[]): void {
    for (const each of actions) {
      const [Action = '', word = ''] = each.split('/')
      const more: Readonly<Record<string, string>> =
        Action === 'kill' ? { signal: word } : Action === 'die' ? { exitCode: word } : {}
      const timeNano = Date.now() * 1e6
      this.#drift.hear({
        Type: 'container',
        Action,
        Actor: { ID: id, Attributes: { name, ...config.Labels, ...more } },
        scope: 'local',
        time: timeNano / 1e9,
        timeNano,
      })
    }
  }

  /** Brings it back to what it was asked to hold. @throws Failure of an engine that has gone, when it is ended on the way */
  async repair(): Promise<void> {
    const { client } = this.#engine
    const drift = this.#drift
    const { signal } = new AbortController()
    for (let again = true, round = 0; again; round++) {
      if (round === 10) throw new Error('it repairs and repairs')
      const wish = new Wish()
      wish.changed({ left: true })
      const { changed } = await repair({
        ...{ client, project: this.project, drift, signal, watched: true },
        options: {},
        attempt: wish.attempt(),
        seen: Number.POSITIVE_INFINITY,
        told: () => undefined,
        hookFailed: error => {
          throw error
        },
        carryOut: plan => run(plan, enginePerformer(client), { signal, onEvent: ownDoing(drift) }),
      })
      again = changed
    }
  }

  async close(): Promise<void> {
    await this.#drift.close()
  }
}
