/** Every flag of `docker run`, given to our engine and to a real one: what inspect shows, what runs, how it ends. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { command, type Said } from '../support/command.ts'
import { TestEngine } from '../support/engine.ts'
import { dockerEngine, lacking, program, root, which } from '../support/needs.ts'
import { busyboxImageTar } from '../support/tiny-image.ts'
import { type Case, flags, folder, mark } from './run-flags.ts'

const docker = await dockerEngine()
const skip = docker
  ? lacking(root(), program('busybox'), program('nft'), program('docker'))
  : 'no Docker Engine here: set TSCOMPOSE_TEST_DOCKER to the socket of one'

describe('docker run', { skip }, () => {
  let ours: TestEngine
  before(async () => {
    ours = await TestEngine.start([])
    writeFileSync(join(folder, 'image.tar'), await busyboxImageTar(`${mark}:latest`))
    for (const host of [ours.host, docker!]) {
      const said = await on(host, 'load', '-i', join(folder, 'image.tar'))
      assert.equal(said.code, 0, said.stderr)
    }
  })
  after(async () => {
    await on(docker!, 'image', 'rm', mark)
    await on(docker!, 'volume', 'rm', `${mark}-v`)
    // a group that somebody chose stays, of either engine
    for (const hierarchy of readdirSync('/sys/fs/cgroup')) {
      const group = join('/sys/fs/cgroup', hierarchy, mark)
      if (existsSync(group)) rmdirSync(group)
    }
    await ours?.stop()
  })

  const on = (host: string, ...args: readonly string[]): Promise<Said> =>
    command(which('docker')!, args, { env: { DOCKER_HOST: host, DOCKER_CONFIG: folder }, timeout: 60_000 })

  test('has a case for each of its flags', async () => {
    const { stdout } = await on(docker!, 'run', '--help')
    const known = [...stdout.matchAll(/^\s+(?:-\w, )?\s*--([a-z0-9-]+)/gm)].map(match => match[1]!)
    assert.deepEqual(
      known.filter(flag => !(flag in flags)),
      [],
    )
  })

  test('--link: a container of the default bridge finds another by name and by environment, as with Docker', async () => {
    const found = async (host: string) => {
      const other = await on(
        host,
        'run',
        '-d',
        '--expose',
        '80',
        '-e',
        'A=1',
        '--name',
        `${mark}-db`,
        mark,
        'sleep',
        '100',
      )
      try {
        const script = 'env | grep ^STORE_ | sort; grep -cw store /etc/hosts; true'
        const said = await on(
          host,
          'run',
          '--rm',
          '--link',
          `${mark}-db:store`,
          '--name',
          `${mark}-a`,
          mark,
          'sh',
          '-c',
          script,
        )
        return said.stdout.replaceAll(/\d+\.\d+\.\d+\.\d+/g, 'ADDRESS') + said.stderr
      } finally {
        await on(host, 'rm', '-f', other.stdout.trim())
      }
    }
    const mine = await found(ours.host)
    assert.match(mine, /^STORE_PORT_80_TCP_ADDR=ADDRESS$/m)
    assert.equal(mine, await found(docker!))
  })

  for (const [flag, cases] of Object.entries(flags))
    for (const each of cases) {
      const {
        args,
        script = 'echo ran',
        differs = {},
      }: Case = typeof each === 'string' ? { args: each.split(' ').map(word => word.replaceAll('\u00a0', ' ')) } : each
      test(`--${flag}: ${args.join(' ')} as with Docker`, async () => {
        const [mine, its] = await Promise.all([ours.host, docker!].map(host => outcome(host, args, script)))
        const differences = compare(mine!, its!).filter(({ path }) => !(path in differs) && !(path in everywhere))
        assert.deepEqual(differences, [], `${mine!.said}\n${its!.said}`)
      })
    }

  interface Outcome {
    readonly created: boolean
    readonly inspect: Record<string, unknown>
    readonly ran: { readonly code: number; readonly stdout: string } | undefined
    /** For people. */
    readonly said: string
  }

  async function outcome(host: string, args: readonly string[], script: string): Promise<Outcome> {
    const created = await on(host, 'create', ...args, mark, 'sh', '-c', script)
    if (created.code !== 0) return { created: false, inspect: {}, ran: undefined, said: created.stderr }
    const id = created.stdout.trim().split('\n').at(-1)!
    try {
      const [inspect] = JSON.parse((await on(host, 'inspect', id)).stdout)
      const ran = await on(host, 'start', '-a', id)
      return {
        created: true,
        inspect: shown(inspect),
        ran: { code: ran.code, stdout: ran.stdout },
        said: `${created.stderr}${ran.stderr}`,
      }
    } finally {
      await on(host, 'rm', '-fv', id)
    }
  }
})

