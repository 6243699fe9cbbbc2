/** Who to be at a registry: ~/.docker/config.json and its credential helpers → the X-Registry-Auth header. Never in arguments or logs. */
import type { RegistryAuth } from '../api/images.ts'
import { askHelper, type DockerConfig, type Env, helperOf, own, readConfig } from './docker-config.ts'

/** Docker's own registry has always been stored under this key. */
export const hubKey = 'https://index.docker.io/v1/'

/** The header for pulling `reference`; undefined when there are no credentials for its registry. */
export async function registryAuth(reference: string, env: Env): Promise<string | undefined> {
  const config = await readConfig(env)
  if (!config) return undefined
  const registry = registryOf(reference)
  const auth = await credentials(config, registry, env)
  return auth && Buffer.from(JSON.stringify({ ...auth, serveraddress: registry })).toString('base64url')
}

/** The registry a reference names: its first part when that has a dot or colon or is localhost, otherwise Docker's. */
export function registryOf(reference: string): string {
  const first = reference.split('/')[0]!
  const named = reference.includes('/') && (first.includes('.') || first.includes(':') || first === 'localhost')
  return !named || first === 'docker.io' || first === 'index.docker.io' ? hubKey : first
}

/** The key that a server is stored under: "https://r.example/v1/" is r.example, none is the hub. */
export function registryKey(server: string | undefined): string {
  const host = bare(server ?? '')
  return ['', 'docker.io', 'index.docker.io', 'registry-1.docker.io'].includes(host) ? hubKey : host
}

async function credentials(config: DockerConfig, registry: string, env: Env): Promise<RegistryAuth | undefined> {
  const helper = helperOf(config, registry)
  const { Username, Secret } = (helper ? await askHelper(helper, registry, env) : undefined) ?? {}
  if (Secret) return Username === '<token>' ? { identitytoken: Secret } : { username: Username ?? '', password: Secret }
  // Keys are written with and without scheme and path: compare what stands between.
  const found =
    own(config.auths, registry) ?? Object.entries(config.auths ?? {}).find(([key]) => bare(key) === bare(registry))?.[1]
  if (!found) return undefined
  if (found.identitytoken) return { identitytoken: found.identitytoken }
  if (found.registrytoken) return { registrytoken: found.registrytoken }
  const pair = Buffer.from(found.auth ?? '', 'base64')
    .toString('utf8')
    .replace(/\0+$/, '')
  const colon = pair.indexOf(':')
  return colon > 0 ? { username: pair.slice(0, colon), password: pair.slice(colon + 1) } : undefined
}

function bare(key: string): string {
  return key.replace(/^https?:\/\//, '').replace(/\/.*$/, '')
}
