/**
 * Times us against the real Docker Engine and Compose, side by side in one run: `npm run bench`.
 * Engines are warm, images present, runs alternate; each figure is a median, each ratio ours / theirs (below 1: we are faster).
 *
 *     npm run bench                      the life of stacks of 1, 10 and 50 services, up of 50 with other bounds of calls in
 *                                        flight, config of 1,000 and 5,000, what an engine does beneath any stack, an image of
 *                                        100 MB in 10 layers, and a build of 20 steps, anew and again
 *     npm run bench -- --sizes 1,200,500 --rounds 3 --only stacks --parallel 200
 *     npm run bench -- --sizes 500,1000 --rounds 1 --only stacks --parallel '' --alone
 *     npm run bench -- --only engine --row exec --log-size 1000
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { table } from '../../src/lib/text.ts'
import { command } from '../support/command.ts'
import { dockerEngine, shared, which } from '../support/needs.ts'
import { hasRegistry } from '../support/registry.ts'
import type { Unit } from './engine-rows.ts'
import { expectOk, type Measured, type Side, time, timeParallel, timeStack, writeStack } from './stacks.ts'

const { values: options } = parseArgs({
  options: {
    sizes: { type: 'string', default: '1,10,50' },
    rounds: { type: 'string', default: '5' },
    only: { type: 'string' },
    parallel: { type: 'string', default: '50' },
    // no Docker beside us
    alone: { type: 'boolean', default: false },
    // of the rows of an engine, those with this in their name
    row: { type: 'string' },
    // megabytes of log lines
    'log-size': { type: 'string', default: '200' },
  },
})
const sizes = options.sizes.split(',').map(Number)
const rounds = Number(options.rounds)

const launcher = fileURLToPath(new URL('../../src/cli/tscompose', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'tscompose-bench-'))
const ours: Side = {
  name: 'tscompose',
  run: (cwd, ...args) =>
    command(launcher, args, {
      cwd,
      // as people have it, with a process that waits for the next command
      env: { TSCOMPOSE_STATE: join(folder, 'state'), TSCOMPOSE_WARM: undefined },
      timeout: 600_000,
    }),
}
try {
  const theirs = options.alone ? undefined : await peer()
  if (!options.only || options.only === 'stacks') await benchStacks(theirs)
  if (!options.only || options.only === 'config') await benchConfig(theirs)
  if (!options.only || options.only === 'engine') await benchEngine()
  if (!options.only || options.only === 'images') await benchImages()
  if (!options.only || options.only === 'build') await benchBuild()
} finally {
  rmSync(folder, { recursive: true, force: true })
}

/** Docker Compose on the peers' engine, brought up when it is not; undefined (and said) where there is none. */
async function peer(): Promise<Side | undefined> {
  const peers = shared('tools/peers.sh')
  if (!peers) {
    console.log('No Docker Engine to compare with here: only our own figures follow.')
    return undefined
  }
  expectOk(await command(peers, ['up'], { timeout: 600_000 }))
  const exports = expectOk(await command(peers, ['env'])).stdout
  const env = Object.fromEntries([...exports.matchAll(/^export (\w+)=(.*)$/gm)].map(m => [m[1]!, m[2]!]))
  const program = env.DOCKER_COMPOSE!
  const side: Side = {
    name: 'docker compose',
    run: (cwd, ...args) => command(program, args, { cwd, env, timeout: 600_000 }),
  }
  // the same image on both sides
  const docker = which('docker')
  const present = docker && (await command(docker, ['image', 'inspect', 'busybox'], { env })).code === 0
  if (!present) {
    const makeImages = fileURLToPath(new URL('../../examples/make-images', import.meta.url))
    expectOk(await command(makeImages, ['busybox'], { env }))
  }
  return side
}