/** Paths in which every container of ours differs, and why. */
const everywhere: Readonly<Record<string, string>> = {
  'HostConfig.CgroupnsMode': 'always private unless asked otherwise, by Docker on cgroup v2 alone',
}

interface Difference {
  readonly path: string
  readonly ours: unknown
  readonly docker: unknown
}

/** Of a create, both refuse or both make the same; a refusal at create where Docker refuses at start is the better answer. */
function compare(
  mine: { created: boolean; inspect: object; ran?: { code: number; stdout: string } | undefined },
  its: typeof mine,
): Difference[] {
  const itsFailed = !its.created || its.ran?.code !== 0
  if (!mine.created) return itsFailed ? [] : [{ path: 'create', ours: 'refused', docker: 'created' }]
  if (!its.created) return [{ path: 'create', ours: 'created', docker: 'refused' }]
  const differences = differencesOf(mine.inspect, its.inspect, '')
  if (mine.ran?.code !== its.ran?.code) differences.push({ path: 'code', ours: mine.ran?.code, docker: its.ran?.code })
  if (mine.ran?.stdout !== its.ran?.stdout)
    differences.push({ path: 'output', ours: mine.ran?.stdout, docker: its.ran?.stdout })
  return differences
}

/** What of inspect is compared, without names of things of each engine. */
function shown(inspect: Inspect): Record<string, unknown> {
  const { Config, HostConfig, Mounts, Path, Args, Platform, AppArmorProfile, NetworkSettings } = inspect
  return {
    Config: {
      ...Config,
      Env: [...(Config.Env ?? [])].sort(),
      Hostname: /^[0-9a-f]{12}$/.test(Config.Hostname) ? 'its id' : Config.Hostname,
    },
    HostConfig,
    Mounts: Mounts.map(mount => ({
      ...mount,
      Source: mount.Source === folder || mount.Source === '/tmp' ? mount.Source : 'of the engine',
      Name: mount.Name && (mount.Name.startsWith(mark) ? mount.Name : 'made up'),
    })),
    Path,
    Args,
    Platform,
    AppArmorProfile,
    Networks: Object.keys(NetworkSettings.Networks),
  }
}

interface Inspect {
  readonly Config: { readonly Hostname: string; readonly Env?: readonly string[] }
  readonly HostConfig: object
  readonly Mounts: readonly { readonly Source?: string; readonly Name?: string }[]
  readonly Path: string
  readonly Args: readonly string[]
  readonly Platform: string
  readonly AppArmorProfile: string
  readonly NetworkSettings: { readonly Networks: object }
}

const nothing = (value: unknown): boolean =>
  value === null ||
  value === undefined ||
  value === '' ||
  value === 0 ||
  value === false ||
  (typeof value === 'object' && Object.values(value as object).every(nothing))

function differencesOf(mine: unknown, its: unknown, path: string): Difference[] {
  if (nothing(mine) && nothing(its)) return []
  if (typeof mine === 'object' && typeof its === 'object' && mine && its && !Array.isArray(mine)) {
    const names = [...new Set([...Object.keys(mine), ...Object.keys(its)])]
    return names.flatMap(name =>
      differencesOf(
        (mine as Record<string, unknown>)[name],
        (its as Record<string, unknown>)[name],
        path ? `${path}.${name}` : name,
      ),
    )
  }
  return JSON.stringify(mine) === JSON.stringify(its) ? [] : [{ path, ours: mine, docker: its }]
}
