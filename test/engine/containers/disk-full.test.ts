/** A disk that is full at any write: every verb ends, says which path, and leaves nothing half done once there is space again. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { spaceFailure } from '../../../src/engine/base/space.ts'
import { isFailure } from '../../../src/lib/failure.ts'
import { FullDisk } from '../../support/full-disk.ts'
import { tinyImageTar } from '../../support/tiny-image.ts'
import { EngineBox } from './engine-box.ts'

/** How long a verb may take that has nothing to wait for, milliseconds. */
const patience = 5000

/** What `up`, use and `down` of a stack ask of an engine, each for itself. */
function verbs(box: EngineBox, tar: Buffer, name: string): ReadonlyMap<string, () => Promise<unknown>> {
  const { containers, networks, volumes, images, execs } = box.engine
  const body = {
    Image: 'tiny:1',
    NetworkingConfig: { EndpointsConfig: { [name]: {} } },
    HostConfig: { NetworkMode: name, Binds: [`${name}:/data`], RestartPolicy: { Name: 'on-failure' } },
  }
  const exec = async () => {
    const { Id } = await execs.create(name, { Cmd: ['true'], AttachStdout: true })
    await execs.start(Id, { Detach: true })
    box.runtime.last.end(0)
  }
  return new Map<string, () => Promise<unknown>>([
    ['load', () => images.load(Readable.from([tar]))],
    ['network create', () => networks.create({ Name: name })],
    ['volume create', () => volumes.create({ name })],
    ['create', () => containers.create({ name, body })],
    ['start', () => containers.start(name)],
    ['exec', exec],
    [
      'exit',
      async () =>
        containers.get(name).running && box.runtime.processes.findLast(({ spec }) => spec.kind === 'container')?.end(0),
    ],
    ['start again', () => containers.start(name)],
    ['pause', () => containers.pause(name)],
    ['unpause', () => containers.unpause(name)],
    ['restart', () => containers.restart(name)],
    ['update', () => containers.update(name, { RestartPolicy: { Name: 'no' } })],
    ['rename', () => containers.rename(name, `${name}-new`)],
    ['rename back', () => containers.rename(`${name}-new`, name)],
    ['stop', () => containers.stop(name)],
    ['remove', () => containers.remove(name, { force: true, volumes: true })],
    ['volume remove', () => volumes.remove(name, { force: false, usedBy: () => [] })],
    ['network remove', () => networks.remove(name)],
  ])
}

/** @throws when it neither ends nor fails in time. */
async function inTime<T>(what: string, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new assert.AssertionError({ message: `${what} hangs` })), patience)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

/** All of `name` that is there is removed; whatever is not there already is fine. */
async function clear(box: EngineBox, name: string): Promise<void> {
  const { containers, networks, volumes } = box.engine
  for (const removed of [
    () => containers.remove(name, { force: true, volumes: true }),
    () => containers.remove(`${name}-new`, { force: true, volumes: true }),
    () => volumes.remove(name, { force: false, usedBy: () => [] }),
    () => networks.remove(name),
  ])
    await removed().catch(error => assert.ok(isFailure(error, 'not-found'), String(error)))
}

/** Names below the data root that nobody should find there. */
function leftovers(box: EngineBox): readonly string[] {
  const inside = (...path: string[]): string[] => {
    const folder = join(box.folder, 'data', ...path)
    return existsSync(folder) ? readdirSync(folder).map(name => join(...path, name)) : []
  }
  return [
    ...inside('containers'),
    ...inside('volumes').filter(path => !path.endsWith('/metadata.db')),
    ...inside('networks').filter(path => path.includes('/.')),
    ...inside('images').filter(path => path.includes('/.')),
    ...inside('images', 'tmp'),
    ...inside('images', 'layers').filter(path => path.includes('/.')),
    ...inside('damaged'),
  ]
}

/** One round: the `nth` write is refused. What was wrong, and whether anything was refused at all. */
async function round(box: EngineBox, disk: FullDisk, { nth, count, tar }: { nth: number; count: number; tar: Buffer }) {
  const name = `n${nth}`
  const wrong: string[] = []
  const expect = async (what: string, work: () => Promise<unknown>): Promise<void> => {
    try {
      await inTime(what, work())
    } catch (error) {
      wrong.push(`${what}: ${(error as Error).stack}`)
    }
  }
  disk.fill(nth, count)
  for (const [verb, work] of verbs(box, tar, name)) {
    const before = disk.refused.length
    try {
      await inTime(verb, work())
    } catch (error) {
      // whatever was refused before, this one may lack what an earlier one should have made
      if (isFailure(error) && disk.refused.length === before) continue
      // as a server would tell it
      const told = spaceFailure(error)
      const { message, stack } = told as Error
      if (!isFailure(told) || !/no space left/.test(message) || !message.includes(box.folder))
        wrong.push(`${verb}: ${isFailure(told) ? message : stack}`)
    }
  }
  const refused = [...disk.refused]
  disk.free()
  const names = (await box.containers.list({ all: true })).map(({ Id }) => `containers/${Id}`)
  await expect('what is half done', async () =>
    assert.deepEqual(
      leftovers(box).filter(path => !names.includes(path) && path !== `volumes/${name}`),
      [],
    ),
  )
  // whatever is told now is what the next engine tells
  const told = await box.containers.list({ all: true })
  await expect('the next engine', () => box.reboot())
  await expect('what it tells', async () =>
    assert.deepEqual(
      (await box.containers.list({ all: true })).map(({ Names, State }) => [Names, State]),
      told.map(({ Names, State }) => [Names, State]),
    ),
  )
  await expect('clearing', () => clear(box, name))
  for (const [verb, work] of verbs(box, tar, `${name}-again`)) await expect(`${verb} with space`, work)
  await expect('image remove', () => box.engine.images.remove('other:1', { usedBy: () => [] }))
  await expect('what is left', async () => assert.deepEqual(leftovers(box), []))
  return { refused, wrong }
}

for (const [what, count] of [
  ['from a write on', Number.POSITIVE_INFINITY],
  ['for one write', 1],
] as const)
  test(`a disk that is full ${what}`, { timeout: 120_000 }, async () => {
    await using box = await EngineBox.open()
    using disk = new FullDisk(box.folder)
    const tar = Buffer.from(await tinyImageTar({ tag: 'other:1', files: { 'a/': '', 'a/b': 'c' } }))
    const faults: string[] = []
    for (let nth = 1; ; nth++) {
      const { refused, wrong } = await round(box, disk, { nth, count, tar })
      if (refused.length === 0) {
        assert.ok(nth > 20, `${nth} writes`)
        break
      }
      if (wrong.length > 0) faults.push(`write ${nth}, ${refused[0]}\n  ${wrong.join('\n  ')}`)
    }
    assert.deepEqual(faults, [], faults.join('\n'))
  })
