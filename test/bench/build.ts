/**
 * A Dockerfile of 20 steps, built anew and then again with nothing changed: by buildx on a Docker Engine, by the same buildx on ours,
 * and by `tscompose build`, as people have it, handed to a process that waits for commands, and in a process of its own. The Docker
 * Engine keeps what it puts into its build cache; its image goes.
 */
import { randomUUID } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { command, type Said } from '../support/command.ts'
import { TestEngine } from '../support/engine.ts'
import { peerPlugin, which } from '../support/needs.ts'

const files = 9
const name = 'bench-build:1'

/** Milliseconds of each round. */
export interface BuildTimes {
  readonly first: readonly number[]
  readonly again: readonly number[]
}

export interface BuildBench {
  /** By `tscompose build`. */
  readonly ours: BuildTimes
  /** The same with no process that waits. */
  readonly alone: BuildTimes
  /** By buildx on our engine. */
  readonly buildx: BuildTimes | undefined
  /** By buildx on a Docker Engine. */
  readonly theirs: BuildTimes | undefined
}

type Build = () => Promise<Said>

/** @param docker the host of a Docker Engine that has busybox. @param folder a new one. */
export async function timeBuilds(docker: string | undefined, rounds: number, folder: string): Promise<BuildBench> {
  const buildx = peerPlugin('docker-buildx')
  const engine = await TestEngine.start()
  try {
    writeContext(folder)
    const byBuildx = (env: Record<string, string>): Build => {
      const args = ['build', '--progress', 'plain', '--load', '-t', name, folder]
      return () => command(buildx!, args, { env: { ...engine.env, ...env }, timeout: 600_000 })
    }
    const byUs = (env: Record<string, string>): Build => {
      return () => engine.tscompose(['build'], { cwd: folder, env, timeout: 600_000 })
    }
    const builds: readonly (Build | undefined)[] = [
      byUs({ TSCOMPOSE_WARM: '1', TSCOMPOSE_WARM_FOLDER: engine.folder }),
      byUs({}),
      buildx ? byBuildx({}) : undefined,
      buildx && docker ? byBuildx({ DOCKER_HOST: docker }) : undefined,
    ]
    const times = builds.map(() => ({ first: [] as number[], again: [] as number[] }))
    // the first round warms all up
    for (let round = -1; round < rounds; round++) {
      for (const [i, build] of builds.entries()) {
        if (!build) continue
        writeFileSync(join(folder, 'seed'), randomUUID())
        const first = await time(build)
        const again = await time(build)
        if (round < 0) continue
        times[i]!.first.push(first)
        times[i]!.again.push(again)
      }
    }
    const [ours, alone, onOurs, onTheirs] = times.map((each, i) => (builds[i] ? each : undefined))
    return { ours: ours!, alone: alone!, buildx: onOurs, theirs: onTheirs }
  } finally {
    endWaiting(engine.folder)
    const program = which('docker')
    if (docker && program) await command(program, ['image', 'rm', '-f', name], { env: { DOCKER_HOST: docker } })
    await engine.stop()
  }
}

/** Its first step copies "seed", so that another seed makes all of them anew. */
function writeContext(folder: string): void {
  mkdirSync(folder)
  const lines = ['FROM busybox', 'WORKDIR /app', 'COPY seed /seed']
  for (let i = 0; i < files; i++) {
    writeFileSync(join(folder, `file${i}.txt`), `${i}\n`.repeat(1000))
    lines.push(`COPY file${i}.txt /app/`, `RUN wc -l file${i}.txt > /app/count${i}`)
  }
  writeFileSync(join(folder, 'Dockerfile'), `${lines.join('\n')}\n`)
  writeFileSync(
    join(folder, 'compose.yaml'),
    `name: benchbuild\nservices:\n  app:\n    build: .\n    image: ${name.replace('-build', '-stack')}\n`,
  )
}

async function time(build: Build): Promise<number> {
  const start = performance.now()
  const said = await build()
  if (said.code !== 0) throw new Error(`exit code ${said.code}\n${said.stdout}${said.stderr}`)
  return performance.now() - start
}

/** Those that wait for commands at a socket in `folder`. */
function endWaiting(folder: string): void {
  for (const pid of readdirSync('/proc').filter(name => /^\d+$/.test(name))) {
    try {
      if (readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(`\0${folder}/tscompose-warm-`))
        process.kill(Number(pid))
    } catch {
      // ended while we looked
    }
  }
}
