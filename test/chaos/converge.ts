/**
 * The property of test/property/convergence.test.ts on a real engine with its keeper, which repairs meanwhile: edits, interference, the engine,
 * the keeper and an up killed, an up broken off; each followed by one up, after which what runs is what the stack says and a plan is empty,
 * before and after the keeper has looked. `npm run chaos`, by hand.
 * CONVERGE_SEQUENCES (40) and CHAOS_SEED choose the run; DOCKER_HOST names another engine, a Docker Engine too: it is then not killed.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { endpoints } from '../../src/api/endpoints.ts'
import { keeperEndpoints } from '../../src/api/keeper.ts'
import { run } from '../../src/apply/run.ts'
import { type Client, createClient } from '../../src/client/client.ts'
import { findKeeper } from '../../src/holding/keeper.ts'
import { ensureKeeper } from '../../src/holding/start.ts'
import { isFailure } from '../../src/lib/failure.ts'
import { freeze } from '../../src/model/frozen.ts'
import type { Project } from '../../src/model/project.ts'
import { printPlan } from '../../src/plan/print.ts'
import { converge, foresee } from '../../src/targets/engine/converge.ts'
import { enginePerformer } from '../../src/targets/engine/perform/operations.ts'
import { FakeEngine } from '../property/fake-engine.ts'
import { Random, RandomStack, realVocabulary } from '../property/random-stack.ts'
import { TestEngine } from '../support/engine.ts'
import { eventually } from '../support/eventually.ts'

const sequences = Number(process.env['CONVERGE_SEQUENCES'] ?? 40)
const seed = Number(process.env['CHAOS_SEED'] ?? 20261129)
const options = { removeOrphans: true, recreateVolumes: true, timeout: 0 }

const other = process.env['DOCKER_HOST']
const engine = other === undefined ? await TestEngine.start() : undefined
const host = engine?.host ?? other!
const folder = mkdtempSync(join(tmpdir(), 'converge-'))
for (const name of ['a', 'b']) writeFileSync(join(folder, name), name)

let client = createClient(host)

async function up(project: Project, signal?: AbortSignal): Promise<void> {
  const carryOut = (plan: Parameters<typeof run>[0]) => run(plan, enginePerformer(client), { signal })
  await heldWhile(project, () => converge({ client, project, options, signal, carryOut }))
}

/** As the command line does it: the keeper does nothing meanwhile, and holds this from then on. */
async function heldWhile(project: Project, work: () => Promise<unknown>): Promise<void> {
  if (!engine) return void (await work())
  const keeper = await ensureKeeper({ host, env: engine.env, engine: client })
  const params = { name: 'shop' }
  try {
    const lines = (await keeper.stream(keeperEndpoints.stackTurn, { params, query: { making: true } }))[
      Symbol.asyncIterator
    ]()
    await lines.next()
    const body = { project: freeze(project), reasons: ['a test'] }
    await keeper.call(keeperEndpoints.stackHold, { params, body })
    await work()
    await lines.return?.()
  } finally {
    keeper.close()
  }
}

/** By SIGKILL, somewhere on its way. */
async function killedUp(project: Project, milliseconds: number): Promise<void> {
  await heldWhile(project, async () => {
    const words = [
      '--disable-warning=ExperimentalWarning',
      fileURLToPath(new URL('up-alone.ts', import.meta.url)),
      host,
    ]
    const child = spawn(process.execPath, words, { stdio: ['pipe', 'pipe', 'inherit'] })
    const ended = once(child, 'exit')
    child.stdin.end(JSON.stringify(freeze(project)))
    await once(child.stdout, 'data')
    await pause(milliseconds)
    child.kill('SIGKILL')
    await ended
  })
}

/** The engine starts another one. */
async function killKeeper(): Promise<void> {
  if (!engine) return
  const keeper = await findKeeper({ host, env: engine.env })
  if (!keeper) return
  try {
    process.kill((await keeper.call(keeperEndpoints.keeperStatus, {})).Pid, 'SIGKILL')
  } finally {
    keeper.close()
  }
}

