/**
 * The images of the examples in a registry that only machines of a test reach. They go there as they are pulled, plain and without what none of
 * their programs reads: compressing them and unpacking thousands of files on each machine would be most of what such a test costs.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { command } from './command.ts'
import type { Machine } from './swarm-machines.ts'
import { partsOf, sha256, tinyManifest } from './tiny-image.ts'

/** As examples/make-images imports them. */
const configs = {
  nginx: { Cmd: ['nginx', '-g', 'daemon off;'], ExposedPorts: { '80/tcp': {} }, StopSignal: 'SIGQUIT' },
  node: { Cmd: ['node'] },
  redis: {
    Cmd: ['redis-server'],
    ExposedPorts: { '6379/tcp': {} },
    Volumes: { '/var/lib/redis': {} },
    WorkingDir: '/var/lib/redis',
    User: 'redis',
  },
} as const
export const exampleImages = Object.keys(configs) as (keyof typeof configs)[]

/** Of the distribution's base system, in each of the archives: perl, character sets and what its package manager knows. */
const unread = ['./usr/lib/*/perl*', './usr/share/perl*', './usr/lib/*/gconv', './var/lib/dpkg']

/**
 * Pushes one to `registry` ("198.18.7.1:5000") from the machine's network, tagged latest.
 * @param archives The folder with what `examples/make-images --archives` has made.
 * @param folder For files in between.
 */
export async function pushExample(
  name: keyof typeof configs,
  { inside }: Machine,
  registry: string,
  archives: string,
  folder: string,
): Promise<void> {
  const run = async (program: string, ...args: readonly string[]) => {
    const { code, stdout, stderr } = await command(program, args)
    if (code !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}`)
    return stdout
  }
  const curl = async (...options: readonly string[]) => {
    const { program, args } = inside('curl', ['-sSf', ...options])
    return await run(program, ...args)
  }
  const file = join(folder, `${name}.json`)
  const tar = join(folder, `${name}.tar`)
  const url = `http://${registry}/v2/${name}`
  const upload = async (digest: string, path: string) => {
    const said = await curl('-X', 'POST', '-D', '-', `${url}/blobs/uploads/`)
    const place = new URL(/^location: (\S+)/im.exec(said)![1]!)
    place.searchParams.set('digest', digest)
    await curl('-H', 'Content-Type: application/octet-stream', '-T', path, place.href)
  }
  const lighter = 'gzip -dc "$1" | tar --delete --wildcards -f - "${@:3}" >"$2"'
  await run('bash', '-o', 'pipefail', '-ec', lighter, 'bash', join(archives, `${name}.tar.gz`), tar, ...unread)
  const parts = partsOf([readFileSync(tar)], { config: configs[name] })
  await upload(sha256(parts.layers[0]!), tar)
  rmSync(tar)
  writeFileSync(file, parts.config)
  await upload(parts.id, file)
  writeFileSync(file, tinyManifest(parts))
  await curl('-H', 'Content-Type: application/vnd.oci.image.manifest.v1+json', '-T', file, `${url}/manifests/latest`)
}
