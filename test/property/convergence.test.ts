/**
 * Convergence as a property: whatever is edited in a stack, whatever is done to its containers, and wherever an `up`, the keeper or the engine
 * is ended, the next `up` makes of it what the same stack is on an empty engine, and a plan after it is empty. So does the keeper of a
 * stack that is watched, of what it was asked to hold.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { run } from '../../src/apply/run.ts'
import { isFailure } from '../../src/lib/failure.ts'
import type { Project } from '../../src/model/project.ts'
import { printPlan } from '../../src/plan/print.ts'
import { converge, foresee } from '../../src/targets/engine/converge.ts'
import { enginePerformer } from '../../src/targets/engine/perform/operations.ts'
import { type FakeContainer, FakeEngine } from './fake-engine.ts'
import { FakeKeeper } from './fake-keeper.ts'
import { Random, RandomStack } from './random-stack.ts'

const seed = Number(process.env['SEED'] ?? 20261129)
const sequences = Number(process.env['SEQUENCES'] ?? 500)
const options = { removeOrphans: true, recreateVolumes: true }

let folder: string
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'convergence-'))
  for (const name of ['a', 'b']) writeFileSync(join(folder, name), name)
})
after(() => rmSync(folder, { recursive: true, force: true }))

function newEngine(lists: boolean, digest: string): FakeEngine {
  const engine = new FakeEngine({ lists })
  engine.networks.set('proxy', { Name: 'proxy', id: 'proxy-network' })
  for (const name of ['busybox', 'busybox:2', 'alpine']) engine.images.set(name, { id: `sha256:${name}${digest}` })
  return engine
}

async function up({ client }: FakeEngine, project: Project): Promise<void> {
  await converge({ client, project, options, carryOut: plan => run(plan, enginePerformer(client)) })
}

/** What somebody else does to what runs, as the keeper hears it; says what. */
function interfere(random: Random, engine: FakeEngine, keeper: FakeKeeper): string {
  const all = [...engine.containers.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
  if (all.length === 0) return 'nothing'
  const container = random.of(all)
  const { id, name, endpoints } = container
  switch (random.below(7)) {
    case 0:
      // an engine refuses to kill what does not run
      if (container.status !== 'running') return `nothing to ${name}`
      container.status = 'exited'
      container.exitCode = 137
      keeper.hear(container, 'kill/9', 'die/137')
      return `kill ${name}`
    case 1:
    case 2:
      engine.containers.delete(id)
      keeper.hear(container, 'kill/9', 'die/137', 'destroy')
      return `remove ${name}`
    case 3: {
      const network = Object.keys(endpoints)[0]
      if (network !== undefined) delete endpoints[network]
      return `disconnect ${name} ${network}`
    }
    case 4:
      container.host = { ...container.host, Memory: 2 ** 30, MemorySwap: 2 ** 31, PidsLimit: random.of([-1, 7]) }
      keeper.hear(container, 'update')
      return `limits ${name}`
    case 5:
      container.host = { ...container.host, RestartPolicy: { Name: 'always', MaximumRetryCount: 0 }, CpuShares: 77 }
      keeper.hear(container, 'update')
      return `policy ${name}`
    default:
      for (const key of Object.keys(endpoints)) endpoints[key] = { ...endpoints[key], Aliases: ['by-hand'] }
      return `aliases ${name}`
  }
}

/** Everything of a container that its stack is the cause of, without ids and numbers. */
function shape({ name, image, config, host, endpoints, status, uploads }: FakeContainer, engine: FakeEngine) {
  const service = (ref: string) => engine.named(ref).config.Labels!['com.docker.compose.service']
  const own = Object.entries(config.Labels ?? {}).filter(([key]) => !/^(com\.docker\.compose|tscompose)\./.test(key))
  const plain = (text: string) => (text === name ? 'ITSELF' : text.replace(/-\d+\b/, '-N'))
  const { PidsLimit, CpuQuota, NetworkMode = '', IpcMode = '', Links, VolumesFrom, Mounts, ...rest } = host
  const sharedWith = (mode: string) => {
    const id = /^container:(.*)$/.exec(mode)?.[1]
    if (id === undefined) return undefined
    return engine.containers.has(id) ? service(id) : `${id}, which is no more`
  }
  const shared = sharedWith(NetworkMode)
  return JSON.stringify({
    image,
    config: { ...config, Labels: Object.fromEntries(own) },
    host: {
      ...Object.fromEntries(Object.entries(rest).sort(([a], [b]) => (a < b ? -1 : 1))),
      PidsLimit: PidsLimit && PidsLimit > 0 ? PidsLimit : 0,
      CpuQuota: CpuQuota && CpuQuota > 0 ? CpuQuota : 0,
      // which of its networks it was made with does not matter
      NetworkMode: shared ?? (endpoints[NetworkMode] ? 'networks' : NetworkMode),
      IpcMode: sharedWith(IpcMode) ?? IpcMode,
      Links: Links?.map(plain).sort(),
      // resolved when a container is made: whose they were does not matter later
      VolumesFrom: VolumesFrom?.length,
      Mounts: Mounts?.map(({ Source, ...mount }) => ({
        ...mount,
        Source: /^[0-9a-f]{64}$/.test(Source ?? '') ? undefined : Source,
      })),
    },
    endpoints: Object.entries(endpoints)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, { Aliases, Links, ...endpoint }]) => [
        key,
        Aliases?.map(plain).sort(),
        Links?.map(plain).sort(),
        endpoint,
      ]),
    status,
    uploads,
  })
}