/** It has looked, or let go of a stack of which nothing is left. */
async function settled(): Promise<void> {
  if (!engine) return
  await eventually('the keeper is settled', async () => {
    const keeper = await findKeeper({ host, env: engine.env })
    if (!keeper) return true
    try {
      return (await keeper.call(keeperEndpoints.stackInspect, { params: { name: 'shop' } })).State === 'settled'
    } catch (error) {
      if (isFailure(error, 'not-found')) return true
      throw error
    } finally {
      keeper.close()
    }
  })
}

/** Nobody repairs what is about to be removed. */
async function released(): Promise<void> {
  const keeper = engine && (await findKeeper({ host, env: engine.env }))
  try {
    await keeper?.call(keeperEndpoints.stackRelease, { params: { name: 'shop' } })
  } catch (error) {
    if (!isFailure(error, 'not-found')) throw error
  } finally {
    keeper?.close()
  }
}

/** Ends the engine without a word and starts the next one; what runs goes on. */
async function killEngine(): Promise<void> {
  if (!engine) return
  await engine.halt('SIGKILL')
  client.close()
  await engine.boot()
  client = createClient(host)
}

async function own(): Promise<readonly { readonly Id: string; readonly Names: readonly string[] }[]> {
  const filters = { label: ['com.docker.compose.project=shop'] }
  return await client.call(endpoints.containerList, { query: { all: true, filters } })
}

async function interfere(random: Random): Promise<string> {
  const all = (await own()).toSorted((a, b) => (a.Names[0]! < b.Names[0]! ? -1 : 1))
  if (all.length === 0) return 'nothing'
  const { Id: id, Names } = random.of(all)
  const params = { id }
  const name = Names[0]!.slice(1)
  switch (random.below(7)) {
    case 0:
      await client.call(endpoints.containerKill, { params, query: {} }).catch(unlessStopped)
      return `kill ${name}`
    case 1:
      await client.call(endpoints.containerRemove, { params, query: { force: true } })
      return `remove ${name}`
    case 2: {
      const { NetworkSettings } = await client.call(endpoints.containerInspect, { params })
      const network = Object.keys(NetworkSettings.Networks ?? {}).find(each => each !== 'none' && each !== 'host')
      if (network !== undefined)
        await client.call(endpoints.networkDisconnect, {
          params: { id: network },
          body: { Container: id, Force: true },
        })
      return `disconnect ${name} ${network}`
    }
    case 3: {
      const body = { Memory: 2 ** 30, MemorySwap: 2 ** 31, PidsLimit: 77 }
      await client.call(endpoints.containerUpdate, { params, body })
      return `limits ${name}`
    }
    case 4:
      await client.call(endpoints.containerUpdate, { params, body: { RestartPolicy: { Name: 'always' } } })
      return `policy ${name}`
    case 5:
      await killKeeper()
      return 'keeper killed'
    default:
      await killEngine()
      return 'engine killed'
  }
}

function unlessStopped(error: unknown): void {
  if (!isFailure(error, 'conflict')) throw error
}

/** Each container has all that the same stack gives it on an engine in memory, and there are as many of each service. */
async function check(project: Project): Promise<void> {
  const model = new FakeEngine()
  for (const name of realVocabulary.images) model.images.set(name, { id: name })
  model.networks.set('proxy', { Name: 'proxy', id: 'proxy' })
  await converge({ client: model.client, project, options, carryOut: plan => run(plan, enginePerformer(model.client)) })
  const found = await Promise.all(
    (await own()).map(({ Id }) => client.call(endpoints.containerInspect, { params: { id: Id } })),
  )
  for (const service of Object.values(project.services)) {
    const of = (labels: Readonly<Record<string, string>> | null | undefined) =>
      labels?.['com.docker.compose.service'] === service.name
    const wanted = [...model.containers.values()].filter(({ config }) => of(config.Labels))
    const there = found.filter(({ Config }) => of(Config.Labels))
    assert.equal(there.length, wanted.length, `replicas of ${service.name}`)
    for (const { State, Config, HostConfig, NetworkSettings } of there) {
      const { config, host, endpoints: attached } = wanted[0]!
      assert.equal(State.Status, 'running', service.name)
      for (const each of config.Env ?? [])
        if (each.includes('=')) assert.ok(Config.Env?.includes(each), `${service.name} ${each}`)
      for (const [key, value] of Object.entries(service.labels)) assert.equal(Config.Labels?.[key], value)
      for (const member of [
        'Memory',
        'MemorySwap',
        'MemoryReservation',
        'NanoCpus',
        'CpusetCpus',
        'CpuShares',
        'ReadonlyRootfs',
      ] as const)
        assert.equal(HostConfig[member] || 0, host[member] || 0, `${service.name} ${member}`)
      assert.equal(Math.max(0, HostConfig.CpuQuota ?? 0), host.CpuQuota || 0)
      assert.equal(Math.max(0, HostConfig.PidsLimit ?? 0), host.PidsLimit || 0)
      assert.deepEqual(HostConfig.RestartPolicy, host.RestartPolicy)
      if (service.networkMode.kind !== 'networks') continue
      const networks = NetworkSettings.Networks ?? {}
      // an engine lists the network of who has none too
      const expected = Object.keys(attached).length === 0 ? ['none'] : Object.keys(attached).sort()
      assert.deepEqual(Object.keys(networks).sort(), expected, `networks of ${service.name}`)
      for (const [network, { Aliases }] of Object.entries(attached))
        for (const alias of (Aliases ?? []).filter(alias => !/-\d+$/.test(alias)))
          assert.ok(networks[network]?.Aliases?.includes(alias), `${service.name} as ${alias} on ${network}`)
    }
  }
}

