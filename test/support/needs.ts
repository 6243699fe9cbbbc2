/** What a test needs of its machine: a skip says what is missing, and under CI=true the test fails instead. */
import { accessSync, constants, existsSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { release, tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const project = fileURLToPath(new URL('../..', import.meta.url))

/** The reason to skip, or false; for the `skip` option of node:test. @throws under CI=true when something is missing. */
export function lacking(...needs: readonly (string | false)[]): string | false {
  const missing = needs.filter(need => need !== false)
  if (missing.length === 0) return false
  const reason = `needs ${missing.join(' and ')}`
  if (process.env.CI === 'true') throw new Error(`${reason}, and CI=true allows no skipping`)
  return reason
}

export function root(): string | false {
  return process.getuid?.() === 0 ? false : 'root rights'
}

export function program(name: string): string | false {
  return which(name) ? false : `the program "${name}"`
}

export function which(name: string): string | undefined {
  for (const folder of [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin']) {
    const path = join(folder, name)
    try {
      accessSync(path, constants.X_OK)
      return path
    } catch {
      // not in this folder: the next one may have it
    }
  }
  return undefined
}

/**
 * Whether this is a kernel that is a program (test/vm). It neither answers nor ends whoever makes a call of 32 bits, and tells a filter another place
 * than that of the call (KSTK_EIP is where its own thread was left).
 */
export function userModeKernel(): boolean {
  return /^vendor_id\s*: User Mode Linux$/m.test(readFileSync('/proc/cpuinfo', 'utf8'))
}

/** User namespaces need overlay layers with mapped ids, named one by one (6.5). */
export function mappedLayers(): string | false {
  const [major, minor] = release().split('.').map(Number) as [number, number]
  return major > 6 || (major === 6 && minor >= 5) ? false : `a kernel of 6.5 or later, and this is ${release()}`
}

/** A file of the material beside the checkout; tests that use it skip where it is not, in CI too. */
export function shared(path: string): string | undefined {
  const found = join(project, '..', 'shared', path)
  return existsSync(found) ? found : undefined
}

const peers = process.env.PEERS ?? join(tmpdir(), 'tscompose-peers')

/** Where the peers are unpacked: a system with Docker's engine, its command line and their like. @throws where they are not. */
export function peersRoot(): string {
  const found = join(peers, 'root')
  if (!existsSync(join(found, 'usr/sbin/dockerd'))) throw new Error(`no Docker Engine is unpacked at ${found}`)
  return found
}

/** A Docker Engine to compare with: the one named by TSCOMPOSE_TEST_DOCKER, or the peers' when they are up. */
export async function dockerEngine(): Promise<string | undefined> {
  for (const host of [process.env.TSCOMPOSE_TEST_DOCKER, `unix://${peers}/run/docker.sock`])
    if (host?.startsWith('unix://') && (await answers(host.slice('unix://'.length)))) return host
  return undefined
}

/** An engine that was killed leaves its socket behind. */
function answers(path: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const socket = connect(path)
  socket.once('connect', () => resolve(true))
  socket.once('error', () => resolve(false))
  return promise.finally(() => socket.destroy())
}

/** A plugin of Docker's command line from where the peers are unpacked. */
export function peerPlugin(name: string): string | undefined {
  const path = join(peers, 'root/usr/libexec/docker/cli-plugins', name)
  return existsSync(path) ? path : undefined
}
