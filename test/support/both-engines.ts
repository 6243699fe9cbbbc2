/** A scenario for two engines: one of our own for the test file, and a real Docker Engine where there is one. */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, describe } from 'node:test'
import { command, type Said } from './command.ts'
import { launcher, TestEngine } from './engine.ts'
import { dockerEngine, lacking, program, root } from './needs.ts'
import { busyboxImageTar } from './tiny-image.ts'
import { warmVariables } from './warm.ts'

/** What a scenario works with; names carry the process's number, since others may use the same Docker Engine. */
export interface Ground {
  readonly kind: 'ours' | 'Docker'
  /** A busybox image. */
  readonly image: string
  readonly host: string
  readonly folder: string
  /** Writes `path` below `folder`. */
  write(path: string, text: string): void
  /** Runs a command line in a folder below `folder`. */
  attempt(cwd: string, ...args: readonly string[]): Promise<Said>
  /** The same, which must end well; its standard output. */
  run(cwd: string, ...args: readonly string[]): Promise<string>
  /** Variables of every command from now on. */
  readonly env: Record<string, string>
}

/** @param projects names of projects that may be left when a test has failed. */
export async function onBothEngines(
  title: string,
  projects: readonly string[],
  scenario: (ground: () => Ground) => void,
): Promise<void> {
  const docker = await dockerEngine()
  for (const [kind, host] of [
    ['ours', undefined],
    ['Docker', docker],
  ] as const) {
    const skip =
      kind === 'Docker' && !docker
        ? 'no Docker Engine here: set TSCOMPOSE_TEST_DOCKER to the socket of one'
        : lacking(root(), program('busybox'), program('nft'))
    describe(`${title}, against ${kind}`, { skip }, () => {
      let engine: TestEngine | undefined
      let ground: Ground | undefined
      const folder = mkdtempSync(join(tmpdir(), 'tsc-both-'))
      const image = `tscompose-ground-${process.pid}`
      before(async () => {
        engine = host ? undefined : await TestEngine.start([])
        ground = lay(kind, host ?? engine!.host, { folder, image })
        writeFileSync(join(folder, 'image.tar'), await busyboxImageTar(`${image}:latest`))
        await ground.run('.', 'image', 'load', '-i', join(folder, 'image.tar'))
      })
      after(async () => {
        for (const project of projects) await ground?.attempt('.', '-p', project, 'down', '-v', '-y')
        await ground?.attempt('.', 'image', 'rm', image)
        rmSync(folder, { recursive: true, force: true })
        await engine?.stop()
      })
      scenario(() => ground!)
    })
  }
}

function lay(kind: Ground['kind'], host: string, { folder, image }: Pick<Ground, 'folder' | 'image'>): Ground {
  const env: Record<string, string> = {
    DOCKER_HOST: host,
    NO_COLOR: '1',
    COMPOSE_PROJECT_NAME: '',
    DOCKER_CONFIG: join(folder, 'docker-config'),
    TSCOMPOSE_STATE: join(folder, 'state'),
  }
  const attempt: Ground['attempt'] = (cwd, ...args) =>
    command(launcher, args, { cwd: join(folder, cwd), env: { ...env, ...warmVariables() } })
  return {
    kind,
    image,
    host,
    folder,
    env,
    write(path, text) {
      mkdirSync(dirname(join(folder, path)), { recursive: true })
      writeFileSync(join(folder, path), text)
    },
    attempt,
    async run(cwd, ...args) {
      const said = await attempt(cwd, ...args)
      assert.equal(said.code, 0, `${args.join(' ')}\n${said.stdout}${said.stderr}`)
      return said.stdout
    },
  }
}