async function sequence(number: number): Promise<readonly string[]> {
  const random = new Random(Math.imul(seed, 2654435761) + number)
  const stack = new RandomStack(random, { files: [join(folder, 'a'), join(folder, 'b')], vocabulary: realVocabulary })
  const done: string[] = []
  const step = (what: string) => void done.push(what)
  try {
    await up(stack.project)
    for (let round = 1 + random.below(2); round > 0; round--) {
      for (let edits = 1 + random.below(3); edits > 0; edits--) step(stack.edit())
      for (let times = random.below(3); times > 0; times--) step(await interfere(random))
      if (random.below(3) === 0) {
        const breaking = AbortSignal.timeout(20 + random.below(400))
        step('up, broken off')
        await up(stack.project, breaking).catch(error => {
          if (!isFailure(error, 'cancelled')) throw error
        })
      }
      if (random.below(3) === 0) {
        step('up, killed')
        await killedUp(stack.project, random.below(400))
      }
      step('up')
      await up(stack.project)
      const { plan } = await foresee({ client, project: stack.project, options })
      assert.equal(printPlan(plan), '', 'a plan after up is empty')
      await check(stack.project)
      // what the keeper sees of that is right as well
      await settled()
      const { plan: later } = await foresee({ client, project: stack.project, options })
      assert.equal(printPlan(later), '', 'a plan after the keeper has looked is empty')
    }
  } catch (error) {
    throw new Error(`sequence ${number} of seed ${seed}: ${done.join('; ')}`, { cause: error })
  } finally {
    await released()
    await cleared(client)
  }
  return done
}

async function cleared(api: Client): Promise<void> {
  for (const { Id } of await own())
    await api.call(endpoints.containerRemove, { params: { id: Id }, query: { force: true, v: true } })
  for (const { Name, Labels } of await api.call(endpoints.networkList, {}))
    if (Labels?.['com.docker.compose.project'] === 'shop')
      await api.call(endpoints.networkRemove, { params: { id: Name } })
  for (const { Name, Labels } of (await api.call(endpoints.volumeList, {})).Volumes ?? [])
    if (Labels?.['com.docker.compose.project'] === 'shop')
      await api.call(endpoints.volumeRemove, { params: { name: Name } })
}

const begun = Date.now()
let steps = 0
try {
  await client.call(endpoints.imageTag, { params: { name: 'busybox' }, query: { repo: 'busybox', tag: '2' } })
  await client.call(endpoints.networkCreate, { body: { Name: 'proxy' } })
  for (let number = 0; number < sequences; number++) steps += (await sequence(number)).length
  const seconds = Math.round((Date.now() - begun) / 1000)
  console.log(`${sequences} sequences of ${steps} steps, seed ${seed}, ${seconds} s: all ended in what the stack says`)
} catch (error) {
  // told at once: what is left of it may fail the end of the engine too
  console.error(error)
  process.exitCode = 1
} finally {
  await client.call(endpoints.networkRemove, { params: { id: 'proxy' } }).catch(() => {
    // the failure that is on its way is the one to tell
  })
  client.close()
  await engine?.stop()
  rmSync(folder, { recursive: true, force: true })
}
