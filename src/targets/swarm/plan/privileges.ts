/** `security_opt` as a swarm is told of it: profiles of seccomp go along, those of AppArmor are each node's own. */
import { resolve } from 'node:path'
import type { SwarmPrivileges } from '../../../api/swarm-objects.ts'
import type { Project } from '../../../model/project.ts'
import { filledMap, given } from '../../members.ts'

const option = /^([a-z-]+)(?:[=:](.*))?$/s
const selinux = /^(user|role|type|level):(.+)$/

/** Absolute paths of the profiles that services name, sorted, for `observe`. */
export function profilesOf({ services, directory }: Project): readonly string[] {
  const all = Object.values(services).flatMap(({ securityOpt }) =>
    securityOpt.flatMap(each => profileOf(each, directory) ?? []),
  )
  return [...new Set(all)].sort()
}

/** The absolute path; undefined where an option names no file. */
export function profileOf(text: string, directory: string): string | undefined {
  const [, name, value] = option.exec(text) ?? []
  const isFile = name === 'seccomp' && value !== undefined && !/^(unconfined$|builtin$|\s*\{)/.test(value)
  return isFile ? resolve(directory, value) : undefined
}

interface Profiles {
  /** JSON by absolute path. */
  readonly profiles: ReadonlyMap<string, string>
  readonly directory: string
}

/** Undefined where nothing is said that a swarm knows. */
export function privileges(options: readonly string[], files: Profiles): SwarmPrivileges | undefined {
  const labels = new Map<string, string | true>()
  let all: SwarmPrivileges = {}
  for (const text of options) {
    const [, name, value = 'true'] = option.exec(text) ?? []
    if (name === 'no-new-privileges') all = { ...all, NoNewPrivileges: value !== 'false' || undefined }
    else if (name === 'seccomp') all = { ...all, Seccomp: seccomp(text, value, files) }
    else if (name === 'apparmor' && value === 'unconfined') all = { ...all, AppArmor: { Mode: 'disabled' } }
    else if (name === 'label' && value === 'disable') labels.set('Disable', true)
    else if (name === 'label') {
      const [, key, of] = selinux.exec(value) ?? []
      if (key !== undefined && of !== undefined) labels.set(`${key[0]!.toUpperCase()}${key.slice(1)}`, of)
    }
  }
  return filledMap(given({ ...all, SELinuxContext: filledMap(Object.fromEntries(labels)) }))
}

function seccomp(text: string, value: string, { profiles, directory }: Profiles): SwarmPrivileges['Seccomp'] {
  if (value === 'unconfined') return { Mode: 'unconfined' }
  const path = profileOf(text, directory)
  const profile = path === undefined ? (value === 'builtin' ? undefined : value) : profiles.get(path)
  return profile === undefined ? undefined : { Mode: 'custom', Profile: Buffer.from(profile).toString('base64') }
}