async function benchStacks(theirs: Side | undefined): Promise<void> {
  const makeImages = fileURLToPath(new URL('../../examples/make-images', import.meta.url))
  expectOk(await command(makeImages, ['busybox']))
  const given = { sides: theirs ? [ours, theirs] : [ours], folder, rounds }
  for (const size of sizes) print((await timeStack(size, given)).map(measured))
  if (options.parallel) print((await timeParallel(Number(options.parallel), given)).map(measured))
}

function measured({ what, figures }: Measured): string[] {
  return row(what, figures.tscompose!, figures['docker compose'])
}

async function benchConfig(theirs: Side | undefined): Promise<void> {
  const rows: string[][] = []
  for (const size of [1000, 5000]) {
    const stack = join(folder, `config${size}`)
    writeStack(stack, size)
    const figures: Record<string, number[]> = {}
    for (let round = -1; round < rounds; round++) {
      for (const side of theirs ? [ours, theirs] : [ours]) {
        const ms = await time(() => side.run(stack, 'config', '--format', 'json'))
        if (round >= 0) (figures[side.name] ??= []).push(ms)
      }
    }
    rows.push(row(`config(${size})`, figures.tscompose!, figures['docker compose']))
  }
  print(rows)
}

/** Ours new, and a Docker Engine, with the same image in both. */
async function benchEngine(): Promise<void> {
  const { startEngines } = await import('./engines.ts')
  const { timeEngines } = await import('./engine-rows.ts')
  await using engines = await startEngines(options.alone ? undefined : await dockerEngine(), folder)
  const given = { logBytes: Number(options['log-size']) * 1e6, only: options.row }
  const rows: string[][] = []
  for await (const { what, unit, ours: mine, theirs: others } of timeEngines(engines, rounds, given)) {
    rows.push(row(what, mine, others.length > 0 ? others : undefined, unit))
    console.error(rows.at(-1)!.join('  '))
  }
  print(rows)
}

/** From the same registry, on loopback, and from the same archive; engines of their own side by side, ours new. */
async function benchImages(): Promise<void> {
  if (!hasRegistry)
    return console.log('No program "docker-registry" here (.ci/setup test brings it): images are not timed.')
  const { timeImages } = await import('./images.ts')
  const docker = options.alone ? undefined : await dockerEngine()
  const { compressed, archived, files, ours: mine, theirs: others } = await timeImages(docker, rounds, folder)
  const megabytes = (bytes: number) => `${Math.round(bytes / 1e6)} MB`
  print([
    row(`pull(${megabytes(compressed)}, ${files} files)`, mine.pull, others?.pull),
    row(`load(${megabytes(archived)})`, mine.load, others?.load),
    row('rmi of it', mine.rmi, others?.rmi),
  ])
}

/** Theirs is buildx on a Docker Engine; ours that same buildx, and `tscompose build`. */
async function benchBuild(): Promise<void> {
  const { timeBuilds } = await import('./build.ts')
  const {
    ours: mine,
    alone,
    buildx,
    theirs: others,
  } = await timeBuilds(await dockerEngine(), rounds, join(folder, 'build'))
  const rows = (['first', 'again'] as const).flatMap(kind => [
    ...(buildx ? [row(`build of 20 steps, ${kind}, by buildx`, buildx[kind], others?.[kind])] : []),
    row(`build of 20 steps, ${kind}`, mine[kind], others?.[kind]),
    row(`build of 20 steps, ${kind}, in a process of its own`, alone[kind], others?.[kind]),
  ])
  print(rows)
}

function row(name: string, a: readonly number[], b: readonly number[] | undefined, unit: Unit = 'ms'): string[] {
  const figure = (values: readonly number[]) => `${median(values).toFixed(unit === 'Gbit/s' ? 1 : 0)} ${unit}`
  return [name, figure(a), b ? figure(b) : '-', b ? (median(a) / median(b)).toFixed(2) : '-']
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

function print(rows: readonly string[][]): void {
  console.log(table([['MEDIAN', 'TSCOMPOSE', 'DOCKER', 'RATIO'], ...rows]))
  console.log()
}