function stateOf(engine: FakeEngine, project: Project) {
  const containers = [...engine.containers.values()].map(each => [
    each.config.Labels!['com.docker.compose.service'],
    shape(each, engine),
  ])
  const networks = Object.values(project.networks).map(({ name }) => {
    const { id: _, ...body } = engine.networks.get(name) ?? {}
    return body
  })
  const volumes = Object.values(project.volumes).flatMap(({ name }) => engine.volumes.get(name) ?? [])
  return { containers: containers.sort(), networks, volumes: volumes.filter(({ Labels }) => Labels) }
}

/** Does `work` on an engine or by a process that is killed after so many calls; false when it was. */
async function broken(engine: FakeEngine, calls: number, work: () => Promise<void>): Promise<boolean> {
  engine.patience = calls
  try {
    await work()
    return true
  } catch (error) {
    if (!isFailure(error, 'unavailable')) throw error
    return false
  } finally {
    engine.patience = Number.POSITIVE_INFINITY
    engine.losesAnswer = false
  }
}

/** Of what is there, by the same stack on an empty engine. */
async function assertAsAsked(engine: FakeEngine, project: Project, digest: string): Promise<void> {
  const { pulls, builds, plan } = await foresee({ client: engine.client, project, options })
  assert.deepEqual([pulls, builds, plan].map(printPlan).join(''), '', 'a plan after it is empty')
  const fresh = newEngine(true, digest)
  await up(fresh, project)
  assert.deepEqual(stateOf(engine, project), stateOf(fresh, project), 'what is there is what the stack says')
}

async function sequence(number: number): Promise<readonly string[]> {
  const random = new Random(Math.imul(seed, 2654435761) + number)
  const stack = new RandomStack(random, { files: [join(folder, 'a'), join(folder, 'b')] })
  // every fourth on an engine whose lists are as short as Docker's
  const engine = newEngine(number % 4 !== 0, '')
  let digest = ''
  const done: string[] = []
  let keeper: FakeKeeper | undefined
  try {
    await up(engine, stack.project)
    keeper = new FakeKeeper(engine, stack.project)
    for (let round = 1 + random.below(3); round > 0; round--) {
      for (let times = random.below(3); times > 0; times--) done.push(interfere(random, engine, keeper))
      if (random.below(3) === 0) {
        const calls = random.of([random.below(6), Number.POSITIVE_INFINITY])
        engine.losesAnswer = random.below(2) === 0
        done.push(
          calls < 6
            ? `the keeper, ${engine.losesAnswer ? 'its engine ' : ''}killed after ${calls} calls`
            : 'the keeper',
        )
        const { repair, project } = { repair: () => keeper!.repair(), project: keeper.project }
        if (await broken(engine, calls, repair)) await assertAsAsked(engine, project, digest)
      }
      for (let edits = random.below(4); edits > 0; edits--) done.push(stack.edit())
      for (let times = random.below(3); times > 0; times--) done.push(interfere(random, engine, keeper))
      if (random.below(6) === 0) {
        digest = `@${random.below(3)}`
        for (const name of engine.images.keys()) engine.images.set(name, { id: `sha256:${name}${digest}` })
        done.push('images')
      }
      const { project } = stack
      if (random.below(3) === 0) {
        const calls = random.below(8)
        engine.losesAnswer = random.below(2) === 0
        done.push(`up, ${engine.losesAnswer ? 'its engine killed' : 'broken off'} after ${calls} calls`)
        await broken(engine, calls, () => up(engine, project))
      }
      done.push('up')
      await up(engine, project)
      await assertAsAsked(engine, project, digest)
      await keeper.close()
      keeper = new FakeKeeper(engine, project)
    }
  } catch (error) {
    throw new Error(`sequence ${number} of seed ${seed}: ${done.join('; ')}`, { cause: error })
  } finally {
    await keeper?.close()
  }
  return done
}

test(`${sequences} sequences of edits, interference and ups, keepers and engines that are killed end in what the stack says`, async () => {
  const done: string[] = []
  for (let number = 0; number < sequences; number++) done.push(...(await sequence(number)))
  // a generator that has lost a kind of step would prove less than it says
  if (sequences >= 500)
    for (const kind of [
      /^scale/,
      /^add/,
      /^remove \w+$/,
      /^remove shop/,
      /^kill/,
      /^disconnect/,
      /^limits/,
      /^policy/,
      /^aliases/,
      /broken off/,
      /up, its engine killed/,
      /the keeper$/,
      /the keeper, killed/,
      /the keeper, its engine killed/,
      /^subnet/,
      /^volume/,
      /^file/,
      /^images/,
    ])
      assert.ok(done.filter(step => kind.test(step)).length > 20, String(kind))
})
