/** This checkout, the programs its tests use and what they are to run → a disk of the virtual machine. */
import { execFileSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { peerPlugin, which } from '../support/needs.ts'

export interface Job {
  /** By their paths in the checkout. */
  readonly tests: readonly string[]
  /** A shell's script instead of tests. */
  readonly command?: string | undefined
  /** The root of a system with Docker's engine, which then runs beside the tests. */
  readonly docker?: string | undefined
  readonly environment: Readonly<Record<string, string>>
}

/** Large, and of no use to a test: they check and format sources, or are made anew. */
const leftOut = ['.git', 'node_modules/@biomejs', 'node_modules/@typescript', 'node_modules/.cache/vm']

/** What such a system has beside the engine and what it calls. */
const notDockers = [
  ...['dev', 'proc', 'sys', 'run', 'tmp', 'old', 'peers', 'var/lib/docker', 'var/lib/apt', 'var/cache'],
  ...['usr/share', 'usr/include', 'usr/lib/python3*', 'usr/lib/podman', 'usr/libexec/docker', 'usr/libexec/podman'],
  ...['usr/bin/podman*', 'usr/bin/ctr', 'usr/bin/docker', 'usr/lib/x86_64-linux-gnu/perl*'],
]

/** In the machine: plugins of Docker's command line, as test/support/needs.ts looks for them. */
const peers = '/srv/job/peers'
const plugins = ['docker-buildx', 'docker-compose']

/** Makes the disk at `path` by way of `folder`, both trusted. */
export function makeDisk(project: string, job: Job, { path, folder }: { path: string; folder: string }): void {
  const tree = join(folder, 'srv')
  for (const name of ['project', 'job/bin']) mkdirSync(join(tree, name), { recursive: true })
  const without = leftOut.map(name => `--exclude=./${name}`)
  copyTree(project, join(tree, 'project'), without)
  stampWholeSeconds(join(tree, 'project/build'))
  const shared = join(project, '..', 'shared')
  if (existsSync(shared)) copyTree(shared, join(tree, 'shared'), [])
  if (job.docker !== undefined)
    copyTree(
      job.docker,
      join(tree, 'docker'),
      notDockers.map(name => `--exclude=./${name}`),
    )
  copyProgram(which('docker'), join(tree, 'job/bin/docker'))
  for (const name of plugins)
    copyProgram(peerPlugin(name), join(folder, peers, 'root/usr/libexec/docker/cli-plugins', name))
  writeFileSync(join(tree, 'job/tests'), job.tests.map(test => `${test}\n`).join(''))
  if (job.command !== undefined) writeFileSync(join(tree, 'job/command'), job.command)
  const exports = Object.entries({ PEERS: peers, ...job.environment }).map(
    ([name, value]) => `export ${name}='${value}'\n`,
  )
  writeFileSync(join(tree, 'job/environment'), exports.join(''))
  // half as much again, since tests write beside what they read
  const size = Number(execFileSync('du', ['-sm', tree], { encoding: 'utf8' }).split('\t')[0])
  execFileSync('mke2fs', ['-q', '-t', 'ext4', '-O', '^has_journal', '-d', tree, path, `${Math.ceil(size * 1.5) + 64}M`])
  rmSync(tree, { recursive: true })
}

function copyTree(from: string, to: string, options: readonly string[]): void {
  mkdirSync(to, { recursive: true })
  execFileSync('sh', [
    '-c',
    'from=$1 to=$2; shift 2; tar -C "$from" -cf - "$@" . | tar -C "$to" -xf -',
    'sh',
    from,
    to,
    ...options,
  ])
}

/**
 * A disk made so keeps whole seconds: programs of one file, which know the times of their sources to the nanosecond (src/cli/start.cjs), would take all of
 * them for changed and run from sources, several times slower.
 */
function stampWholeSeconds(build: string): void {
  for (const name of existsSync(build) ? readdirSync(build).filter(each => each.endsWith('.js')) : []) {
    const text = readFileSync(join(build, name), 'utf8')
    const end = text.indexOf('\n')
    const header = JSON.parse(text.slice(2, end)) as { readonly inputs: Readonly<Record<string, string>> }
    const inputs = Object.entries(header.inputs).map(([file, stamp]) => [file, stamp.replace(/^\d+(\.\d+)?/, whole)])
    writeFileSync(
      join(build, name),
      `//${JSON.stringify({ ...header, inputs: Object.fromEntries(inputs) })}${text.slice(end)}`,
    )
  }
}

/** Milliseconds, as text: of a whole second. */
function whole(milliseconds: string): string {
  return String(Math.floor(Number(milliseconds) / 1000) * 1000)
}

/** The C library of the machine's Debian (test/vm/make-machine). */
const machinesLibrary = { name: 'libc.so.6', version: [2, 36] } as const

/** One that is here, for another system, where it runs when it needs nothing of libraries but what the machine's C library has. */
function copyProgram(from: string | undefined, to: string): void {
  if (from === undefined || !runsInMachine(execFileSync('readelf', ['-dVW', from], { encoding: 'utf8' }))) return
  mkdirSync(dirname(to), { recursive: true })
  copyFileSync(from, to)
}

/** Of what readelf tells of a program: the libraries that it needs, and the versions of their symbols. */
export function runsInMachine(told: string): boolean {
  const { name, version } = machinesLibrary
  const libraries = [...told.matchAll(/\(NEEDED\).*\[(.+)\]/g)].map(([, library]) => library)
  const versions = [...told.matchAll(/\bGLIBC_(\d+)\.(\d+)/g)].map(
    ([, major, minor]) => [Number(major), Number(minor)] as const,
  )
  return (
    libraries.every(library => library === name) &&
    versions.every(([major, minor]) => major < version[0] || (major === version[0] && minor <= version[1]))
  )
}
